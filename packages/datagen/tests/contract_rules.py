"""The contract's cleaning rules applied one value at a time in plain Python: the oracle that the ledger is checked by."""

import re
from datetime import date, datetime
from decimal import Decimal

from shoplake_core.cleaning import DATE_FORMATS, PATTERNS, TRIM_CHARACTERS, Rule
from shoplake_core.contracts import CaseFold, ColumnContract, Violation
from shoplake_core.logical_types import Kind

LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def as_date(text, formats):
    for name in formats:
        pattern, groups = DATE_FORMATS[name]
        match = re.fullmatch(pattern, text)
        if match:
            parts = dict(zip(groups, map(int, match.groups()), strict=True))
            try:
                return date(parts["year"], parts["month"], parts["day"])
            except ValueError:
                continue
    return None


def clean(column: ColumnContract, value):
    """(cleaned value, None or the broken rule)."""
    if column.type.kind in {Kind.DATE, Kind.TIMESTAMP} and not column.formats and isinstance(value, str):
        value = None  # a zero date, which the driver hands on as text
    broken = None
    if isinstance(value, str):
        if column.trim:
            value = value.strip(TRIM_CHARACTERS)
        value = {CaseFold.LOWER: value.translate(LOWER), CaseFold.UPPER: value.translate(UPPER)}.get(column.case, value)
        if column.blank_is_null and value == "":
            value = None
    if column.formats and value is not None:
        parsed = as_date(value, column.formats)
        broken = Rule.FORMAT if parsed is None else None
        value = parsed
    if value is None and broken is None:
        return None, None if column.nullable else Rule.NULL
    broken = broken or checked(column, value)
    if broken and column.violation is Violation.NULL:
        return None, None if column.nullable else Rule.NULL
    return value, broken


def checked(column: ColumnContract, value):
    if column.accepted and value not in column.accepted:
        return Rule.ACCEPTED
    if column.pattern and not re.fullmatch(PATTERNS[column.pattern], value):
        return Rule.PATTERN
    if column.minimum and value < bound(column.minimum, value):
        return Rule.MINIMUM
    if column.maximum and value > bound(column.maximum, value):
        return Rule.MAXIMUM
    return None


def bound(text, value):
    if isinstance(value, datetime):
        return datetime.fromisoformat(text)
    return date.fromisoformat(text) if isinstance(value, date) else Decimal(text)
