"""Which Arrow type each contract type has in silver (docs/data-format.md, section 3)."""

from collections.abc import Mapping

import pyarrow as pa
from shoplake_core.contracts import TableContract
from shoplake_core.logical_types import Kind, LogicalType

__all__ = ["stored_arrow_type", "stored_schema"]

_FIXED: Mapping[Kind, pa.DataType] = {
    Kind.INT8: pa.int32(),
    Kind.INT16: pa.int32(),
    Kind.INT32: pa.int32(),
    Kind.INT64: pa.int64(),
    Kind.UINT8: pa.int32(),
    Kind.UINT16: pa.int32(),
    Kind.UINT32: pa.int64(),
    Kind.UINT64: pa.decimal128(20, 0),
    Kind.FLOAT64: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.STRING: pa.string(),
    Kind.TEXT: pa.string(),
    Kind.JSON: pa.string(),
    Kind.TIME: pa.string(),
    Kind.DATE: pa.date32(),
    Kind.DATETIME: pa.timestamp("us"),
    Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    Kind.BINARY: pa.binary(),
}


def stored_arrow_type(logical: LogicalType) -> pa.DataType:
    """The Arrow type that silver stores values of `logical` in."""
    if logical.kind is Kind.DECIMAL:
        return pa.decimal128(logical.precision, logical.scale)
    return _FIXED[logical.kind]


def stored_schema(contract: TableContract) -> pa.Schema:
    """The contract's columns as silver stores them, PII already masked."""
    return pa.schema([(column.name, stored_arrow_type(column.stored_type)) for column in contract.columns])
