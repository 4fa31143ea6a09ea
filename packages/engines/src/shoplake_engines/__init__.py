"""Starts and ends the real servers a laptop runs: MySQL or MariaDB, SeaweedFS, PostgreSQL, all on loopback."""
