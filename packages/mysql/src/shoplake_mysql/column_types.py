"""MySQL type -> Arrow type: one table for both roads, the snapshot and the binlog, so that they cannot disagree.

docs/data-format.md section 1 is the contract.
"""

from dataclasses import dataclass, field

import pyarrow as pa

__all__ = ["BINARY_TYPES", "DECIMAL_MAX_DIGITS", "TEXT_TYPES", "UTC_TIMESTAMP", "ColumnType", "arrow_type_of"]

DECIMAL_MAX_DIGITS = 38  # Arrow's decimal128, Parquet readers' and Spark's limit; wider ones become text
UTC_TIMESTAMP = pa.timestamp("us", tz="UTC")

TEXT_TYPES = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json", "time"})
BINARY_TYPES = frozenset(
    {
        *("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"),
        *("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
        *("geometrycollection", "geomcollection"),
    }
)
_INTEGERS: dict[str, tuple[pa.DataType, pa.DataType]] = {
    "tinyint": (pa.int8(), pa.uint8()),
    "smallint": (pa.int16(), pa.uint16()),
    "mediumint": (pa.int32(), pa.uint32()),
    "int": (pa.int32(), pa.uint32()),
    "bigint": (pa.int64(), pa.uint64()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnType:
    """What decides a column's Arrow type and how its bytes read.

    Attributes:
        name: MySQL's DATA_TYPE in lower case ("int", "varchar", ...).
        unsigned: Whether a number is UNSIGNED.
        precision: Digits of a DECIMAL, bits of a BIT, fractional digits of a temporal type, bytes of a BINARY.
        scale: Digits after the point of a DECIMAL.
        charset: Character set of a text; "" for others.
        members: Members of an ENUM or SET, in order.

    """

    name: str
    unsigned: bool = False
    precision: int = 0
    scale: int = 0
    charset: str = ""
    members: tuple[str, ...] = field(default=())


def arrow_type_of(column_type: ColumnType) -> pa.DataType | None:
    """The Arrow type that holds every value of that MySQL type exactly; None where there is none."""
    name = column_type.name
    if name in _INTEGERS:
        return _INTEGERS[name][column_type.unsigned]
    if name == "decimal":
        if column_type.precision > DECIMAL_MAX_DIGITS:
            return pa.string()
        return pa.decimal128(column_type.precision, column_type.scale)
    if name == "bit":
        return pa.bool_() if column_type.precision == 1 else pa.binary()
    if name in TEXT_TYPES:
        return pa.string()
    if name in BINARY_TYPES:
        return pa.binary()
    others: dict[str, pa.DataType] = {
        "year": pa.int16(),
        "float": pa.float64(),
        "double": pa.float64(),
        "date": pa.date32(),
        "datetime": UTC_TIMESTAMP,
        "timestamp": UTC_TIMESTAMP,
    }
    return others.get(name)
