"""The order of all changes of one key: (epoch, kind, `_sequence`), as docs/data-format.md section 2 says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from shoplake_core.bronze import COMMITTED_AT_FORMAT, EpochRecord

from shoplake_reconciliation.arrow import Column, pc

__all__ = ["BEFORE_EVERYTHING", "ChangeOrder", "change_orders", "moments_of", "newest_rows"]

BEFORE_EVERYTHING = -1  # epoch of a change that is older than every known load
_MOMENT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """The order of each row of a table; greater is newer.

    Attributes:
        epoch: Index of the epoch among the known records, int64.
        sequence: 35 digits of a change, "" for a load row (older than every change of its epoch); fixed-width bytes.

    """

    epoch: np.ndarray
    sequence: np.ndarray

    def newer_than(self, other: "ChangeOrder") -> np.ndarray:
        """Per row, whether it is newer than the row of `other` at the same place."""
        later = (self.epoch == other.epoch) & (self.sequence > other.sequence)
        return np.asarray((self.epoch > other.epoch) | later)

    def take(self, rows: np.ndarray) -> "ChangeOrder":
        """The orders of some rows."""
        return ChangeOrder(self.epoch[rows], self.sequence[rows])


def _started(record: EpochRecord) -> datetime:
    return datetime.strptime(record.started_at, COMMITTED_AT_FORMAT).replace(tzinfo=UTC)


def moments_of(committed_at: Column) -> Column:
    """`_committed_at` as instants: bronze holds a text, silver a timestamp."""
    if pa.types.is_timestamp(committed_at.type):
        zoned = committed_at if committed_at.type.tz else pc.assume_timezone(committed_at, "UTC")
    else:
        zoned = pc.assume_timezone(pc.cast(committed_at, pa.timestamp("us")), "UTC")
    moments: Column = pc.cast(zoned, _MOMENT)
    return moments


def change_orders(sequence: Column, committed_at: Column, records: Sequence[EpochRecord]) -> ChangeOrder:
    """The order of each row.

    Args:
        sequence: `_sequence`, null for load rows.
        committed_at: `_committed_at`, as text or timestamp.
        records: The table's epoch records, oldest first.

    """
    moments = moments_of(committed_at)
    is_load = np.asarray(pc.is_null(sequence).to_numpy(zero_copy_only=False)) if len(sequence) else np.zeros(0, bool)
    epoch = np.full(len(sequence), BEFORE_EVERYTHING, np.int64)
    for index, record in enumerate(records):
        started = _started(record)
        loaded = pc.equal(moments, pa.scalar(started, _MOMENT))
        if record.sequence_floor:
            newer = pc.greater(sequence, record.sequence_floor)
        else:
            margin = timedelta(seconds=record.change_margin_seconds)
            newer = pc.greater(moments, pa.scalar(started - margin, _MOMENT))
        belongs = pc.if_else(pc.is_null(sequence), loaded, newer)
        epoch[np.asarray(pc.fill_null(belongs, False).to_numpy(zero_copy_only=False), bool)] = index
    digits = np.array(pc.fill_null(sequence, "").to_pylist(), dtype="S35") if len(sequence) else np.zeros(0, "S35")
    return ChangeOrder(epoch, np.where(is_load, b"", digits))


def newest_rows(codes: np.ndarray, order: ChangeOrder) -> np.ndarray:
    """Row numbers of the newest row of each code, in the order of the codes.

    Args:
        codes: Per row a number that stands for its key.
        order: Per row its order.

    """
    by_order = np.lexsort((order.sequence, order.epoch, codes))
    last = np.append(codes[by_order][1:] != codes[by_order][:-1], True) if len(codes) else np.zeros(0, bool)
    return np.asarray(by_order[last])
