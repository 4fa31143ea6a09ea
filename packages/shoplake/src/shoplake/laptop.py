"""The running laptop: every server of one project up, and the clients that speak to them."""
