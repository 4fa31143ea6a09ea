"""The shape of a MySQL table as `information_schema` tells it: captured columns with their Arrow types, and the key."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pymysql

from shoplake_mysql.column_types import ColumnType, arrow_type_of
from shoplake_mysql.connections import fetch_all
from shoplake_mysql.errors import MissingTableError, UnsupportedColumnError, UnsupportedTableError
from shoplake_mysql.member_lists import members_of

__all__ = ["SourceColumn", "TableShape", "list_tables", "read_table_shape"]

_SYSTEM_SCHEMAS = ("mysql", "information_schema", "performance_schema", "sys")

_COLUMNS = """
    SELECT c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.IS_NULLABLE, c.NUMERIC_PRECISION, c.NUMERIC_SCALE,
           c.DATETIME_PRECISION, c.CHARACTER_OCTET_LENGTH, c.CHARACTER_SET_NAME, c.EXTRA,
           COALESCE(c.GENERATION_EXPRESSION, '')
    FROM information_schema.COLUMNS c
    WHERE c.TABLE_SCHEMA = %s AND c.TABLE_NAME = %s ORDER BY c.ORDINAL_POSITION
"""
_KEY = """
    SELECT COLUMN_NAME FROM information_schema.STATISTICS
    WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceColumn:
    """One captured column.

    Attributes:
        name: Name in MySQL.
        type: What decides its Arrow type and how its bytes read.
        declared_type: MySQL's COLUMN_TYPE, as in SHOW CREATE TABLE.
        nullable: Whether MySQL lets it be NULL.
        arrow_type: docs/data-format.md section 1.

    """

    name: str
    type: ColumnType
    declared_type: str
    nullable: bool
    arrow_type: pa.DataType


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShape:
    """A table's captured columns, in MySQL's order.

    Attributes:
        schema: MySQL schema.
        name: Table name.
        columns: All but generated and invisible ones, which DMS does not capture either.
        primary_key: Its columns in the key's order; () for none.
        left_out: Names of generated and invisible columns.

    """

    schema: str
    name: str
    columns: tuple[SourceColumn, ...]
    primary_key: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """`schema.table`."""
        return f"{self.schema}.{self.name}"

    @property
    def arrow_schema(self) -> pa.Schema:
        """The captured columns, all nullable, as bronze holds them."""
        return pa.schema([pa.field(column.name, column.arrow_type) for column in self.columns])

    def column(self, name: str) -> SourceColumn:
        """The captured column of that name (KeyError if there is none)."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def list_tables(connection: "pymysql.connections.Connection[Any]", schema: str = "") -> list[tuple[str, str]]:
    """(schema, table) of every base table the user may see, sorted; of one schema where it is given."""
    sql = "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE'"
    rows = fetch_all(connection, f"{sql} AND TABLE_SCHEMA = %s", (schema,)) if schema else fetch_all(connection, sql)
    return sorted((str(row[0]), str(row[1])) for row in rows if row[0] not in _SYSTEM_SCHEMAS)


def _column(table: str, row: tuple[Any, ...]) -> SourceColumn:
    name, data_type, declared, nullable, precision, scale, fraction, octets, charset, _extra, _expression = row
    data_type, declared = str(data_type).lower(), str(declared)
    if data_type in {"datetime", "timestamp", "time"}:
        precision = fraction
    elif data_type == "binary":
        precision = octets
    column_type = ColumnType(
        name=data_type,
        unsigned="unsigned" in declared.lower().split("(")[-1],
        precision=int(precision or 0),
        scale=int(scale or 0),
        charset=str(charset or ""),
        members=members_of(declared) if data_type in {"enum", "set"} else (),
    )
    arrow_type = arrow_type_of(column_type)
    if arrow_type is None:
        raise UnsupportedColumnError(
            f"column {table}.{name} has type {declared}, which has no exact form in bronze",
            hint="leave the table out of the mappings, or store the column as text, a number or binary",
            table=table,
            column=str(name),
            type=declared,
        )
    return SourceColumn(
        name=str(name), type=column_type, declared_type=declared, nullable=nullable == "YES", arrow_type=arrow_type
    )


def read_table_shape(connection: "pymysql.connections.Connection[Any]", schema: str, table: str) -> TableShape:
    """The shape of one base table.

    Raises:
        MissingTableError: There is no such table, or the user may not see it.
        UnsupportedTableError: It is a view, a sequence or system-versioned.
        UnsupportedColumnError: A captured column's type has no exact Arrow form.

    """
    full_name = f"{schema}.{table}"
    kinds = fetch_all(
        connection,
        "SELECT TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
        (schema, table),
    )
    if not kinds:
        raise MissingTableError(
            f"no table {full_name} on the server, or no right to see it",
            hint=f"check the name, and GRANT SELECT ON {full_name}",
            table=full_name,
        )
    if kinds[0][0] != "BASE TABLE":
        raise UnsupportedTableError(
            f"{full_name} is a {kinds[0][0]}, expected a BASE TABLE", hint="leave it out", table=full_name
        )
    columns: list[SourceColumn] = []
    left_out: list[str] = []
    for row in fetch_all(connection, _COLUMNS, (schema, table)):
        extra = str(row[9] or "").upper()
        if row[10] or "INVISIBLE" in extra:
            left_out.append(str(row[0]))
        else:
            columns.append(_column(full_name, row))
    key = tuple(str(row[0]) for row in fetch_all(connection, _KEY, (schema, table)))
    return TableShape(schema=schema, name=table, columns=tuple(columns), primary_key=key, left_out=tuple(left_out))
