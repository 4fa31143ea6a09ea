"""The services' SQLite files: one connection a file, and transactions that are on disk before anybody hears of them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["opened_database", "private_database", "transaction_of"]

_BUSY_TIMEOUT_SECONDS = 30.0


def opened_database(path: Path, schema: str) -> sqlite3.Connection:
    """A connection for any thread, one at a time. What was committed survives a power cut.

    Args:
        path: The file, made with its folder where it is not there.
        schema: CREATE statements that may run again.

    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_SECONDS, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return _with_schema(connection, schema)


def private_database(path: Path, schema: str) -> sqlite3.Connection:
    """A connection for any thread, one at a time, to a file that only its owner may read, because secrets lie in it.

    A killed process loses nothing; a power cut may.

    """
    path.touch(mode=0o600)
    path.chmod(0o600)
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    return _with_schema(connection, schema)


def _with_schema(connection: sqlite3.Connection, schema: str) -> sqlite3.Connection:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(schema)
    return connection


@contextmanager
def transaction_of(connection: sqlite3.Connection) -> Iterator[None]:
    """All that the block writes is kept, or none of it; a block inside a block belongs to the outer one.

    The caller keeps other threads out meanwhile.

    """
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a COMMIT that failed (a full disk) may have ended it or not
            connection.execute("ROLLBACK")
        raise
