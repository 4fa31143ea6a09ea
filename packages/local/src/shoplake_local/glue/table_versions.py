"""Versions of tables: the current one and those that updates archived."""

import sqlite3
from typing import Any

from shoplake_local.glue.requests import (
    Catalog,
    entity_not_found,
    folded,
    invalid_input,
    next_token,
    page_size,
    token_key,
)
from shoplake_local.glue.tables import require_table, table_answer
from shoplake_local.service import ServiceError

__all__ = ["batch_delete_table_version", "delete_table_version", "get_table_version", "get_table_versions"]


def _versions(connection: sqlite3.Connection, database: str, name: str) -> list[sqlite3.Row]:
    """Newest first."""
    current = require_table(connection, database, name)
    archived = connection.execute(
        "SELECT * FROM archived_versions WHERE database_name = ? AND table_name = ? ORDER BY version DESC",
        (database, name),
    ).fetchall()
    return [current, *archived]


def get_table_versions(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """GetTableVersions, newest first, in pages."""
    catalog.check("GetTableVersions", parameters, {"DatabaseName", "TableName", "NextToken", "MaxResults"})
    size = page_size(parameters)
    with catalog.store.transaction() as connection:
        rows = _versions(connection, folded(parameters["DatabaseName"]), folded(parameters["TableName"]))
    before = token_key(parameters)
    if before:
        rows = [row for row in rows if row["version"] < int(before)]
    answer: dict[str, Any] = {"TableVersions": [_version(catalog, row) for row in rows[:size]]}
    if len(rows) > size:
        answer["NextToken"] = next_token(str(rows[size - 1]["version"]))
    return answer


def get_table_version(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """GetTableVersion: the newest one where none is named."""
    catalog.check("GetTableVersion", parameters, {"DatabaseName", "TableName", "VersionId"})
    with catalog.store.transaction() as connection:
        rows = _versions(connection, folded(parameters["DatabaseName"]), folded(parameters["TableName"]))
    wanted = parameters.get("VersionId", str(rows[0]["version"]))
    for row in rows:
        if str(row["version"]) == wanted:
            return {"TableVersion": _version(catalog, row)}
    raise entity_not_found(f"Version {wanted} of table {parameters['TableName']} not found.")


def delete_table_version(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """DeleteTableVersion: an archived one."""
    catalog.check("DeleteTableVersion", parameters, {"DatabaseName", "TableName", "VersionId"})
    _delete(catalog, parameters, parameters["VersionId"])
    return {}


def batch_delete_table_version(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """BatchDeleteTableVersion: each for itself; the answer lists what could not be deleted."""
    catalog.check("BatchDeleteTableVersion", parameters, {"DatabaseName", "TableName", "VersionIds"})
    errors = []
    for version in parameters["VersionIds"]:
        try:
            _delete(catalog, parameters, version)
        except ServiceError as error:
            detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
            errors.append({"TableName": parameters["TableName"], "VersionId": version, "ErrorDetail": detail})
    return {"Errors": errors}


def _delete(catalog: Catalog, parameters: dict[str, Any], version: str) -> None:
    database, name = folded(parameters["DatabaseName"]), folded(parameters["TableName"])
    with catalog.store.transaction() as connection:
        current = require_table(connection, database, name)
        if version == str(current["version"]):
            raise invalid_input(f"Version {version} is the current one of table {name}.")
        deleted = connection.execute(
            "DELETE FROM archived_versions WHERE database_name = ? AND table_name = ? AND CAST(version AS TEXT) = ?",
            (database, name, version),
        ).rowcount
        if not deleted:
            raise entity_not_found(f"Version {version} of table {name} not found.")


def _version(catalog: Catalog, row: sqlite3.Row) -> dict[str, Any]:
    names = row.keys()
    table = table_answer(catalog, row)
    if "table_name" in names:
        table["Name"] = row["table_name"]
    return {"Table": table, "VersionId": str(row["version"])}
