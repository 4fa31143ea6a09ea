"""The one map from contract types to Redshift types. DDL, the file check and the comparison with a live table all read it.

Files are written by Spark, which has no 8- or 16-bit column in Iceberg, so small integers are INTEGER here too: COPY from
parquet takes an int32 into an INTEGER only.
"""

from shoplake_core.contracts import ColumnContract
from shoplake_core.errors import ContractError
from shoplake_core.logical_types import Kind, LogicalType

__all__ = ["MAX_VARCHAR_BYTES", "column_type", "redshift_type"]

MAX_VARCHAR_BYTES = 65_535
_UTF8_BYTES_PER_CHARACTER = 4  # VARCHAR(n) counts bytes: room for n characters of any kind
_TIME_BYTES = 64  # MySQL TIME as text, "-838:59:59.000000"

_TYPES = {
    Kind.INT8: "INTEGER",
    Kind.INT16: "INTEGER",
    Kind.INT32: "INTEGER",
    Kind.UINT8: "INTEGER",
    Kind.UINT16: "INTEGER",
    Kind.INT64: "BIGINT",
    Kind.UINT32: "BIGINT",
    Kind.UINT64: "NUMERIC(20,0)",
    Kind.FLOAT64: "DOUBLE PRECISION",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.TEXT: f"VARCHAR({MAX_VARCHAR_BYTES})",
    Kind.JSON: f"VARCHAR({MAX_VARCHAR_BYTES})",
    Kind.TIME: f"VARCHAR({_TIME_BYTES})",
    Kind.DATE: "DATE",
    Kind.DATETIME: "TIMESTAMP",
    Kind.TIMESTAMP: "TIMESTAMP",
}


def redshift_type(kind: LogicalType) -> str:
    """The Redshift type of a column of that contract type, such as `NUMERIC(12,2)`.

    Raises:
        ContractError: Redshift's COPY from parquet has no exact place for it.

    """
    if kind.kind is Kind.DECIMAL:
        return f"NUMERIC({kind.precision},{kind.scale})"
    if kind.kind is Kind.STRING:
        return f"VARCHAR({min(kind.length * _UTF8_BYTES_PER_CHARACTER, MAX_VARCHAR_BYTES)})"
    if kind.kind in _TYPES:
        return _TYPES[kind.kind]
    raise ContractError(
        f"the warehouse has no column type for {kind}",
        hint="leave the column out of the gold model, or cast it to a string in its SQL",
        type=str(kind),
    )


def column_type(column: ColumnContract) -> str:
    """The Redshift type of a column as it is stored: a masked value is 64 hex digits, one byte each.

    Raises:
        ContractError: The type has no place in the warehouse.

    """
    if column.stored_type is not column.type:
        return f"VARCHAR({column.stored_type.length})"
    return redshift_type(column.type)
