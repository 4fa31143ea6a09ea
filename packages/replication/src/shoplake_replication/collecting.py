"""Committed transactions -> Arrow tables in a cut: decoded some megabytes at a time, a table at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shoplake_core.errors import SourceError

from shoplake_replication.change_rows import CommittedRows, HeaderNames, change_table
from shoplake_replication.cuts import CutBuilder
from shoplake_replication.header_columns import place_of
from shoplake_replication.table_mappings import TableRoute
from shoplake_replication.transactions import Committed

__all__ = ["CapturedTable", "ChangeCollector"]

_DECODE_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class CapturedTable:
    """What the decoder must know of a captured table.

    Attributes:
        route: Its names.
        names: Of its header columns.
        left_out: Its columns that are not captured.
        floor: Place of its load: rows before it are in the load.

    """

    route: TableRoute
    names: HeaderNames
    left_out: frozenset[str]
    floor: int


@dataclass(slots=True)
class _Pending:
    file: str
    file_number: int
    rows: list[CommittedRows]


class ChangeCollector:
    """Gathers rows events and decodes them into a cut.

    Args:
        cut: Where the tables go.
        lineage_digits: See `shoplake_core.sequences`.
        captured: By (schema, table); a table that is not there is passed over.
        stop_table: Called with (schema, table) whose rows cannot be decoded; it has to leave `captured`.

    """

    def __init__(
        self,
        cut: CutBuilder,
        lineage_digits: str,
        captured: Mapping[tuple[str, str], CapturedTable],
        stop_table: Callable[[str, str, SourceError], None],
    ) -> None:
        self._cut = cut
        self._lineage_digits = lineage_digits
        self._captured = captured
        self._stop_table = stop_table
        self._pending: dict[tuple[str, str], _Pending] = {}
        self._pending_bytes = 0
        self.total_bytes = 0

    def add(self, committed: Committed) -> None:
        """Add a committed transaction."""
        file, number = committed.end.file, committed.end.file_number
        for event in committed.rows:
            key = (event.table_map.schema, event.table_map.table)
            captured = self._captured.get(key)
            if captured is None or place_of(number, event.start) < captured.floor:
                continue
            pending = self._pending.get(key)
            if pending is not None and (pending.file != file or pending.rows[0].event.table_map is not event.table_map):
                self._decode(key)
                pending = None
            if pending is None:
                pending = self._pending[key] = _Pending(file, number, [])
            pending.rows.append(CommittedRows(event, committed.committed_microseconds))
            size = len(event.body)
            self._pending_bytes += size
            self.total_bytes += size
            if self._pending_bytes >= _DECODE_BYTES:
                self.decode_all()

    def decode_all(self) -> None:
        """Everything added is in the cut."""
        for key in list(self._pending):
            self._decode(key)
        self._pending_bytes = 0

    def _decode(self, key: tuple[str, str]) -> None:
        pending = self._pending.pop(key)
        captured = self._captured.get(key)
        if captured is None:
            return
        try:
            table, counts = change_table(
                pending.rows,
                file=pending.file,
                file_number=pending.file_number,
                lineage_digits=self._lineage_digits,
                names=captured.names,
                left_out=captured.left_out,
            )
        except SourceError as error:
            self._stop_table(*key, error)
            return
        if table.num_rows:
            self._cut.add(captured.route, table, counts)
