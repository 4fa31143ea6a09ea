"""Events -> committed transactions. Nothing of a transaction is seen before its commit; a large one waits on disk."""

import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from shoplake_core.errors import SourceError
from shoplake_core.sequences import BinlogPosition

from shoplake_replication.binlog_events import (
    IGNORABLE_FLAG,
    EventType,
    RawEvent,
    commit_microseconds,
    parse_query,
)
from shoplake_replication.errors import UnreadableEventError
from shoplake_replication.statements import Statement, StatementKind, classify_statement
from shoplake_replication.table_map import Dialect, TableMap, parse_table_map, table_name_of

__all__ = ["Committed", "DataDefinition", "RowsEvent", "TransactionReader", "UnreadableTable"]

_SECOND = 1_000_000
_STANDALONE = 1  # flag of MariaDB's GTID event: one statement, no transaction
_SPILLED = struct.Struct("<IcQHI")
_ROWS_EVENTS: dict[int, bytes] = {
    EventType.WRITE_ROWS_V1: b"I",
    EventType.UPDATE_ROWS_V1: b"U",
    EventType.DELETE_ROWS_V1: b"D",
    EventType.WRITE_ROWS_V2: b"I",
    EventType.UPDATE_ROWS_V2: b"U",
    EventType.DELETE_ROWS_V2: b"D",
}
# As plain numbers: these are compared for every event.
_FIRST_V2 = int(EventType.WRITE_ROWS_V2)
_TABLE_MAP, _XID, _MARIADB_GTID = int(EventType.TABLE_MAP), int(EventType.XID), int(EventType.MARIADB_GTID)
_GTIDS = frozenset({_MARIADB_GTID, *map(int, (EventType.GTID, EventType.ANONYMOUS_GTID, EventType.GTID_TAGGED))})
_PASSED_OVER = frozenset(
    {
        *(EventType.STOP, EventType.ROTATE, EventType.FORMAT_DESCRIPTION, EventType.ROWS_QUERY),
        *(EventType.PREVIOUS_GTIDS, EventType.TRANSACTION_CONTEXT, EventType.VIEW_CHANGE),
        *(EventType.MARIADB_ANNOTATE_ROWS, EventType.MARIADB_BINLOG_CHECKPOINT, EventType.MARIADB_GTID_LIST),
    }
)
_REFUSED = {
    EventType.TRANSACTION_PAYLOAD: ("a compressed transaction", "SET GLOBAL binlog_transaction_compression = OFF"),
    EventType.PARTIAL_UPDATE_ROWS: ("a partial JSON update", "SET GLOBAL binlog_row_value_options = ''"),
    EventType.MARIADB_QUERY_COMPRESSED: ("a compressed statement", "SET GLOBAL log_bin_compress = OFF"),
    EventType.MARIADB_WRITE_ROWS_COMPRESSED_V1: ("compressed rows", "SET GLOBAL log_bin_compress = OFF"),
    EventType.MARIADB_UPDATE_ROWS_COMPRESSED_V1: ("compressed rows", "SET GLOBAL log_bin_compress = OFF"),
    EventType.MARIADB_DELETE_ROWS_COMPRESSED_V1: ("compressed rows", "SET GLOBAL log_bin_compress = OFF"),
    EventType.MARIADB_START_ENCRYPTION: ("an encrypted binlog", "SET GLOBAL encrypt_binlog = OFF"),
    EventType.INCIDENT: ("an incident: the server itself lost events", "find its cause in the server's log"),
}


class RowsEvent(NamedTuple):
    """One rows event of a captured table.

    Attributes:
        table_map: Table and columns.
        operation: b"I", b"U" or b"D".
        start: Byte offset of the event in its file.
        rows_offset: Where in the body the first row begins.
        body: The event without header and checksum.

    """

    table_map: TableMap
    operation: bytes
    start: int
    rows_offset: int
    body: bytes


class _SpilledRows:
    """Rows events of one transaction in a temporary file, until its commit."""

    def __init__(self, folder: Path) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as the transaction
        self._maps: list[TableMap] = []

    def __bool__(self) -> bool:
        return True

    def extend(self, events: Sequence[RowsEvent]) -> None:
        """Add events behind those there are."""
        for event in events:
            if event.table_map not in self._maps:
                self._maps.append(event.table_map)
            index = self._maps.index(event.table_map)
            self._file.write(_SPILLED.pack(index, event.operation, event.start, event.rows_offset, len(event.body)))
            self._file.write(event.body)

    def __iter__(self) -> Iterator[RowsEvent]:
        self._file.seek(0)
        while header := self._file.read(_SPILLED.size):
            index, operation, start, rows_offset, length = _SPILLED.unpack(header)
            yield RowsEvent(self._maps[index], operation, start, rows_offset, self._file.read(length))
        self._file.close()


