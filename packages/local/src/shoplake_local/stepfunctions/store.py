"""The SQLite file of Step Functions: machines, executions with the engine's place in each, and their history."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shoplake_local.sqlite_files import opened_database, transaction_of
from shoplake_local.stepfunctions.history import Event

__all__ = ["ExecutionRecord", "MachineRecord", "Store"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS machines (arn TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS executions (
    number INTEGER PRIMARY KEY,
    arn TEXT NOT NULL UNIQUE,
    machine_arn TEXT NOT NULL,
    status TEXT NOT NULL,
    document TEXT NOT NULL,
    place TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS executions_of_machine ON executions (machine_arn, status);
CREATE TABLE IF NOT EXISTS events (
    arn TEXT NOT NULL,
    id INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    type TEXT NOT NULL,
    at REAL NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (arn, id)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRecord:
    """A state machine. Times are epoch seconds; `extras` are logging and tracing configuration as given."""

    arn: str
    name: str
    definition: str
    role_arn: str
    created_at: float
    updated_at: float
    revision_id: str
    deleting: bool
    tags: dict[str, str]
    extras: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRecord:
    """An execution with the machine as it was when it started. Times are epoch seconds."""

    arn: str
    machine_arn: str
    name: str
    status: str
    input: str
    started_at: float
    definition: str
    role_arn: str
    machine_updated_at: float
    revision_id: str
    deadline: float | None
    stopped_at: float | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    redrive_count: int = 0
    redriven_at: float | None = None
    redrive_token: str | None = None


class Store:
    """One connection; a transaction is on disk before anybody hears of it."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = opened_database(path, _SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing; a block inside a block belongs to the outer one."""
        with self._lock, transaction_of(self._connection):
            yield

    def machine(self, arn: str) -> MachineRecord | None:
        """The machine, or None."""
        rows = self._rows("SELECT document FROM machines WHERE arn = ?", (arn,))
        return MachineRecord(**json.loads(rows[0][0])) if rows else None

    def machines(self) -> list[MachineRecord]:
        """All of them, by ARN."""
        rows = self._rows("SELECT document FROM machines ORDER BY arn", ())
        return [MachineRecord(**json.loads(row[0])) for row in rows]

    def put_machine(self, machine: MachineRecord) -> None:
        """Add or replace."""
        with self.transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO machines VALUES (?, ?)", (machine.arn, json.dumps(asdict(machine)))
            )

    def delete_machine(self, arn: str) -> None:
        """Forget the machine; its executions stay."""
        with self.transaction():
            self._connection.execute("DELETE FROM machines WHERE arn = ?", (arn,))

    def execution(self, arn: str) -> ExecutionRecord | None:
        """The execution, or None."""
        rows = self._rows("SELECT document FROM executions WHERE arn = ?", (arn,))
        return ExecutionRecord(**json.loads(rows[0][0])) if rows else None

    def executions(self, machine_arn: str | None = None, *, status: str | None = None) -> list[ExecutionRecord]:
        """The executions of a machine (or of all) in a status (or in any), newest first."""
        rows = self._rows(
            "SELECT document FROM executions WHERE (?1 IS NULL OR machine_arn = ?1) AND (?2 IS NULL OR status = ?2) "
            "ORDER BY number DESC",
            (machine_arn, status),
        )
        return [ExecutionRecord(**json.loads(row[0])) for row in rows]

    def place(self, arn: str) -> dict[str, Any]:
        """Where the engine is in the execution."""
        place: dict[str, Any] = json.loads(self._rows("SELECT place FROM executions WHERE arn = ?", (arn,))[0][0])
        return place

    def put_execution(self, execution: ExecutionRecord, place: Mapping[str, Any], *, events: Sequence[Event]) -> None:
        """One transition: the execution, the place, and the events that led there."""
        document = (execution.machine_arn, execution.status, json.dumps(asdict(execution)), json.dumps(place))
        with self.transaction():
            self._connection.execute(
                "INSERT INTO executions (arn, machine_arn, status, document, place) VALUES (?1, ?2, ?3, ?4, ?5) "
                "ON CONFLICT (arn) DO UPDATE SET status = ?3, document = ?4, place = ?5",
                (execution.arn, *document),
            )
            self._connection.executemany(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        execution.arn,
                        event.id,
                        event.previous,
                        event.type,
                        event.at.timestamp(),
                        json.dumps(event.details),
                    )
                    for event in events
                ],
            )

    def events(self, arn: str, *, start: int, count: int, newest_first: bool) -> list[Event]:
        """A page of the history, and one event more where there is one."""
        rows = self._rows(
            "SELECT id, previous, type, at, details FROM events WHERE arn = ? "
            f"ORDER BY id {'DESC' if newest_first else 'ASC'} LIMIT ? OFFSET ?",
            (arn, count + 1, start),
        )
        return [
            Event(row[0], row[1], row[2], datetime.fromtimestamp(row[3], tz=UTC), json.loads(row[4])) for row in rows
        ]

    def _rows(self, sql: str, parameters: tuple[Any, ...]) -> list[Any]:
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
