"""Databases of the catalogue."""

import sqlite3
from typing import Any

from shoplake_local.glue.database_tags import put_tags
from shoplake_local.glue.requests import (
    Catalog,
    already_exists,
    definition_text,
    entity_not_found,
    folded,
    next_token,
    page_size,
    stored_definition,
    token_key,
)
from shoplake_local.glue.requests import moment as moment_of
from shoplake_local.service import UnsupportedOperationError

__all__ = [
    "create_database",
    "delete_database",
    "get_database",
    "get_databases",
    "require_database",
    "update_database",
]

_FEDERATED = ("FederatedDatabase", "TargetDatabase")


def require_database(connection: sqlite3.Connection, name: str) -> None:
    """Pass where the database is there.

    Raises:
        ServiceError: EntityNotFoundException.

    """
    if connection.execute("SELECT 1 FROM databases WHERE name = ?", (name,)).fetchone() is None:
        raise entity_not_found(f"Database {name} not found.")


def _definition(operation: str, given: dict[str, Any]) -> dict[str, Any]:
    for name in _FEDERATED:
        if name in given:
            raise UnsupportedOperationError(f'"DatabaseInput.{name}" of Glue\'s {operation}')
    return given | {"Name": folded(given["Name"])}


def create_database(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """CreateDatabase."""
    catalog.check("CreateDatabase", parameters, {"DatabaseInput", "Tags"})
    definition = _definition("CreateDatabase", parameters["DatabaseInput"])
    with catalog.store.transaction() as connection:
        try:
            connection.execute(
                "INSERT INTO databases VALUES (?, ?, ?)",
                (definition["Name"], definition_text(definition), catalog.now()),
            )
        except sqlite3.IntegrityError:
            raise already_exists("Database already exists.") from None
        put_tags(connection, definition["Name"], parameters.get("Tags", {}))
    return {}


def update_database(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """UpdateDatabase: the definition is replaced, not merged."""
    catalog.check("UpdateDatabase", parameters, {"Name", "DatabaseInput"})
    name = folded(parameters["Name"])
    definition = _definition("UpdateDatabase", parameters["DatabaseInput"])
    if definition["Name"] != name:
        raise UnsupportedOperationError("renaming of databases in Glue's UpdateDatabase")
    with catalog.store.transaction() as connection:
        require_database(connection, name)
        connection.execute("UPDATE databases SET definition = ? WHERE name = ?", (definition_text(definition), name))
    return {}


def delete_database(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """DeleteDatabase: with its tables, as AWS does; their data in S3 stay."""
    catalog.check("DeleteDatabase", parameters, {"Name"})
    name = folded(parameters["Name"])
    with catalog.store.transaction() as connection:
        require_database(connection, name)
        connection.execute("DELETE FROM databases WHERE name = ?", (name,))
    return {}


def get_database(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """GetDatabase."""
    catalog.check("GetDatabase", parameters, {"Name"})
    name = folded(parameters["Name"])
    rows = catalog.store.rows("SELECT * FROM databases WHERE name = ?", (name,))
    if not rows:
        raise entity_not_found(f"Database {name} not found.")
    return {"Database": _database(catalog, rows[0])}


def get_databases(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """GetDatabases, by name, in pages."""
    catalog.check("GetDatabases", parameters, {"NextToken", "MaxResults"})
    size = page_size(parameters)
    rows = catalog.store.rows(
        "SELECT * FROM databases WHERE name > ? ORDER BY name LIMIT ?", (token_key(parameters), size + 1)
    )
    answer: dict[str, Any] = {"DatabaseList": [_database(catalog, row) for row in rows[:size]]}
    if len(rows) > size:
        answer["NextToken"] = next_token(rows[size - 1]["name"])
    return answer


def _database(catalog: Catalog, row: sqlite3.Row) -> dict[str, Any]:
    definition = stored_definition("DatabaseInput", row["definition"])
    return definition | {"CreateTime": moment_of(row["created_at"]), "CatalogId": catalog.account}
