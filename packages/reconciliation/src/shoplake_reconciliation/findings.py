"""What a comparison can find, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from shoplake_reconciliation.key_ranges import KeyRange, exact_difference

__all__ = ["Finding", "FindingKind", "SumDifference", "number_text"]


class FindingKind(Enum):
    """How two layers differ. Each of them makes a run fail."""

    LOST = "lost_row"
    GHOST = "ghost_row"
    WRONG = "wrong_value"
    MISSING = "missing_table"
    UNPROVEN = "unproven"


def number_text(value: Decimal) -> str:
    """The number as plain digits, never in exponent form."""
    return format(value, "f")


@dataclass(frozen=True, slots=True)
class SumDifference:
    """One column whose sums differ.

    Attributes:
        column: Its name on the expected side.
        expected: The sum that the layer before holds.
        found: The sum that this layer holds.

    """

    column: str
    expected: Decimal
    found: Decimal

    @property
    def difference(self) -> Decimal:
        """`found` - `expected`, exactly."""
        return exact_difference(self.expected, self.found)

    def as_json(self) -> dict[str, Any]:
        """The difference as JSON values; numbers are texts, so that no reader rounds them."""
        return {
            "column": self.column,
            "expected": number_text(self.expected),
            "found": number_text(self.found),
            "difference": number_text(self.difference),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference between two layers of one table, within one key range.

    Attributes:
        kind: How they differ.
        table: The source table's name in silver.
        expected_in: The layer whose numbers are expected: mysql, silver, gold.
        found_in: The layer that is compared with it: silver, quarantine, gold, warehouse.
        key_range: Where; None where the table was compared as a whole.
        keys: Keys concerned, the first of them (column -> value).
        key_count: How many keys are concerned.
        expected_rows: Rows of the range in the expected layer; None where rows were not counted.
        found_rows: Rows of the range in the other layer.
        sums: Columns whose sums differ within the range.
        columns: Columns that hold other values, as far as known.
        message: What a reader should know beyond the numbers; "" where they say it all.

    """

    kind: FindingKind
    table: str
    expected_in: str
    found_in: str
    key_range: KeyRange | None = None
    keys: tuple[Mapping[str, Any], ...] = ()
    key_count: int = 0
    expected_rows: int | None = None
    found_rows: int | None = None
    sums: tuple[SumDifference, ...] = ()
    columns: tuple[str, ...] = field(default=())
    message: str = ""

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return {
            "kind": self.kind.value,
            "table": self.table,
            "expected_in": self.expected_in,
            "found_in": self.found_in,
            "key_range": None if self.key_range is None else self.key_range.as_json(),
            "key_range_text": "" if self.key_range is None else str(self.key_range),
            "keys": [{name: _plain(value) for name, value in key.items()} for key in self.keys],
            "key_count": self.key_count,
            "expected_rows": self.expected_rows,
            "found_rows": self.found_rows,
            "sums": [difference.as_json() for difference in self.sums],
            "columns": list(self.columns),
            "message": self.message,
        }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else number_text(value)
    return value if value is None or isinstance(value, int | str) else str(value)
