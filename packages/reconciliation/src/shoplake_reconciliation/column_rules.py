"""The contract's rules for one column, over Arrow arrays. The meaning is `shoplake_core.cleaning`; this module must not
know Spark: reconciliation proves what Spark did by doing it a second time in another way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from shoplake_core.cleaning import DATE_FORMATS, PATTERNS, TRIM_CHARACTERS, Rule
from shoplake_core.contracts import CaseFold, ColumnContract, Pii, Violation
from shoplake_core.errors import ContractError
from shoplake_core.logical_types import Kind, LogicalType
from shoplake_core.masking import MaskingKey

from shoplake_reconciliation.arrow import Values, as_arrow, pc
from shoplake_reconciliation.arrow_masking import masked
from shoplake_reconciliation.stored_types import stored_arrow_type

__all__ = ["CleanedColumn", "cleaned_column"]

_MONTHS_BEFORE_1970 = 1970 * 12


@dataclass(frozen=True, slots=True)
class CleanedColumn:
    """One column after its rules.

    Attributes:
        values: In the stored type, PII masked.
        violations: Rule -> which rows it refuses; only rules that put a row into quarantine.

    """

    values: Values
    violations: Mapping[Rule, np.ndarray]


def _mask(array: Values) -> np.ndarray:
    """The booleans of `array`, null counted as false."""
    return np.asarray(pc.fill_null(array, False).to_numpy(zero_copy_only=False), dtype=bool)


def _cleaned_text(array: Values, column: ColumnContract) -> Values:
    if column.trim:
        array = pc.utf8_trim(array, characters=TRIM_CHARACTERS)
    if column.case is CaseFold.LOWER:
        array = pc.ascii_lower(array)
    elif column.case is CaseFold.UPPER:
        array = pc.ascii_upper(array)
    if column.blank_is_null:
        array = pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)
    return array


def _named_groups(name: str) -> str:
    """The format's expression with its groups named, as Arrow wants them."""
    expression, groups = DATE_FORMATS[name]
    for group in groups:
        expression = expression.replace("([", f"(?P<{group}>[", 1)
    return f"^(?:{expression})$"


