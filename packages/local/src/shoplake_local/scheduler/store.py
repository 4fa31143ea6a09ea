"""What of each schedule was looked at, and the calls that are still to be made, in SQLite."""

import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shoplake_local.sqlite_files import opened_database, transaction_of

__all__ = ["Call", "ScheduleStore", "Seen"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (
    arn TEXT PRIMARY KEY, version TEXT NOT NULL, since REAL NOT NULL, until REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS call (
    id TEXT PRIMARY KEY,
    arn TEXT NOT NULL,
    scheduled_at REAL NOT NULL,
    attempts INTEGER NOT NULL,
    next_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How far a schedule was looked at.

    Attributes:
        arn: The schedule.
        version: What it said then: another one begins anew.
        since: When this version began, where a rate's first time is.
        until: Every time up to this one is done with.

    """

    arn: str
    version: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a target that is to be made.

    Attributes:
        id: Of this call, the same for every attempt.
        arn: The schedule.
        scheduled_at: The time that it was due.
        attempts: How often it failed.
        next_at: Not before this moment.

    """

    id: str
    arn: str
    scheduled_at: datetime
    attempts: int
    next_at: datetime


class ScheduleStore:
    """Any thread, one at a time.

    Args:
        path: The file.

    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = opened_database(path, _SCHEMA)

    def seen(self, arn: str) -> Seen | None:
        """How far that schedule was looked at; None where it is new."""
        with self._lock:
            row = self._connection.execute("SELECT * FROM seen WHERE arn = ?", (arn,)).fetchone()
        return None if row is None else Seen(arn=row[0], version=row[1], since=_moment(row[2]), until=_moment(row[3]))

    def see(self, seen: Seen, call: Call | None = None) -> None:
        """Keep how far it was looked at and the call that came of it: both, or none of them."""
        values = (seen.arn, seen.version, seen.since.timestamp(), seen.until.timestamp())
        with self._lock, transaction_of(self._connection):
            self._connection.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", values)
            if call is not None:
                self._put(call)

    def forget_others(self, arns: set[str]) -> None:
        """Forget schedules that are not there any more, and their calls."""
        with self._lock, transaction_of(self._connection):
            for (arn,) in self._connection.execute("SELECT arn FROM seen").fetchall():
                if arn not in arns:
                    self._connection.execute("DELETE FROM seen WHERE arn = ?", (arn,))
                    self._connection.execute("DELETE FROM call WHERE arn = ?", (arn,))

    def calls(self) -> list[Call]:
        """Every call that is to be made, the oldest first."""
        with self._lock:
            rows = self._connection.execute("SELECT * FROM call ORDER BY scheduled_at, id").fetchall()
        return [_call(row) for row in rows]

    def put_call(self, call: Call) -> None:
        """Keep a call that is to be tried again."""
        with self._lock, transaction_of(self._connection):
            self._put(call)

    def end_call(self, call: Call) -> None:
        """It was made, or given up."""
        with self._lock, transaction_of(self._connection):
            self._connection.execute("DELETE FROM call WHERE id = ?", (call.id,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _put(self, call: Call) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO call VALUES (?, ?, ?, ?, ?)",
            (call.id, call.arn, call.scheduled_at.timestamp(), call.attempts, call.next_at.timestamp()),
        )


def _call(row: sqlite3.Row) -> Call:
    return Call(id=row[0], arn=row[1], scheduled_at=_moment(row[2]), attempts=row[3], next_at=_moment(row[4]))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
