"""One module a command; importing this package registers them all."""

from shoplake.commands import data, demo, doctor, query, run, servers

__all__ = ["data", "demo", "doctor", "query", "run", "servers"]
