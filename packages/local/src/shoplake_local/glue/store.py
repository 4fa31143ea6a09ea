"""The catalogue's SQLite file. A transaction is on disk before the caller hears of it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shoplake_local.sqlite_files import opened_database, transaction_of

__all__ = ["Store"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS databases (
    name TEXT PRIMARY KEY, definition TEXT NOT NULL, created_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS database_tags (
    database_name TEXT NOT NULL REFERENCES databases (name) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (database_name, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tables (
    database_name TEXT NOT NULL REFERENCES databases (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    definition TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    PRIMARY KEY (database_name, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS archived_versions (
    database_name TEXT NOT NULL,
    table_name TEXT NOT NULL,
    version INTEGER NOT NULL,
    definition TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    PRIMARY KEY (database_name, table_name, version),
    FOREIGN KEY (database_name, table_name) REFERENCES tables (database_name, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS partitions (
    database_name TEXT NOT NULL,
    table_name TEXT NOT NULL,
    key TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (database_name, table_name, key),
    FOREIGN KEY (database_name, table_name) REFERENCES tables (database_name, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
"""


class Store:
    """One connection, one user at a time: a laptop's catalogue sees tens of calls a second, not thousands."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = opened_database(path, _SCHEMA)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA foreign_keys = ON")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction of one caller: committed and synced when the block ends, rolled back when it raises."""
        with self._lock, transaction_of(self._connection):
            yield self._connection

    def rows(self, sql: str, parameters: tuple[Any, ...]) -> list[sqlite3.Row]:
        """The rows of one query."""
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
