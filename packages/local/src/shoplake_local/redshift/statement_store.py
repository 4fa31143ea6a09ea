"""Every statement and its result, in SQLite, so that a restarted service still answers for them.

Each change is committed before the answer. A statement that was under way when the process died is FAILED at the next
start: PostgreSQL rolled its transaction back, or had committed it, and only the data can say which.
"""

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from shoplake_local.redshift.results import StatementResult

__all__ = ["ENDED", "StatementRecord", "StatementStore", "SubStatement"]

ENDED = frozenset({"FINISHED", "FAILED", "ABORTED"})
_RETENTION = timedelta(hours=24)  # of the Data API
_SWEEP_EVERY = timedelta(hours=1)
_LOST = "the local warehouse was stopped while the statement ran: whether it happened, only the data can say"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS statement (
  id TEXT PRIMARY KEY, created TEXT NOT NULL, token TEXT, request TEXT NOT NULL, batch INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS statement_token ON statement (token);
CREATE TABLE IF NOT EXISTS sub_statement (
  id TEXT NOT NULL, number INTEGER NOT NULL, sql TEXT NOT NULL, status TEXT NOT NULL, created TEXT NOT NULL,
  updated TEXT NOT NULL, error TEXT, rows INTEGER NOT NULL DEFAULT -1, size_bytes INTEGER NOT NULL DEFAULT 0,
  duration_ns INTEGER NOT NULL DEFAULT 0, columns TEXT, PRIMARY KEY (id, number)
);
CREATE TABLE IF NOT EXISTS page (id TEXT NOT NULL, number INTEGER NOT NULL, page INTEGER NOT NULL, records TEXT NOT NULL,
  PRIMARY KEY (id, number, page));
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubStatement:
    """One SQL statement of a request."""

    number: int
    sql: str
    status: str
    created: datetime
    updated: datetime
    error: str
    rows: int
    size_bytes: int
    duration_ns: int
    columns: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRecord:
    """One ExecuteStatement or BatchExecuteStatement.

    Attributes:
        id: The API's id.
        created: When it was submitted.
        token: The caller's ClientToken; "" for none.
        request: The request's members.
        batch: Whether it came as a batch.
        parts: Its statements, in order.

    """

    id: str
    created: datetime
    token: str
    request: dict[str, Any]
    batch: bool
    parts: tuple[SubStatement, ...]

    @property
    def status(self) -> str:
        """The status of the whole: ended only when every statement has ended."""
        statuses = {part.status for part in self.parts}
        if not statuses <= ENDED:
            return "SUBMITTED" if statuses == {"SUBMITTED"} else "STARTED"
        return next(status for status in ("FAILED", "ABORTED", "FINISHED") if status in statuses)


class StatementStore:
    """The statements of one local warehouse."""

    def __init__(self, path: Path, *, now: datetime) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; a power cut may
        self._database.executescript(_SCHEMA)
        self._database.execute(
            "UPDATE sub_statement SET status = 'FAILED', error = ?, updated = ? WHERE id IN "
            "(SELECT id FROM sub_statement WHERE status IN ('SUBMITTED', 'STARTED'))",
            (_LOST, now.isoformat()),
        )
        self.forget_old(now)

    def forget_old(self, now: datetime) -> None:
        """Delete what the Data API would no longer know."""
        with self._lock:
            self._swept = now
            horizon = (now - _RETENTION).isoformat()
            for table in ("page", "sub_statement"):
                self._database.execute(
                    f"DELETE FROM {table} WHERE id IN (SELECT id FROM statement WHERE created < ?)", (horizon,)
                )
            self._database.execute("DELETE FROM statement WHERE created < ?", (horizon,))

    def add(
        self, identifier: str, sqls: Sequence[str], *, request: Mapping[str, Any], batch: bool, now: datetime
    ) -> StatementRecord:
        """The new statement, or the earlier one of the same ClientToken."""
        token, at = str(request.get("ClientToken", "")), now.isoformat()
        with self._lock:
            if now - self._swept > _SWEEP_EVERY:
                self.forget_old(now)
            earlier = (
                self._database.execute("SELECT id FROM statement WHERE token = ?", (token,)).fetchone()
                if token
                else None
            )
            if earlier is not None:
                return self.get(earlier[0])
            self._database.execute("BEGIN")
            self._database.execute(
                "INSERT INTO statement VALUES (?, ?, ?, ?, ?)",
                (identifier, at, token, json.dumps(dict(request)), batch),
            )
            self._database.executemany(
                "INSERT INTO sub_statement (id, number, sql, status, created, updated) VALUES (?, ?, ?, 'SUBMITTED', ?, ?)",
                [(identifier, number, sql, at, at) for number, sql in enumerate(sqls, start=1)],
            )
            self._database.execute("COMMIT")
            return self.get(identifier)

    def get(self, identifier: str) -> StatementRecord:
        """The statement of that id (KeyError if there is none)."""
        with self._lock:
            row = self._database.execute(
                "SELECT id, created, token, request, batch FROM statement WHERE id = ?", (identifier,)
            ).fetchone()
            if row is None:
                raise KeyError(identifier)
            parts = self._database.execute(
                "SELECT number, sql, status, created, updated, error, rows, size_bytes, duration_ns, columns "
                "FROM sub_statement WHERE id = ? ORDER BY number",
                (identifier,),
            ).fetchall()
        return StatementRecord(
            id=row[0],
            created=datetime.fromisoformat(row[1]),
            token=row[2],
            request=json.loads(row[3]),
            batch=bool(row[4]),
            parts=tuple(
                SubStatement(
                    number=p[0],
                    sql=p[1],
                    status=p[2],
                    created=datetime.fromisoformat(p[3]),
                    updated=datetime.fromisoformat(p[4]),
                    error=p[5] or "",
                    rows=p[6],
                    size_bytes=p[7],
                    duration_ns=p[8],
                    columns=json.loads(p[9]) if p[9] else None,
                )
                for p in parts
            ),
        )

    def newest(self) -> list[StatementRecord]:
        """Every statement, newest first."""
        with self._lock:
            rows = self._database.execute("SELECT id FROM statement ORDER BY created DESC, rowid DESC").fetchall()
            return [self.get(row[0]) for row in rows]

    def move(
        self,
        identifier: str,
        numbers: Sequence[int],
        status: str,
        *,
        now: datetime,
        error: str = "",
        duration_ns: int = 0,
    ) -> bool:
        """Whether those statements moved to `status`; one that has ended moves no more."""
        with self._changed:
            self._database.execute("BEGIN")
            moved = 0
            for number in numbers:
                moved += self._database.execute(
                    "UPDATE sub_statement SET status = ?, updated = ?, error = ?, duration_ns = ? WHERE id = ? AND number = ? "
                    "AND status IN ('SUBMITTED', 'STARTED')",
                    (status, now.isoformat(), error, duration_ns, identifier, number),
                ).rowcount
            self._database.execute("COMMIT")
            self._changed.notify_all()
            return moved == len(numbers)

    def finish(self, identifier: str, results: Mapping[int, tuple[StatementResult, int]], *, now: datetime) -> None:
        """Record results (number -> result and nanoseconds) and FINISHED of all those statements at once."""
        with self._changed:
            self._database.execute("BEGIN")
            for number, (result, duration_ns) in results.items():
                self._database.execute(
                    "UPDATE sub_statement SET status = 'FINISHED', updated = ?, rows = ?, size_bytes = ?, duration_ns = ?, "
                    "columns = ? WHERE id = ? AND number = ?",
                    (
                        now.isoformat(),
                        result.rows,
                        result.size_bytes,
                        duration_ns,
                        None if result.columns is None else json.dumps(result.columns),
                        identifier,
                        number,
                    ),
                )
                self._database.executemany(
                    "INSERT OR REPLACE INTO page VALUES (?, ?, ?, ?)",
                    [(identifier, number, page, records) for page, records in enumerate(result.pages)],
                )
            self._database.execute("COMMIT")
            self._changed.notify_all()

    def page(self, identifier: str, number: int, page: int) -> tuple[list[Any], bool]:
        """The records of a result's page, and whether another follows."""
        with self._lock:
            row = self._database.execute(
                "SELECT records, EXISTS (SELECT 1 FROM page q WHERE q.id = p.id AND q.number = p.number AND q.page = p.page + 1)"
                " FROM page p WHERE id = ? AND number = ? AND page = ?",
                (identifier, number, page),
            ).fetchone()
        return ([], False) if row is None else (json.loads(row[0]), bool(row[1]))

    def wait_until_ended(self, identifier: str, timeout_seconds: float) -> None:
        """Return when the statement has ended, or after the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self.get(identifier).status in ENDED, timeout_seconds)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()
