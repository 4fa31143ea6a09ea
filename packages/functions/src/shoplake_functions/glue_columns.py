"""Whether a parquet file fits a catalogue table as the crawler would leave it: names, and types that hold the file's.

The crawler alone writes types; here it is only asked whether it has anything to do.
"""

import re
from collections.abc import Mapping

import pyarrow as pa

__all__ = ["fits_table"]

# Hive has no unsigned types: the crawler takes the next one that holds every value
_KINDS: Mapping[pa.DataType, str] = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.uint8(): "smallint",
    pa.uint16(): "int",
    pa.uint32(): "bigint",
    pa.uint64(): "decimal(20,0)",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.binary(): "binary",
    pa.date32(): "date",
}
_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_FLOATS = {"float": ("tinyint", "smallint"), "double": ("tinyint", "smallint", "int", "float")}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def _kind(arrow_type: pa.DataType) -> str:
    """The catalogue's name of the type; its Arrow name where bronze has no such type, which no table column equals."""
    if pa.types.is_decimal128(arrow_type):
        return f"decimal({arrow_type.precision},{arrow_type.scale})"
    if pa.types.is_timestamp(arrow_type):
        return "timestamp"
    return _KINDS.get(arrow_type, f"arrow:{arrow_type}")


def _places(kind: str) -> tuple[int, int] | None:
    """Digits before and after the point of an exact number's type."""
    if kind in _DIGITS:
        return _DIGITS[kind], 0
    match = _DECIMAL.fullmatch(kind)
    return (int(match[1]) - int(match[2]), int(match[2])) if match else None


def _holds(column: str, kind: str) -> bool:
    if column == kind or kind in _FLOATS.get(column, ()):
        return True
    wide, narrow = _places(column), _places(kind)
    return wide is not None and narrow is not None and wide[0] >= narrow[0] and wide[1] >= narrow[1]


def fits_table(schema: pa.Schema, columns: Mapping[str, str]) -> bool:
    """Whether the table has every column of the file, in a type that holds the file's values.

    Columns that the file lacks do not matter: the crawler never takes one away.

    Args:
        schema: The file's.
        columns: The table's: name in lower case -> type.

    """
    return all(_holds(columns.get(field.name.lower(), ""), _kind(field.type)) for field in schema)
