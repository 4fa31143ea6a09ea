"""Databases of namespaces, made and dropped in PostgreSQL."""

from contextlib import suppress

import psycopg
from psycopg.sql import SQL, Identifier
from shoplake_core.endpoints import WarehouseEndpoint

__all__ = ["create_database", "drop_database"]

_CONNECT_TIMEOUT_SECONDS = 10


def create_database(warehouse: WarehouseEndpoint, name: str) -> None:
    """Make the database; one that is there (its namespace was not written down when the front was killed) is taken."""
    with suppress(psycopg.errors.DuplicateDatabase):
        _execute(warehouse, SQL("CREATE DATABASE {}").format(Identifier(name)))


def drop_database(warehouse: WarehouseEndpoint, name: str) -> None:
    """Drop the database and end its sessions."""
    _execute(warehouse, SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))


def _execute(warehouse: WarehouseEndpoint, statement: psycopg.sql.Composed) -> None:
    with psycopg.connect(
        host=warehouse.host,
        port=warehouse.port,
        user=warehouse.user,
        password=warehouse.password,
        dbname=warehouse.database,
        autocommit=True,
        connect_timeout=_CONNECT_TIMEOUT_SECONDS,
    ) as connection:
        connection.execute(statement)
