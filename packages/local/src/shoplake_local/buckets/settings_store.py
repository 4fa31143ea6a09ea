"""Settings of buckets as they were written, in SQLite: XML documents by bucket and name."""

import threading
from pathlib import Path

from shoplake_local.sqlite_files import opened_database

__all__ = ["BucketSettingsStore"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (
    bucket TEXT NOT NULL,
    name TEXT NOT NULL,
    document BLOB NOT NULL,
    PRIMARY KEY (bucket, name)
) STRICT;
"""


class BucketSettingsStore:
    """One document a bucket and setting; on disk before `write` returns."""

    def __init__(self, path: Path) -> None:
        self._connection = opened_database(path, _SCHEMA)
        self._lock = threading.Lock()

    def read(self, bucket: str, name: str) -> bytes | None:
        """The document, None where it was never written."""
        with self._lock:
            row = self._connection.execute(
                "SELECT document FROM setting WHERE bucket = ? AND name = ?", (bucket, name)
            ).fetchone()
        return None if row is None else bytes(row[0])

    def write(self, bucket: str, name: str, document: bytes) -> None:
        """Keep the document in place of the one before."""
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?, ?)", (bucket, name, document))

    def forget(self, bucket: str, name: str | None = None) -> None:
        """Remove one setting, or all of a bucket that is no more."""
        with self._lock:
            if name is None:
                self._connection.execute("DELETE FROM setting WHERE bucket = ?", (bucket,))
            else:
                self._connection.execute("DELETE FROM setting WHERE bucket = ? AND name = ?", (bucket, name))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
