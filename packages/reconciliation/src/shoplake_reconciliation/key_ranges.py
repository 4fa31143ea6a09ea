"""Ranges of a table's leading key column, and the numbers of each range on one side.

The ranges are made once, from the source's keys, and every other side is cut at the same places. The first range is
open below and the last one above, so that a ghost beyond the source's keys falls into a range too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from shoplake_reconciliation.arrow import Column, as_arrow, pc
from shoplake_reconciliation.digests import exact_sums, is_summed, table_digests

__all__ = [
    "KeyRange",
    "KeyRanges",
    "RangeNumbers",
    "TableSide",
    "added_sums",
    "cuts_every",
    "exact_difference",
    "sortable",
    "table_side",
]


def sortable(column: Column) -> np.ndarray:
    """The values as numpy values in one order that every side shares (texts by code point, not by collation)."""
    kind = column.type
    if pa.types.is_decimal(kind) and kind.scale == 0 and kind.precision <= 20:  # unsigned bigint
        return np.asarray(pc.cast(column, pa.uint64()).to_numpy())
    if pa.types.is_integer(kind):
        return column.to_numpy()
    if pa.types.is_date32(kind):
        return np.asarray(pc.cast(column, pa.int32()).to_numpy())
    if pa.types.is_timestamp(kind):
        return np.asarray(pc.cast(column, pa.int64()).to_numpy())
    values = np.empty(len(column), object)
    values[:] = column.to_pylist()
    return values


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The keys whose leading column is at least `first` and below `before`; None is open.

    Attributes:
        column: The leading key column.
        first: Smallest value of the range.
        before: The range ends before this value.

    """

    column: str
    first: Any
    before: Any

    def __str__(self) -> str:
        low = "" if self.first is None else f"{self.first} <= "
        high = "" if self.before is None else f" < {self.before}"
        return f"{low}{self.column}{high}" if low or high else f"all {self.column}"

    def as_json(self) -> dict[str, Any]:
        """The range as JSON values."""
        return {"column": self.column, "first": _plain(self.first), "before": _plain(self.before)}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str) else str(value)


