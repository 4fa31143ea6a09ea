"""Glue's jobs, crawlers and connections: what is stored, and the processes that do the work."""
