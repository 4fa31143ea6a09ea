"""Which changes belong to a cut of MySQL. Pure."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
from shoplake_core.bronze import EpochRecord
from shoplake_core.errors import SourceError
from shoplake_core.sequences import lineage_digits_of, parse_binlog_position, sequence_at

from shoplake_reconciliation.arrow import as_arrow, pc
from shoplake_reconciliation.change_order import moments_of

__all__ = ["BY_TIME", "EXACT", "changes_up_to", "cut_sequence"]

EXACT = "exact"
BY_TIME = "by time"  # DMS without stream positions: commit times have whole seconds
_PLACE = r"^[^:]*\.(?P<file>[0-9]+):(?P<offset>[0-9]+)"


def cut_sequence(position: str, lineage: str, records: Sequence[EpochRecord]) -> str:
    """The greatest `_sequence` that a change at or before `position` can have; "" where no load of ours knows one.

    Args:
        position: The cut in the binlog.
        lineage: The server that the position was read from; "" where it has no name.
        records: The table's epoch records, oldest first.

    Raises:
        SourceError: The newest load was read from another server.

    """
    if not records or not records[-1].sequence_floor:
        return ""
    newest = records[-1]
    if lineage and newest.lineage and lineage != newest.lineage:
        raise SourceError(
            f"{newest.schema}.{newest.table} was loaded from server {newest.lineage} and this is server {lineage}: "
            "their binlog positions cannot be compared",
            hint="reload the tables from this server, or point reconciliation at the one that bronze is filled from",
            table=newest.table,
        )
    return sequence_at(lineage_digits_of(newest.sequence_floor), parse_binlog_position(position))


def changes_up_to(changes: pa.Table, *, sequence: str, position: str, taken_at: datetime) -> tuple[pa.Table, str]:
    """The change rows that belong to the cut, and what that rests on: EXACT or BY_TIME.

    Args:
        changes: Rows of change files.
        sequence: `cut_sequence`; "" for DMS, whose sequences name no place in the binlog.
        position: The cut in the binlog.
        taken_at: The source's clock at the cut.

    """
    if sequence:
        return changes.filter(pc.less_equal(changes["_sequence"], sequence)), EXACT
    place = parse_binlog_position(position)
    found = pc.extract_regex(changes["_stream_position"], pattern=_PLACE) if changes.num_rows else None
    if found is not None and found.null_count == 0:
        file, offset = (pc.cast(pc.struct_field(found, part), pa.int64()).to_numpy() for part in ("file", "offset"))
        inside = (file < place.file_number) | ((file == place.file_number) & (offset <= place.offset))
        return changes.filter(as_arrow(np.asarray(inside))), EXACT
    moments = moments_of(changes["_committed_at"])
    inside = pc.less_equal(moments, pa.scalar(taken_at, pa.timestamp("us", tz="UTC")))
    return changes.filter(inside), BY_TIME if changes.num_rows else EXACT
