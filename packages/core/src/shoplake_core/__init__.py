"""Table contracts, names, configuration, errors and the clock: what every other Shoplake package stands on."""