@dataclass(frozen=True, slots=True)
class KeyRanges:
    """How one table is cut.

    Attributes:
        column: The leading key column.
        cuts: Values (as `sortable` gives them) at which a new range begins, increasing.
        checked: Indexes of the ranges that this run compares.

    """

    column: str
    cuts: tuple[Any, ...]
    checked: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many ranges the table has."""
        return len(self.cuts) + 1

    @property
    def checks_all(self) -> bool:
        """Whether this run compares every range."""
        return len(self.checked) == self.count

    def index_of(self, keys: pa.Table) -> np.ndarray:
        """The range that each key falls into."""
        values = sortable(keys[self.column])
        if not self.cuts:
            return np.zeros(len(values), np.int64)
        cuts = np.array(self.cuts, dtype=values.dtype if values.dtype != object else object)
        return np.searchsorted(cuts, values, side="right")

    def within_checked(self, table: pa.Table) -> pa.Table:
        """The rows whose key falls into a checked range."""
        if self.checks_all:
            return table
        return table.filter(as_arrow(np.isin(self.index_of(table), self.checked)))

    def range_at(self, index: int) -> KeyRange:
        """The bounds of range `index`."""
        first = self.cuts[index - 1] if index else None
        return KeyRange(self.column, first, self.cuts[index] if index < len(self.cuts) else None)


def cuts_every(leading: np.ndarray, range_rows: int) -> tuple[Any, ...]:
    """Values at which ranges of about `range_rows` keys begin; keys of one leading value stay together.

    Args:
        leading: The leading key column, increasing.
        range_rows: Aimed-at number of rows of a range.

    """
    starts = leading[range_rows::range_rows]
    if not len(starts):
        return ()
    cuts = np.unique(starts)
    return tuple(value for value in cuts.tolist() if value != leading[0])


@dataclass(frozen=True, slots=True)
class RangeNumbers:
    """The numbers of one range on one side.

    Attributes:
        rows: Number of rows.
        digest: Sum of the row digests mod 2^64.
        column_digests: Column -> sum of its cells' digests mod 2^64: tells which column differs.
        sums: Column -> exact sum, for whole numbers and decimals that are no key.

    """

    rows: int
    digest: int
    column_digests: Mapping[str, int]
    sums: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class TableSide:
    """What one side holds of one table: keys, digests and sums, never a value of a person.

    Attributes:
        keys: The key columns of its rows, sorted by range.
        digests: uint64 row digest of each key.
        numbers: Numbers per checked range, in the order of `KeyRanges.checked`.
        refused: Key columns of the rows in quarantine.

    """

    keys: pa.Table
    digests: np.ndarray
    numbers: tuple[RangeNumbers, ...]
    refused: pa.Table

    @property
    def rows(self) -> int:
        """Number of rows in the checked ranges, quarantine not counted."""
        return self.keys.num_rows

    @property
    def sums(self) -> dict[str, Decimal]:
        """Column -> exact sum over the checked ranges."""
        return added_sums([numbers.sums for numbers in self.numbers])


def added_sums(parts: Sequence[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """The sums of several ranges added without rounding."""
    totals: dict[str, Decimal] = {}
    for name in parts[0] if parts else ():
        scale = -min(int(part[name].as_tuple().exponent) for part in parts)
        total = sum(_unscaled(part[name], scale) for part in parts)
        totals[name] = Decimal(f"{total}E{-scale}")
    return totals


def _unscaled(value: Decimal, scale: int) -> int:
    sign, digits, exponent = value.as_tuple()
    number = int("".join(map(str, digits))) * int(10 ** (int(exponent) + scale))
    return -number if sign else number


def exact_difference(expected: Decimal, found: Decimal) -> Decimal:
    """`found` - `expected` without rounding."""
    return added_sums([{"": found}, {"": expected.copy_negate()}])[""]


def table_side(rows: pa.Table, refused: pa.Table, key: tuple[str, ...], ranges: KeyRanges) -> TableSide:
    """The side of a table whose rows are given in full.

    Args:
        rows: The contract's columns in silver's types, in any order.
        refused: The key columns of the rows in quarantine.
        key: The table's key columns.
        ranges: How the table is cut; rows outside the checked ranges are passed over.

    """
    rows, refused = ranges.within_checked(rows), ranges.within_checked(refused)
    index = ranges.index_of(rows)
    order = np.argsort(index, kind="stable")
    if not np.array_equal(order, np.arange(len(order))):
        rows, index = rows.take(as_arrow(order)), index[order]
    digests = table_digests(rows, key)
    starts = np.searchsorted(index, np.array(ranges.checked, np.int64), side="left")
    row_totals = _wrapped_sums(digests.rows, starts)
    cell_totals = {name: _wrapped_sums(words, starts) for name, words in digests.cells.items()}
    sums = {
        name: exact_sums(rows[name], starts)
        for name in rows.column_names
        if name not in key and is_summed(rows.schema.field(name).type)
    }
    ends = np.append(starts[1:], rows.num_rows)
    numbers = tuple(
        RangeNumbers(
            rows=int(ends[i] - starts[i]),
            digest=row_totals[i],
            column_digests={name: totals[i] for name, totals in cell_totals.items()},
            sums={name: totals[i] for name, totals in sums.items()},
        )
        for i in range(len(starts))
    )
    return TableSide(rows.select(list(key)), digests.rows, numbers, refused.select(list(key)))


def _wrapped_sums(words: np.ndarray, starts: np.ndarray) -> list[int]:
    """The sum mod 2^64 of each slice; empty slices give 0."""
    running = np.concatenate((np.zeros(1, np.uint64), np.cumsum(words, dtype=np.uint64)))
    ends = np.append(starts[1:], len(words))
    return [int(value) for value in running[ends] - running[starts]]