def _days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970-01-01 of each triple, and which triples are real days of the years 1 to 9999."""
    plausible = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(plausible, year * 12 + month - 1 - _MONTHS_BEFORE_1970, 0)
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    next_first = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    days = first + np.where(plausible, day - 1, 0)
    return days, plausible & (days < next_first)


def _parsed_dates(array: Values, formats: tuple[str, ...]) -> tuple[Values, np.ndarray]:
    """The dates of the texts, and which texts are none. The first format that matches the whole text decides."""
    undecided = _mask(pc.is_valid(array))
    days, parsed = np.zeros(len(array), np.int64), np.zeros(len(array), bool)
    for name in formats:
        parts = pc.extract_regex(array, pattern=_named_groups(name))
        matched = undecided & _mask(pc.is_valid(parts))
        undecided &= ~matched
        rows = np.flatnonzero(matched)
        if not len(rows):
            continue
        found = parts.take(as_arrow(rows))
        year, month, day = (
            pc.cast(pc.struct_field(found, group), pa.int64()).to_numpy(zero_copy_only=False)
            for group in ("year", "month", "day")
        )
        days[rows], parsed[rows] = _days(year, month, day)
    dates = pa.array(days.astype(np.int32), pa.int32(), mask=~parsed).cast(pa.date32())
    return dates, _mask(pc.is_valid(array)) & ~parsed


def _typed(array: Values, logical: LogicalType) -> Values:
    """The bronze values in the type that silver stores `logical` in (before masking)."""
    target = stored_arrow_type(logical)
    if logical.kind is Kind.BOOLEAN and pa.types.is_integer(array.type):
        is_true: Values = pc.not_equal(array, pa.scalar(0, array.type))
        return is_true
    if array.type == target:
        return array
    if _is_text(array.type) != _is_text(target):  # a number written as text is another source than the contract says
        raise pa.ArrowTypeError(f"found {array.type}")
    if pa.types.is_integer(array.type) and pa.types.is_decimal(target):
        array = pc.cast(array, pa.decimal128(20, 0))
    typed: Values = pc.cast(array, target)
    return typed


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _limit(text: str, logical: LogicalType) -> "pa.Scalar[Any]":
    """A minimum, maximum or accepted value written in a contract, as a value of the stored type."""
    target = stored_arrow_type(logical)
    if logical.kind is Kind.DATE:
        return pa.scalar(date.fromisoformat(text), target)
    if logical.kind in {Kind.DATETIME, Kind.TIMESTAMP}:
        moment = datetime.fromisoformat(text)
        if logical.kind is Kind.TIMESTAMP and moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return pa.scalar(moment, target)
    if logical.kind is Kind.FLOAT64:
        return pa.scalar(float(text), target)
    if logical.kind is Kind.BOOLEAN:
        return pa.scalar(text == "true", target)
    if logical.is_numeric:
        return pa.scalar(Decimal(text))
    return pa.scalar(text, target)


def _comparable(array: Values, logical: LogicalType) -> Values:
    """Whole numbers as decimals, so that a limit of any size and scale compares exactly."""
    return pc.cast(array, pa.decimal128(19, 0)) if pa.types.is_integer(array.type) and logical.is_integer else array


def _checks(values: Values, column: ColumnContract) -> Iterator[tuple[Rule, np.ndarray]]:
    """Which values break each check of the column but `null` and `format`."""
    if column.accepted:
        accepted = [_limit(str(text), column.type) for text in column.accepted]
        right = np.zeros(len(values), bool)
        for value in accepted:
            right |= _mask(pc.equal(_comparable(values, column.type), value))
        yield Rule.ACCEPTED, _mask(pc.is_valid(values)) & ~right
    if column.pattern:
        yield Rule.PATTERN, _mask(pc.invert(pc.match_substring_regex(values, f"^(?:{PATTERNS[column.pattern]})$")))
    if column.minimum:
        yield Rule.MINIMUM, _mask(pc.less(_comparable(values, column.type), _limit(column.minimum, column.type)))
    if column.maximum:
        yield Rule.MAXIMUM, _mask(pc.greater(_comparable(values, column.type), _limit(column.maximum, column.type)))


def cleaned_column(array: Values, column: ColumnContract, key: MaskingKey) -> CleanedColumn:
    """The column after trim, case, blank, parse, check and mask.

    Args:
        array: One column of bronze, in the types of docs/data-format.md section 1.
        column: Its contract.
        key: The masking key; used where the column is PII.

    Raises:
        ContractError: The values cannot be carried into the contract's type exactly.

    """
    violations: dict[Rule, np.ndarray] = {}
    try:
        values = _typed(array, column.source_type)
        if column.source_type.is_text:
            values = _cleaned_text(values, column)
        if column.formats:
            values, violations[Rule.FORMAT] = _parsed_dates(values, column.formats)
    except pa.ArrowException as error:
        raise ContractError(
            f"column {column.source_name} is {array.type} in the source and the contract says {column.source_type}: {error}",
            hint=f"correct type or source_type of columns.{column.name} in the contract",
            column=column.name,
        ) from error
    violations |= dict(_checks(values, column))
    if column.violation is Violation.NULL:
        wrong = np.logical_or.reduce([np.zeros(len(values), bool), *violations.values()])
        values = pc.if_else(pa.array(~wrong), values, pa.scalar(None, values.type))
        violations = {}
    if not column.nullable:
        unparsed = violations.get(Rule.FORMAT, np.zeros(len(values), bool))
        violations = {Rule.NULL: _mask(pc.is_null(values)) & ~unparsed} | violations
    if column.pii is not Pii.NONE:
        values = masked(values, key)
    return CleanedColumn(values, {rule: rows for rule, rows in violations.items() if rows.any()})
