"""One module a command or a family of them; `cli.main` imports the one that is asked for."""
