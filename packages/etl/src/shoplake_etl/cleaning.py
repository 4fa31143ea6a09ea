"""Contract rules as native Spark expressions, in the order and meaning of `shoplake_core.cleaning`.

No expression here can raise on a value: under ANSI rules an error would print the value that caused it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.cleaning import DATE_FORMATS, PATTERNS, TRIM_CHARACTERS, Rule
from shoplake_core.contracts import CaseFold, ColumnContract, Pii, Violation
from shoplake_core.logical_types import Kind

from shoplake_etl.spark_types import spark_type

__all__ = ["CleanedColumn", "check_column", "normalised", "parsed"]

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = _UPPER.lower()


def _whole(pattern: str) -> str:
    # \A and \z: Java's $ would let a closing line break pass
    return rf"\A(?:{pattern})\z"


def normalised(column: ColumnContract, source: Column) -> Column:
    """The value after trim, case and blank; of the source's type."""
    value = source
    if column.trim:
        value = F.btrim(value, F.lit(TRIM_CHARACTERS))
    if column.case is CaseFold.LOWER:
        value = F.translate(value, _UPPER, _LOWER)
    elif column.case is CaseFold.UPPER:
        value = F.translate(value, _LOWER, _UPPER)
    if column.blank_is_null:
        value = F.when(value != "", value)
    return value


def _date_of(text: Column, format_name: str) -> Column:
    pattern, groups = DATE_FORMATS[format_name]
    part = {name: F.regexp_extract(text, _whole(pattern), index + 1) for index, name in enumerate(groups)}
    padded = F.concat_ws("-", part["year"], F.lpad(part["month"], 2, "0"), F.lpad(part["day"], 2, "0"))
    # Spark has a year 0; no calendar of ours does
    return F.when(part["year"] != "0000", padded.try_cast("date"))


def parsed(column: ColumnContract, normal: Column) -> Column:
    """The value in the contract's type: a text by the first of its formats that matches the whole of it, or null."""
    if not column.formats:
        return normal
    value = F.lit(None).cast("date")
    for name in reversed(column.formats):
        value = F.when(normal.rlike(_whole(DATE_FORMATS[name][0])), _date_of(normal, name)).otherwise(value)
    return value


def _bound(column: ColumnContract, text: str) -> Column:
    if column.type.kind is Kind.DATE:
        return F.lit(date.fromisoformat(text))
    if column.type.kind in {Kind.DATETIME, Kind.TIMESTAMP}:
        return F.lit(text).cast(spark_type(column.type))
    return F.lit(Decimal(text))


def _violations(column: ColumnContract, normal: Column, value: Column) -> Iterable[tuple[Rule, Column]]:
    if column.formats:
        yield Rule.FORMAT, normal.isNotNull() & value.isNull()
    if not column.nullable:
        yield Rule.NULL, normal.isNull()
    if column.accepted:
        yield Rule.ACCEPTED, ~value.cast("string").isin([str(accepted) for accepted in column.accepted])
    if column.pattern:
        yield Rule.PATTERN, ~value.rlike(_whole(PATTERNS[column.pattern]))
    if column.minimum:
        yield Rule.MINIMUM, value < _bound(column, column.minimum)
    if column.maximum:
        yield Rule.MAXIMUM, value > _bound(column, column.maximum)


@dataclass(frozen=True, slots=True)
class CleanedColumn:
    """What silver and quarantine get of one column.

    Attributes:
        stored: The value in silver: checked and masked.
        shown: The value in quarantine: masked, and the unparsed text where it fits no format.
        reasons: One expression a rule, `<rule>:<column>` where it refuses the row, else null.

    """

    stored: Column
    shown: Column
    reasons: tuple[Column, ...]


def check_column(
    column: ColumnContract, *, normal: Column, value: Column, mask: Callable[[Column], Column]
) -> CleanedColumn:
    """The column after its checks.

    Args:
        column: Its contract.
        normal: What `normalised` gave.
        value: What `parsed` gave.
        mask: Applied to PII.

    """
    shown = F.coalesce(value.cast("string"), normal) if column.formats else value
    kept, reasons = value, []
    for rule, broken in _violations(column, normal, value):
        is_broken = F.coalesce(broken, F.lit(False))
        if column.violation is Violation.NULL and rule is not Rule.NULL:
            kept = F.when(~is_broken, kept)
        else:
            reasons.append(F.when(is_broken, F.lit(f"{rule.value}:{column.name}")))
    if column.pii is not Pii.NONE:
        kept, shown = mask(kept), mask(shown)
    return CleanedColumn(stored=kept.cast(spark_type(column.stored_type)), shown=shown, reasons=tuple(reasons))
