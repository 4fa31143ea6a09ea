"""One connection's transactions, with a count of the rows that each committed one changed."""

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import Any

from pymysql.connections import Connection

from shoplake_datagen.ledger import LedgerEntry

__all__ = ["Change", "Session"]


class Change(Enum):
    """What happened to a row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class Session:
    """A connection inside the shop's schema. Counts and ledger entries hold only what was committed."""

    def __init__(self, connection: "Connection[Any]") -> None:
        self.connection = connection
        self.committed_rows: Counter[tuple[str, Change]] = Counter()
        self.committed_faults: list[LedgerEntry] = []
        self.newest_order_id = 0
        self._rows: Counter[tuple[str, Change]] = Counter()
        self._faults: list[LedgerEntry] = []
        self._saved: Counter[tuple[str, Change]] = Counter()

    def rows(self, sql: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, tuple(arguments))
            return list(cursor.fetchall())

    def change(self, table: str, change: Change, sql: str, arguments: Sequence[Any] = ()) -> int:
        """Run one statement that changes `table`; the rows that it changed."""
        with self.connection.cursor() as cursor:
            count = int(cursor.execute(sql, tuple(arguments)))
        self._rows[table, change] += count
        return count

    def insert(self, table: str, values: dict[str, Any]) -> int:
        """Insert one row; the key that AUTO_INCREMENT gave it (0 without one)."""
        columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
        with self.connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", tuple(values.values()))
            self._rows[table, Change.INSERT] += 1
            return int(cursor.lastrowid or 0)

    def upsert(self, table: str, sql: str, arguments: Sequence[Any]) -> None:
        """Run INSERT ... ON DUPLICATE KEY UPDATE of one row: MySQL says 1 for a new row, 2 for a changed one."""
        with self.connection.cursor() as cursor:
            told = int(cursor.execute(sql, tuple(arguments)))
        if told:
            self._rows[table, Change.INSERT if told == 1 else Change.UPDATE] += 1

    def planted(self, entry: LedgerEntry) -> None:
        """Keep the ledger entry if this transaction commits."""
        self._faults.append(entry)

    def begin(self) -> None:
        """Start a transaction."""
        self._rows.clear()
        self._faults.clear()
        self.connection.begin()

    def commit(self) -> None:
        """End the transaction; its changes count from now on."""
        self.connection.commit()
        self.committed_rows += self._rows
        self.committed_faults += self._faults
        self._rows.clear()
        self._faults.clear()

    def rollback(self) -> None:
        """End the transaction without a trace."""
        self._rows.clear()
        self._faults.clear()
        self.connection.rollback()

    def savepoint(self) -> None:
        """Mark a place to come back to."""
        with self.connection.cursor() as cursor:
            cursor.execute("SAVEPOINT before_second_thoughts")
        self._saved = self._rows.copy()

    def rollback_to_savepoint(self) -> None:
        """Undo what came after the savepoint."""
        with self.connection.cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT before_second_thoughts")
        self._rows = self._saved.copy()
