"""Partitions of catalogue tables, by their values. Filter expressions are not there: AWS's grammar is large."""

import json
import sqlite3
from typing import Any

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
from shoplake_local.glue.tables import require_table
from shoplake_local.service import ServiceError

__all__ = [
    "batch_create_partition",
    "batch_delete_partition",
    "batch_get_partition",
    "create_partition",
    "delete_partition",
    "get_partition",
    "get_partitions",
    "update_partition",
]

_LARGEST_PAGE = 1_000


def _key(values: list[str]) -> str:
    return json.dumps(values, ensure_ascii=False)


def _place(parameters: dict[str, Any]) -> tuple[str, str]:
    return folded(parameters["DatabaseName"]), folded(parameters["TableName"])


def _checked_values(table: sqlite3.Row, values: list[str]) -> list[str]:
    keys = stored_definition("TableInput", table["definition"]).get("PartitionKeys", [])
    if len(keys) != len(values):
        raise invalid_input(
            f"The number of partition keys do not match the number of partition values: {len(keys)} and {len(values)}."
        )
    return values


def _insert(catalog: Catalog, place: tuple[str, str], definition: dict[str, Any]) -> None:
    with catalog.store.transaction() as connection:
        table = require_table(connection, *place)
        values = _checked_values(table, definition.get("Values", []))
        try:
            connection.execute(
                "INSERT INTO partitions VALUES (?, ?, ?, ?, ?)",
                (*place, _key(values), definition_text(definition), catalog.now()),
            )
        except sqlite3.IntegrityError:
            raise already_exists("Partition already exists.") from None


def _delete(catalog: Catalog, place: tuple[str, str], values: list[str]) -> None:
    with catalog.store.transaction() as connection:
        require_table(connection, *place)
        deleted = connection.execute(
            "DELETE FROM partitions WHERE database_name = ? AND table_name = ? AND key = ?", (*place, _key(values))
        ).rowcount
        if not deleted:
            raise entity_not_found("Partition not found.")


def create_partition(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """CreatePartition."""
    catalog.check("CreatePartition", parameters, {"DatabaseName", "TableName", "PartitionInput"})
    _insert(catalog, _place(parameters), parameters["PartitionInput"])
    return {}


def batch_create_partition(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """BatchCreatePartition: each for itself; the answer lists what could not be made."""
    catalog.check("BatchCreatePartition", parameters, {"DatabaseName", "TableName", "PartitionInputList"})
    place = _place(parameters)
    with catalog.store.transaction() as connection:
        require_table(connection, *place)
    errors = []
    for definition in parameters["PartitionInputList"]:
        try:
            _insert(catalog, place, definition)
        except ServiceError as error:
            errors.append(_failed(definition.get("Values", []), error))
    return {"Errors": errors}


def update_partition(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """UpdatePartition: the definition is replaced."""
    catalog.check("UpdatePartition", parameters, {"DatabaseName", "TableName", "PartitionValueList", "PartitionInput"})
    place, definition = _place(parameters), parameters["PartitionInput"]
    before = parameters["PartitionValueList"]
    with catalog.store.transaction() as connection:
        table = require_table(connection, *place)
        values = _checked_values(table, definition.get("Values", before))
        try:
            updated = connection.execute(
                "UPDATE partitions SET key = ?, definition = ? WHERE database_name = ? AND table_name = ? AND key = ?",
                (_key(values), definition_text(definition | {"Values": values}), *place, _key(before)),
            ).rowcount
        except sqlite3.IntegrityError:
            raise invalid_input("There is another partition with these values.") from None
        if not updated:
            raise entity_not_found("Partition not found.")
    return {}


def delete_partition(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """DeletePartition."""
    catalog.check("DeletePartition", parameters, {"DatabaseName", "TableName", "PartitionValues"})
    _delete(catalog, _place(parameters), parameters["PartitionValues"])
    return {}


def batch_delete_partition(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """BatchDeletePartition: each for itself; the answer lists what could not be deleted."""
    catalog.check("BatchDeletePartition", parameters, {"DatabaseName", "TableName", "PartitionsToDelete"})
    errors = []
    for wanted in parameters["PartitionsToDelete"]:
        try:
            _delete(catalog, _place(parameters), wanted["Values"])
        except ServiceError as error:
            errors.append(_failed(wanted["Values"], error))
    return {"Errors": errors}


def get_partition(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """GetPartition."""
    catalog.check("GetPartition", parameters, {"DatabaseName", "TableName", "PartitionValues"})
    found = _found(catalog, parameters, [parameters["PartitionValues"]])
    if not found:
        raise entity_not_found("Cannot find partition.")
    return {"Partition": found[0]}


def batch_get_partition(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """BatchGetPartition: those that are there; the others are left out."""
    catalog.check("BatchGetPartition", parameters, {"DatabaseName", "TableName", "PartitionsToGet"})
    wanted = [item["Values"] for item in parameters["PartitionsToGet"]]
    return {"Partitions": _found(catalog, parameters, wanted), "UnprocessedKeys": []}


def get_partitions(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """GetPartitions: all of them, in pages; an empty `Expression` is none."""
    supported = {"DatabaseName", "TableName", "NextToken", "MaxResults", "ExcludeColumnSchema"}
    if not parameters.get("Expression"):
        supported.add("Expression")
    catalog.check("GetPartitions", parameters, supported)
    size = page_size(parameters, _LARGEST_PAGE)
    place = _place(parameters)
    with catalog.store.transaction() as connection:
        require_table(connection, *place)
        rows = connection.execute(
            "SELECT * FROM partitions WHERE database_name = ? AND table_name = ? AND key > ? ORDER BY key LIMIT ?",
            (*place, token_key(parameters), size + 1),
        ).fetchall()
    partitions = [_partition(catalog, row) for row in rows[:size]]
    if parameters.get("ExcludeColumnSchema"):
        for partition in partitions:
            partition.get("StorageDescriptor", {}).pop("Columns", None)
    answer: dict[str, Any] = {"Partitions": partitions}
    if len(rows) > size:
        answer["NextToken"] = next_token(rows[size - 1]["key"])
    return answer


def _found(catalog: Catalog, parameters: dict[str, Any], wanted: list[list[str]]) -> list[dict[str, Any]]:
    place = _place(parameters)
    found = []
    with catalog.store.transaction() as connection:
        require_table(connection, *place)
        for values in wanted:
            row = connection.execute(
                "SELECT * FROM partitions WHERE database_name = ? AND table_name = ? AND key = ?",
                (*place, _key(values)),
            ).fetchone()
            if row is not None:
                found.append(_partition(catalog, row))
    return found


def _failed(values: list[str], error: ServiceError) -> dict[str, Any]:
    return {"PartitionValues": values, "ErrorDetail": {"ErrorCode": error.code, "ErrorMessage": error.message}}


def _partition(catalog: Catalog, row: sqlite3.Row) -> dict[str, Any]:
    return stored_definition("PartitionInput", row["definition"]) | {
        "DatabaseName": row["database_name"],
        "TableName": row["table_name"],
        "CatalogId": catalog.account,
        "CreationTime": moment(row["created_at"]),
    }
