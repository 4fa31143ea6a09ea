"""The journal of what was written to moto's services: each request, its time and its place in the order, in SQLite."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from shoplake_local.protocols.requests import HttpRequest
from shoplake_local.sqlite_files import private_database

__all__ = ["Journal", "JournalEntry"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS written (
    sequence INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    operation TEXT NOT NULL,
    written_at TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS seed (value TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One request that succeeded.

    Attributes:
        sequence: Its place in the order, from 1; ids that it made follow from it.
        service: botocore's name.
        operation: AWS's name.
        written_at: When, in UTC.
        request: As it was given to moto.

    """

    sequence: int
    service: str
    operation: str
    written_at: datetime
    request: HttpRequest


class Journal:
    """Requests in the order of their success. One thread at a time.

    Args:
        path: The file; only its owner may read it, because secrets pass through requests.

    """

    def __init__(self, path: Path) -> None:
        self._connection = private_database(path, _SCHEMA)
        if self._connection.execute("SELECT value FROM seed").fetchone() is None:
            self._connection.execute("INSERT INTO seed VALUES (?)", (secrets.token_hex(32),))

    @property
    def seed(self) -> str:
        """What this journal's ids and key material are made from; no other installation has it."""
        return str(self._connection.execute("SELECT value FROM seed").fetchone()[0])

    @property
    def next_sequence(self) -> int:
        """The place of the next entry."""
        return int(self._connection.execute("SELECT coalesce(max(sequence), 0) + 1 FROM written").fetchone()[0])

    def has(self, service: str, operation: str = "") -> bool:
        """Whether anything, or that operation, was written to that service."""
        query = "SELECT 1 FROM written WHERE service = ? AND ? IN ('', operation) LIMIT 1"
        return self._connection.execute(query, (service, operation)).fetchone() is not None

    def append(self, entry: JournalEntry) -> None:
        """Keep the entry; it is on disk when this returns."""
        asked = entry.request
        self._connection.execute(
            "INSERT INTO written VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.sequence,
                entry.service,
                entry.operation,
                entry.written_at.isoformat(),
                asked.method,
                asked.raw_path,
                asked.query,
                json.dumps(dict(asked.headers)),
                asked.body,
            ),
        )

    def entries(self) -> Iterator[JournalEntry]:
        """Every entry in order."""
        for row in self._connection.execute("SELECT * FROM written ORDER BY sequence").fetchall():
            sequence, service, operation, written_at, method, path, query, headers, body = row
            yield JournalEntry(
                sequence,
                service,
                operation,
                datetime.fromisoformat(written_at),
                HttpRequest(method=method, raw_path=path, query=query, headers=json.loads(headers), body=body),
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
