"""The closed set of column types that contracts speak. Each engine maps them once: Spark in etl, Arrow in mysql,
Redshift in warehouse.

Written as in `uint64`, `decimal(12,2)`, `string(255)`, `timestamp`.

* `datetime` is a wall-clock reading without a zone (MySQL DATETIME); `timestamp` is an instant in UTC (MySQL TIMESTAMP).
* `string(n)` counts characters, not bytes, as MySQL does.
"""

import re
from dataclasses import dataclass
from enum import Enum

from shoplake_core.errors import ContractError
from shoplake_core.suggestions import did_you_mean

__all__ = ["Kind", "LogicalType", "parse_logical_type"]


class Kind(Enum):
    """What a value is, without its size."""

    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    DECIMAL = "decimal"
    FLOAT64 = "float64"
    BOOLEAN = "boolean"
    STRING = "string"
    TEXT = "text"
    JSON = "json"
    TIME = "time"
    DATE = "date"
    DATETIME = "datetime"
    TIMESTAMP = "timestamp"
    BINARY = "binary"


_INTEGERS = frozenset(k for k in Kind if k.value.lstrip("u").startswith("int"))
_TEXTS = frozenset({Kind.STRING, Kind.TEXT, Kind.JSON, Kind.TIME})
_PATTERN = re.compile(r"^\s*([a-z0-9]+)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*$")
_MAX_DECIMAL_DIGITS = 38


@dataclass(frozen=True, slots=True)
class LogicalType:
    """One type with its size.

    Attributes:
        kind: What the value is.
        precision: Decimal digits in all (1 to 38); 0 for other kinds.
        scale: Decimal digits after the point; 0 for other kinds.
        length: Most characters of a `string`; 0 for other kinds.

    """

    kind: Kind
    precision: int = 0
    scale: int = 0
    length: int = 0

    def __str__(self) -> str:
        if self.kind is Kind.DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        return f"string({self.length})" if self.kind is Kind.STRING else self.kind.value

    @property
    def is_integer(self) -> bool:
        """Whether the value is a whole number of fixed width."""
        return self.kind in _INTEGERS

    @property
    def is_text(self) -> bool:
        """Whether the value is Unicode text."""
        return self.kind in _TEXTS

    @property
    def is_numeric(self) -> bool:
        """Whether the value can be summed."""
        return self.is_integer or self.kind in {Kind.DECIMAL, Kind.FLOAT64}


def parse_logical_type(text: str) -> LogicalType:
    """The type that `text` names, such as `decimal(12,2)`.

    Raises:
        ContractError: The name is unknown, or its size is missing, extra or out of range.

    """
    match = _PATTERN.match(text)
    names = [kind.value for kind in Kind]
    if match is None or match.group(1) not in names:
        word = match.group(1) if match else text
        raise ContractError(
            f'unknown column type "{text}"{did_you_mean(word, names)}', hint=f"use one of {', '.join(names)}", type=text
        )
    kind, first, second = Kind(match.group(1)), match.group(2), match.group(3)
    if kind is Kind.DECIMAL:
        precision, scale = int(first or 0), int(second or 0)
        if not 1 <= precision <= _MAX_DECIMAL_DIGITS or scale > precision:
            raise ContractError(
                f'"{text}" has no valid size', hint="write decimal(precision,scale), 1 to 38 digits", type=text
            )
        return LogicalType(kind, precision=precision, scale=scale)
    if kind is Kind.STRING:
        if first is None or second is not None or int(first) < 1:
            raise ContractError(f'"{text}" has no length', hint="write string(n), or text for no limit", type=text)
        return LogicalType(kind, length=int(first))
    if first is not None:
        raise ContractError(f'"{text}": {kind.value} takes no size', hint=f"write {kind.value}", type=text)
    return LogicalType(kind)
