"""Tables of the catalogue: what Iceberg commits through, so an update checks the version it was made from."""

import sqlite3
from typing import Any

import regex

from shoplake_local.glue.databases import require_database
from shoplake_local.glue.requests import (
    Catalog,
    already_exists,
    definition_text,
    entity_not_found,
    folded,
    invalid_input,
    moment,
    next_token,
    page_size,
    stored_definition,
    token_key,
)
from shoplake_local.service import ServiceError, UnsupportedOperationError

__all__ = [
    "batch_delete_table",
    "create_table",
    "delete_table",
    "get_table",
    "get_tables",
    "require_table",
    "table_answer",
    "update_table",
]

_FIRST_VERSION = 0
_FOREIGN = ("FederatedTable", "TargetTable", "ViewDefinition")
_MATCH_TIMEOUT_SECONDS = 2.0


def require_table(connection: sqlite3.Connection, database: str, name: str) -> sqlite3.Row:
    """The stored row of the table.

    Raises:
        ServiceError: EntityNotFoundException, for the database or the table.

    """
    row = connection.execute("SELECT * FROM tables WHERE database_name = ? AND name = ?", (database, name)).fetchone()
    if row is None:
        require_database(connection, database)
        raise entity_not_found(f"Table {name} not found in database {database}.")
    return row  # type: ignore[no-any-return]


def _definition(operation: str, given: dict[str, Any]) -> dict[str, Any]:
    for name in _FOREIGN:
        if name in given:
            raise UnsupportedOperationError(f'"TableInput.{name}" of Glue\'s {operation}')
    return given | {"Name": folded(given["Name"])}


def create_table(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """CreateTable."""
    catalog.check("CreateTable", parameters, {"DatabaseName", "TableInput"})
    if "TableInput" not in parameters:
        raise invalid_input("TableInput is missing.")
    database = folded(parameters["DatabaseName"])
    definition = _definition("CreateTable", parameters["TableInput"])
    now = catalog.now()
    with catalog.store.transaction() as connection:
        require_database(connection, database)
        try:
            connection.execute(
                "INSERT INTO tables VALUES (?, ?, ?, ?, ?, ?)",
                (database, definition["Name"], _FIRST_VERSION, definition_text(definition), now, now),
            )
        except sqlite3.IntegrityError:
            raise already_exists(f"Table {definition['Name']} already exists in database {database}.") from None
    return {}


def update_table(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """UpdateTable: replaces the definition if the table still has the version that the caller read.

    Compared and replaced in one transaction: of two writers that read the same version, one is told to read again.

    """
    catalog.check("UpdateTable", parameters, {"DatabaseName", "TableInput", "SkipArchive", "VersionId", "Name"})
    if "TableInput" not in parameters:
        raise invalid_input("TableInput is missing.")
    database = folded(parameters["DatabaseName"])
    definition = _definition("UpdateTable", parameters["TableInput"])
    name = definition["Name"]
    if folded(parameters.get("Name", name)) != name:
        raise UnsupportedOperationError("renaming of tables in Glue's UpdateTable")
    with catalog.store.transaction() as connection:
        row = require_table(connection, database, name)
        expected = parameters.get("VersionId", str(row["version"]))
        if expected != str(row["version"]):
            raise ServiceError(
                "ConcurrentModificationException",
                f"Table {name} has version {row['version']}, not {expected}: somebody else updated it.",
            )
        if not parameters.get("SkipArchive", False):
            connection.execute(
                "INSERT INTO archived_versions SELECT database_name, name, version, definition, created_at, updated_at "
                "FROM tables WHERE database_name = ? AND name = ?",
                (database, name),
            )
        connection.execute(
            "UPDATE tables SET version = version + 1, definition = ?, updated_at = ? "
            "WHERE database_name = ? AND name = ?",
            (definition_text(definition), catalog.now(), database, name),
        )
    return {}


def delete_table(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """DeleteTable: with versions and partitions; the data in S3 stay."""
    catalog.check("DeleteTable", parameters, {"DatabaseName", "Name"})
    _delete(catalog, folded(parameters["DatabaseName"]), folded(parameters["Name"]))
    return {}


def batch_delete_table(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """BatchDeleteTable: each for itself; the answer lists what could not be deleted."""
    catalog.check("BatchDeleteTable", parameters, {"DatabaseName", "TablesToDelete"})
    errors = []
    for name in parameters["TablesToDelete"]:
        try:
            _delete(catalog, folded(parameters["DatabaseName"]), folded(name))
        except ServiceError as error:
            errors.append({"TableName": name, "ErrorDetail": {"ErrorCode": error.code, "ErrorMessage": error.message}})
    return {"Errors": errors}


def _delete(catalog: Catalog, database: str, name: str) -> None:
    with catalog.store.transaction() as connection:
        require_table(connection, database, name)
        connection.execute("DELETE FROM tables WHERE database_name = ? AND name = ?", (database, name))


def get_table(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """GetTable."""
    catalog.check("GetTable", parameters, {"DatabaseName", "Name"})
    with catalog.store.transaction() as connection:
        row = require_table(connection, folded(parameters["DatabaseName"]), folded(parameters["Name"]))
    return {"Table": table_answer(catalog, row)}


def get_tables(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """GetTables, by name, in pages; `Expression` is a regular expression over the whole name."""
    catalog.check("GetTables", parameters, {"DatabaseName", "Expression", "NextToken", "MaxResults"})
    database = folded(parameters["DatabaseName"])
    size = page_size(parameters)
    with catalog.store.transaction() as connection:
        require_database(connection, database)
        rows = connection.execute(
            "SELECT * FROM tables WHERE database_name = ? AND name > ? ORDER BY name",
            (database, token_key(parameters)),
        ).fetchall()
    if parameters.get("Expression"):
        rows = [row for row in rows if _matches(parameters["Expression"], row["name"])]
    answer: dict[str, Any] = {"TableList": [table_answer(catalog, row) for row in rows[:size]]}
    if len(rows) > size:
        answer["NextToken"] = next_token(rows[size - 1]["name"])
    return answer


def _matches(expression: str, name: str) -> bool:
    try:
        return regex.fullmatch(expression, name, timeout=_MATCH_TIMEOUT_SECONDS) is not None
    except regex.error as error:
        raise invalid_input(f'Expression "{expression}" is no regular expression: {error}') from error
    except TimeoutError:
        raise invalid_input(f'Expression "{expression}" takes too long to match') from None


def table_answer(catalog: Catalog, row: sqlite3.Row) -> dict[str, Any]:
    """The `Table` of an answer, from a stored row of a table or of an archived version."""
    return stored_definition("TableInput", row["definition"]) | {
        "DatabaseName": row["database_name"],
        "CatalogId": catalog.account,
        "VersionId": str(row["version"]),
        "CreateTime": moment(row["created_at"]),
        "UpdateTime": moment(row["updated_at"]),
        "CreatedBy": f"arn:aws:iam::{catalog.account}:root",
        "IsRegisteredWithLakeFormation": False,
    }
