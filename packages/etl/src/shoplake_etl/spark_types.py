"""Logical types as Spark types, and which file types fit them without loss."""

import pyarrow as pa
from pyspark.sql import types as t
from shoplake_core.contracts import TableContract
from shoplake_core.logical_types import Kind, LogicalType

__all__ = ["fits", "readable_type", "spark_type", "stored_schema"]

_FIXED: dict[Kind, t.DataType] = {
    Kind.INT8: t.IntegerType(),
    Kind.INT16: t.IntegerType(),
    Kind.INT32: t.IntegerType(),
    Kind.INT64: t.LongType(),
    Kind.UINT8: t.IntegerType(),
    Kind.UINT16: t.IntegerType(),
    Kind.UINT32: t.LongType(),
    Kind.UINT64: t.DecimalType(20, 0),
    Kind.FLOAT64: t.DoubleType(),
    Kind.BOOLEAN: t.BooleanType(),
    Kind.STRING: t.StringType(),
    Kind.TEXT: t.StringType(),
    Kind.JSON: t.StringType(),
    Kind.TIME: t.StringType(),
    Kind.DATE: t.DateType(),
    Kind.DATETIME: t.TimestampNTZType(),
    Kind.TIMESTAMP: t.TimestampType(),
    Kind.BINARY: t.BinaryType(),
}

# Arrow type as the footer tells it -> the Spark type that Spark itself gives such a column.
_READ: dict[pa.DataType, t.DataType] = {
    pa.bool_(): t.BooleanType(),
    pa.int8(): t.ByteType(),
    pa.int16(): t.ShortType(),
    pa.int32(): t.IntegerType(),
    pa.int64(): t.LongType(),
    pa.uint8(): t.ShortType(),
    pa.uint16(): t.IntegerType(),
    pa.uint32(): t.LongType(),
    pa.uint64(): t.DecimalType(20, 0),
    pa.float32(): t.FloatType(),
    pa.float64(): t.DoubleType(),
    pa.string(): t.StringType(),
    pa.large_string(): t.StringType(),
    pa.binary(): t.BinaryType(),
    pa.large_binary(): t.BinaryType(),
    pa.date32(): t.DateType(),
    pa.date64(): t.DateType(),
}
_MAX_DECIMAL_DIGITS = 38
_INTEGER_DIGITS: dict[type[t.DataType], int] = {t.ByteType: 3, t.ShortType: 5, t.IntegerType: 10, t.LongType: 19}


def spark_type(logical: LogicalType) -> t.DataType:
    """The type in silver and gold."""
    if logical.kind is Kind.DECIMAL:
        return t.DecimalType(logical.precision, logical.scale)
    return _FIXED[logical.kind]


def stored_schema(contract: TableContract) -> t.StructType:
    """The columns of the contract as they are stored, PII masked."""
    return t.StructType([t.StructField(c.name, spark_type(c.stored_type)) for c in contract.columns])


def readable_type(arrow: pa.DataType) -> t.DataType | None:
    """The type that Spark reads such a file column as; None where Spark refuses it and pyarrow must read."""
    if pa.types.is_dictionary(arrow):
        return readable_type(arrow.value_type)
    if pa.types.is_fixed_size_binary(arrow):
        return t.BinaryType()
    if pa.types.is_decimal(arrow) and arrow.precision <= _MAX_DECIMAL_DIGITS:
        return t.DecimalType(arrow.precision, arrow.scale)
    if pa.types.is_timestamp(arrow) and arrow.unit in {"ms", "us"}:
        return t.TimestampType() if arrow.tz else t.TimestampNTZType()
    return _READ.get(arrow)


def fits(read: t.DataType, wanted: t.DataType) -> bool:
    """Whether every value of a column read as `read` is one of `wanted`, unchanged."""
    if read == wanted:
        return True
    digits = _INTEGER_DIGITS.get(type(read))
    match wanted:
        case t.BooleanType():
            return digits is not None
        case t.IntegerType() | t.LongType():
            return digits is not None and digits <= _INTEGER_DIGITS[type(wanted)]
        case t.DecimalType():
            whole = wanted.precision - wanted.scale
            if isinstance(read, t.DecimalType):
                return read.scale <= wanted.scale and read.precision - read.scale <= whole
            return digits is not None and digits <= whole
        case t.DoubleType():
            return isinstance(read, t.FloatType)
        case t.TimestampType() | t.TimestampNTZType():
            return isinstance(read, t.TimestampType | t.TimestampNTZType)
        case _:
            return False