class Committed(NamedTuple):
    """A committed transaction, or a place outside any: everything before `end` is complete.

    Attributes:
        rows: Rows events of captured tables, to be read once; empty for none.
        committed_microseconds: Commit time by the source's clock, since 1970.
        end: Where the next transaction begins.

    """

    rows: "Sequence[RowsEvent] | _SpilledRows"
    committed_microseconds: int
    end: BinlogPosition


@dataclass(frozen=True, slots=True)
class DataDefinition:
    """A statement that emptied, renamed or altered tables.

    Attributes:
        statement: What it did.
        start: Where it stands.
        end: Where the next transaction begins; None inside one.

    """

    statement: Statement
    start: BinlogPosition
    end: BinlogPosition | None


@dataclass(frozen=True, slots=True)
class UnreadableTable:
    """Rows of a captured table that cannot be read: that table stops, the others go on."""

    schema: str
    table: str
    error: SourceError


class TransactionReader:
    """Puts events together to transactions.

    Args:
        wanted: Whether a table is captured.
        dialect: Of the server that writes the binlog.
        spill_folder: Where transactions over `memory_bytes` wait for their commit.
        memory_bytes: Rows of one transaction that are kept in memory.

    """

    def __init__(
        self,
        wanted: Callable[[str, str], bool],
        dialect: Dialect,
        *,
        spill_folder: Path,
        memory_bytes: int,
    ) -> None:
        self._wanted = wanted
        self._dialect = dialect
        self._spill_folder = spill_folder
        self._memory_bytes = memory_bytes
        self._parsed: dict[bytes, TableMap | None] = {}
        self._maps: dict[bytes, TableMap | None] = {}
        self._rows: list[RowsEvent] = []
        self._rows_bytes = 0
        self._spilled: _SpilledRows | None = None
        self._open = False
        self._commit_microseconds = 0
        self._unreadable: list[UnreadableTable] = []

    def forget_tables(self) -> None:
        """What is captured has changed: every table is asked for anew."""
        self._parsed.clear()

    def read(self, event: RawEvent) -> Committed | DataDefinition | None:
        """What the event completes, if anything.

        Raises:
            UnreadableEventError: It cannot be carried on exactly.

        """
        kind = event.type
        if kind == _TABLE_MAP:
            body = event.body
            self._maps[body[:6]] = self._table_map(body[6:])
            return None
        if kind in _ROWS_EVENTS:
            self._add_rows(event)
            return None
        if kind == _XID:
            return self._commit(event)
        if kind in _GTIDS:
            self._begin(event)
            return None
        if kind == EventType.QUERY:
            return self._query(event)
        if kind == EventType.XA_PREPARE:
            return self._prepared(event)
        if kind in _PASSED_OVER or (event.flags & IGNORABLE_FLAG and kind not in _REFUSED):
            return None if self._open or self._has_rows else Committed((), 0, _at(event, event.end))
        what, hint = _REFUSED.get(kind, (f"an event of type {kind}, which is not known here", "reload every table"))  # type: ignore[call-overload]  # plain ints are looked up among IntEnum members
        raise UnreadableEventError(
            f"the binlog holds {what} at {_at(event, event.start)}",
            hint=f"{hint}; then reload every table",
            position=str(_at(event, event.start)),
            event_type=kind,
        )

    def _begin(self, event: RawEvent) -> None:
        self._maps.clear()
        self._commit_microseconds = 0
        if event.type == _MARIADB_GTID:
            self._open = not event.body[12] & _STANDALONE  # stands for BEGIN
        elif event.type != EventType.GTID_TAGGED:
            self._commit_microseconds = commit_microseconds(event.body)

    def take_unreadable(self) -> list[UnreadableTable]:
        """Tables found unreadable since the last call."""
        found, self._unreadable = self._unreadable, []
        return found

    def _table_map(self, body: bytes) -> TableMap | None:
        if body in self._parsed:
            return self._parsed[body]
        schema, table, _ = table_name_of(body)
        parsed = None
        if self._wanted(schema, table):
            try:
                parsed = parse_table_map(body, self._dialect)
            except SourceError as error:
                self._unreadable.append(UnreadableTable(schema, table, error))
        self._parsed[body] = parsed
        return parsed

    def _add_rows(self, event: RawEvent) -> None:
        body = event.body
        table_id = body[:6]
        try:
            table_map = self._maps[table_id]
        except KeyError:
            raise UnreadableEventError(
                f"rows without their table's description at {_at(event, event.start)}",
                hint="the saved position is inside a transaction: reload every table",
                position=str(_at(event, event.start)),
            ) from None
        if table_map is None:
            return
        place = 8
        if event.type >= _FIRST_V2:
            place += int.from_bytes(body[8:10], "little")
        count = body[place]
        place += 1
        if count >= 251:
            width = {252: 2, 253: 3, 254: 8}[count]
            count = int.from_bytes(body[place : place + width], "little")
            place += width
        operation = _ROWS_EVENTS[event.type]
        present_bytes = (count + 7) // 8
        bitmaps = 2 if operation == b"U" else 1
        for _ in range(bitmaps):
            present = int.from_bytes(body[place : place + present_bytes], "little") & ((1 << count) - 1)
            if present != (1 << count) - 1 or count != len(table_map.columns):
                self._unreadable.append(
                    UnreadableTable(table_map.schema, table_map.table, _partial_image(table_map, event))
                )
                return
            place += present_bytes
        self._rows.append(RowsEvent(table_map, operation, event.start, place, body))
        self._rows_bytes += len(body)
        if self._rows_bytes > self._memory_bytes:
            self._spilled = self._spilled or _SpilledRows(self._spill_folder)
            self._spilled.extend(self._rows)
            self._rows.clear()
            self._rows_bytes = 0

    def _commit(self, event: RawEvent) -> Committed:
        rows: Sequence[RowsEvent] | _SpilledRows = self._rows
        if self._spilled is not None:
            self._spilled.extend(self._rows)
            rows = self._spilled
        committed_microseconds = self._commit_microseconds or event.timestamp * _SECOND
        committed = Committed(rows, committed_microseconds, _at(event, event.end))
        self._reset()
        return committed

    @property
    def _has_rows(self) -> bool:
        return bool(self._rows) or self._spilled is not None

    def _reset(self) -> None:
        if self._rows:
            self._rows = []
        self._rows_bytes = 0
        self._spilled = None
        self._open = False
        self._commit_microseconds = 0

    def _query(self, event: RawEvent) -> Committed | DataDefinition | None:
        query = parse_query(event.body)
        statement = classify_statement(query.schema, query.sql)
        match statement.kind:
            case StatementKind.BEGIN:
                self._open = True
                return None
            case StatementKind.COMMIT:
                return self._commit(event)
            case StatementKind.ROLLBACK:
                self._reset()
                return Committed((), 0, _at(event, event.end))
            case StatementKind.ROWS_AS_STATEMENT:
                raise UnreadableEventError(
                    f"a statement changed rows and only its text is in the binlog at {_at(event, event.start)}: {statement.verb}",
                    hint="binlog_format must be ROW in every session (old sessions keep the old format: end them); then reload every table",
                    position=str(_at(event, event.start)),
                )
            case StatementKind.XA:
                if statement.verb in {"start", "begin"}:
                    self._open = True
                elif statement.verb == "rollback":
                    self._reset()
                return None if self._open else Committed((), 0, _at(event, event.end))
            case StatementKind.EMPTIED | StatementKind.ALTERED:
                end = None if self._open else _at(event, event.end)
                return DataDefinition(statement, _at(event, event.start), end)
            case StatementKind.NOTHING:
                return None if self._open else Committed((), 0, _at(event, event.end))

    def _prepared(self, event: RawEvent) -> Committed:
        one_phase = bool(event.body and event.body[0])
        if self._has_rows and not one_phase:
            raise UnreadableEventError(
                f"a prepared XA transaction changed captured tables at {_at(event, event.start)}: "
                "whether it was committed is not known yet",
                hint="commit without XA on captured tables; then reload every table",
                position=str(_at(event, event.start)),
            )
        return self._commit(event)


def _at(event: RawEvent, offset: int) -> BinlogPosition:
    return BinlogPosition(event.file_number, offset, event.file)


def _partial_image(table_map: TableMap, event: RawEvent) -> UnreadableEventError:
    return UnreadableEventError(
        f"rows of {table_map.schema}.{table_map.table} lack columns at {_at(event, event.start)}",
        hint="SET GLOBAL binlog_row_image = FULL, reconnect all writers, then reload the table",
        setting="binlog_row_image",
        position=str(_at(event, event.start)),
    )
