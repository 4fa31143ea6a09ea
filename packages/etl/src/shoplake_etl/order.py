"""The order of all changes of one key as one text that sorts: epoch, kind, `_sequence` (docs/data-format.md section 2).

Worked out anew for bronze rows and for stored rows from the epochs known now.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.bronze import COMMITTED_AT_FORMAT, EpochRecord

__all__ = ["EPOCH_DIGITS", "change_order", "epoch_of", "load_order"]

EPOCH_DIGITS = 20
_BEFORE_ALL = "0" * EPOCH_DIGITS
_LOAD, _CHANGE = "0", "1"


def _instant(text: str) -> Column:
    return F.lit(text).cast("timestamp")


def _is_newer(record: EpochRecord, sequence: Column, committed_at: Column) -> Column:
    if record.sequence_floor:
        return sequence > record.sequence_floor
    start = datetime.strptime(record.started_at, COMMITTED_AT_FORMAT)  # noqa: DTZ007 - written back at once, in UTC
    since = start - timedelta(seconds=record.change_margin_seconds)
    return committed_at > _instant(since.strftime(COMMITTED_AT_FORMAT))


def change_order(epochs: Sequence[EpochRecord], *, sequence: Column, committed_at: Column) -> Column:
    """The sortable order of a row; null for a load row of no known epoch.

    Args:
        epochs: All records known, in any order.
        sequence: `_sequence`; null marks a load row.
        committed_at: `_committed_at` as a timestamp.

    """
    oldest_first = sorted(epochs, key=lambda record: record.epoch)
    change = F.lit(_BEFORE_ALL)
    load = F.lit(None).cast("string")
    for record in oldest_first:
        change = F.when(_is_newer(record, sequence, committed_at), F.lit(record.epoch)).otherwise(change)
        load = F.when(committed_at == _instant(record.started_at), F.lit(record.epoch)).otherwise(load)
    return F.when(sequence.isNull(), F.concat(load, F.lit(_LOAD))).otherwise(F.concat(change, F.lit(_CHANGE), sequence))


def load_order(epoch: str) -> str:
    """The order of every load row of that epoch."""
    return epoch + _LOAD


def epoch_of(order: Column) -> Column:
    """The epoch within an order."""
    return F.substring(order, 1, EPOCH_DIGITS)
