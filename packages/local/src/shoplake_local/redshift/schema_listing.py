"""ListSchemas, ListTables and DescribeTable from PostgreSQL's catalogue, without its own schemas."""

from typing import Any

import psycopg

from shoplake_local.redshift.shims import SHIM_SCHEMA
from shoplake_local.service import ServiceError

__all__ = ["describe_table", "list_schemas", "list_tables"]

_HIDDEN = ("information_schema", SHIM_SCHEMA)
_KINDS = {"BASE TABLE": "TABLE", "VIEW": "VIEW"}


def _paged(name: str, items: list[Any], parameters: dict[str, Any]) -> dict[str, Any]:
    start, size = int(parameters.get("NextToken", "0")), parameters.get("MaxResults") or 1000
    answer: dict[str, Any] = {name: items[start : start + size]}
    return answer | ({"NextToken": str(start + size)} if start + size < len(items) else {})


def list_schemas(connection: psycopg.Connection[Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """The answer of ListSchemas."""
    rows = connection.execute(
        "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE %s AND schema_name NOT LIKE 'pg\\_%%' "
        "AND schema_name <> ALL (%s) ORDER BY 1",
        (parameters.get("SchemaPattern", "%"), list(_HIDDEN)),
    ).fetchall()
    return _paged("Schemas", [row[0] for row in rows], parameters)


def list_tables(connection: psycopg.Connection[Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """The answer of ListTables."""
    rows = connection.execute(
        "SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema LIKE %s "
        "AND table_name LIKE %s AND table_schema NOT LIKE 'pg\\_%%' AND table_schema <> ALL (%s) ORDER BY 1, 2",
        (parameters.get("SchemaPattern", "%"), parameters.get("TablePattern", "%"), list(_HIDDEN)),
    ).fetchall()
    tables = [{"schema": row[0], "name": row[1], "type": _KINDS.get(row[2], row[2])} for row in rows]
    return _paged("Tables", tables, parameters)


def describe_table(connection: psycopg.Connection[Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """The answer of DescribeTable.

    Raises:
        ServiceError: The table or its schema is not named.

    """
    schema, table = parameters.get("Schema", "public"), parameters.get("Table", "")
    if not table:
        raise ServiceError("ValidationException", "Table is required.")
    rows = connection.execute(
        "SELECT column_name, udt_name, is_nullable, character_maximum_length, numeric_precision, numeric_scale "
        "FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        (schema, table),
    ).fetchall()
    columns = [
        {
            "name": row[0],
            "label": row[0],
            "typeName": row[1],
            "nullable": int(row[2] == "YES"),
            "length": row[3] or 0,
            "precision": row[4] or row[3] or 0,
            "scale": row[5] or 0,
            "schemaName": schema,
            "tableName": table,
        }
        for row in rows
    ]
    return {"TableName": table} | _paged("ColumnList", columns, parameters)
