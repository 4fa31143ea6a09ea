"""A table's rows as Arrow record batches, exactly as bronze holds them, read column by column."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pymysql
from shoplake_core.errors import SourceError

from shoplake_mysql.connections import quote_name
from shoplake_mysql.tables import SourceColumn, TableShape
from shoplake_mysql.text_protocol import read_row_packets, split_columns
from shoplake_mysql.text_values import array_of_text

__all__ = ["read_batches", "select_statement"]

BATCH_ROWS = 65_536


def _expression(column: SourceColumn) -> str:
    name = quote_name(column.name)
    # As text a FLOAT has six digits, in the binlog all 24 bits: as a DOUBLE both say the same.
    return f"CAST({name} AS DOUBLE)" if column.type.name == "float" else name


def select_statement(shape: TableShape, *, where: str = "", order_by_key: bool = True) -> str:
    """The SELECT that reads the table's captured columns."""
    columns = ", ".join(_expression(column) for column in shape.columns)
    sql = f"SELECT {columns} FROM {quote_name(shape.schema, shape.name)}"
    if where:
        sql += f" WHERE {where}"
    if order_by_key and shape.primary_key:
        sql += " ORDER BY " + ", ".join(quote_name(name) for name in shape.primary_key)
    return sql


def read_batches(
    connection: "pymysql.connections.Connection[Any]",
    shape: TableShape,
    *,
    where: str = "",
    order_by_key: bool = True,
    batch_rows: int = BATCH_ROWS,
) -> Iterator[pa.RecordBatch]:
    """The rows, with columns named as in MySQL and types as in docs/data-format.md section 1; no batch is empty.

    The connection serves nothing else until the last batch; it is closed when the iterator is abandoned.

    Args:
        connection: In UTC and utf8mb4, as `connections.connect` gives it.
        shape: The table as it is in this connection's view.
        where: A condition in MySQL's SQL, "" for all rows.
        order_by_key: In the order of the primary key.
        batch_rows: At most so many rows a batch.

    Raises:
        SourceError: A value is not what its column's type promises.
        ResourceError: The server refused the query, or broke off.

    """
    schema = shape.arrow_schema
    sql = select_statement(shape, where=where, order_by_key=order_by_key)
    for packets in read_row_packets(connection, sql, max_rows=batch_rows):
        arrays = []
        for column, values in zip(shape.columns, split_columns(packets, len(shape.columns)), strict=True):
            try:
                arrays.append(array_of_text(values, column.type, column.arrow_type))
            except pa.ArrowInvalid as error:
                raise SourceError(
                    f"{shape.full_name}.{column.name} ({column.declared_type}) holds a value that is none of its type",
                    hint="look for it with SELECT, and mend it",
                    table=shape.full_name,
                    column=column.name,
                ) from error
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
