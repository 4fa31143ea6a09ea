"""Glue's (Hive's) name of a parquet type, and which of two types can hold the values of both."""

import re
from collections.abc import Mapping

import pyarrow as pa

__all__ = ["glue_type", "wider_type"]

_SIMPLE: Mapping[pa.DataType, str] = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    # Hive has no unsigned types: the next one that holds every value
    pa.uint8(): "smallint",
    pa.uint16(): "int",
    pa.uint32(): "bigint",
    pa.uint64(): "decimal(20,0)",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.large_string(): "string",
    pa.binary(): "binary",
    pa.large_binary(): "binary",
    pa.date32(): "date",
}
# Digits that every value of an integer type fits in; the order is from narrow to wide.
_INTEGER_DIGITS: Mapping[str, int] = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_FLOATS = ("float", "double")
_EXACT_IN: Mapping[str, tuple[str, ...]] = {"float": ("tinyint", "smallint"), "double": ("tinyint", "smallint", "int")}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_LARGEST_PRECISION = 38


def glue_type(arrow_type: pa.DataType) -> str | None:
    """The type's name in the Data Catalog; None for one that Glue and Spark cannot read."""
    simple = _SIMPLE.get(arrow_type)
    if simple is not None:
        return simple
    if pa.types.is_decimal128(arrow_type):
        return f"decimal({arrow_type.precision},{arrow_type.scale})"
    if pa.types.is_timestamp(arrow_type):
        return "timestamp"
    if pa.types.is_fixed_size_binary(arrow_type):
        return "binary"
    if pa.types.is_dictionary(arrow_type):
        return glue_type(arrow_type.value_type)
    if pa.types.is_list(arrow_type) or pa.types.is_large_list(arrow_type):
        item = glue_type(arrow_type.value_type)
        return None if item is None else f"array<{item}>"
    if pa.types.is_struct(arrow_type):
        members = [(field.name, glue_type(field.type)) for field in arrow_type]
        if all(kind is not None for _, kind in members):
            return f"struct<{','.join(f'{name}:{kind}' for name, kind in members)}>"
    return None


def wider_type(first: str, second: str) -> str | None:
    """The type that holds every value of both exactly; None where there is none."""
    if first == second:
        return first
    if first in _INTEGER_DIGITS and second in _INTEGER_DIGITS:
        return max(first, second, key=lambda name: _INTEGER_DIGITS[name])
    if first in _FLOATS and second in _FLOATS:
        return "double"
    for floating, other in ((first, second), (second, first)):
        if floating in _EXACT_IN and other in _INTEGER_DIGITS:
            if other in _EXACT_IN[floating]:
                return floating
            return "double" if other in _EXACT_IN["double"] else None
    one, two = _decimal(first), _decimal(second)
    if one is None or two is None:
        return None
    scale = max(one[1], two[1])
    precision = max(one[0] - one[1], two[0] - two[1]) + scale
    return f"decimal({precision},{scale})" if precision <= _LARGEST_PRECISION else None


def _decimal(name: str) -> tuple[int, int] | None:
    """Precision and scale of a decimal or integer type."""
    if name in _INTEGER_DIGITS:
        return _INTEGER_DIGITS[name], 0
    match = _DECIMAL.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else None
