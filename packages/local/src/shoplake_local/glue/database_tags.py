"""Tags of databases. Tables have none on AWS either; jobs, crawlers and connections keep theirs themselves."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from shoplake_local.glue.requests import Catalog, entity_not_found, folded, invalid_input
from shoplake_local.service import UnsupportedOperationError

__all__ = ["get_database_tags", "is_of_catalogue", "put_tags", "tag_database", "untag_database"]

_MOST_TAGS = 50
_CATALOGUE_RESOURCES = frozenset({"catalog", "database", "table", "tableVersion", "userDefinedFunction"})


def is_of_catalogue(arn: str) -> bool:
    """Whether the ARN names something of the catalogue, and not a job or a crawler."""
    return arn.rpartition(":")[2].partition("/")[0] in _CATALOGUE_RESOURCES


def put_tags(connection: sqlite3.Connection, database: str, tags: Mapping[str, str]) -> None:
    """Set these tags of a database; its others stay.

    Raises:
        ServiceError: InvalidInputException: it would have more than 50.

    """
    connection.executemany(
        "INSERT OR REPLACE INTO database_tags VALUES (?, ?, ?)",
        [(database, key, value) for key, value in tags.items()],
    )
    query = "SELECT count(*) FROM database_tags WHERE database_name = ?"
    if connection.execute(query, (database,)).fetchone()[0] > _MOST_TAGS:
        raise invalid_input(f"A resource has at most {_MOST_TAGS} tags.")


def tag_database(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """TagResource."""
    with catalog.store.transaction() as connection:
        put_tags(connection, _database_of(catalog, connection, parameters["ResourceArn"]), parameters["TagsToAdd"])
    return {}


def untag_database(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """UntagResource."""
    with catalog.store.transaction() as connection:
        name = _database_of(catalog, connection, parameters["ResourceArn"])
        connection.executemany(
            "DELETE FROM database_tags WHERE database_name = ? AND key = ?",
            [(name, key) for key in parameters["TagsToRemove"]],
        )
    return {}


def get_database_tags(catalog: Catalog, parameters: dict[str, Any]) -> dict[str, Any]:
    """GetTags."""
    with catalog.store.transaction() as connection:
        name = _database_of(catalog, connection, parameters["ResourceArn"])
        query = "SELECT key, value FROM database_tags WHERE database_name = ? ORDER BY key"
        return {"Tags": {row["key"]: row["value"] for row in connection.execute(query, (name,))}}


def _database_of(catalog: Catalog, connection: sqlite3.Connection, arn: str) -> str:
    resource, _, name = arn.rpartition(":")[2].partition("/")
    if resource != "database":
        raise UnsupportedOperationError(f'tags of "{arn}": of the catalogue, databases have tags here')
    database = folded(name)
    known = connection.execute("SELECT 1 FROM databases WHERE name = ?", (database,)).fetchone()
    if arn != f"arn:aws:glue:{catalog.region}:{catalog.account}:database/{name}" or known is None:
        raise entity_not_found(f"{arn} not found.")
    return database
