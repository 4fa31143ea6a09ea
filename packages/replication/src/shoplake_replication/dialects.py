"""What a reader of the binlog must know of the server that writes it, read from the server."""

from typing import Any

import pymysql
from shoplake_core.errors import ResourceError
from shoplake_mysql.connections import fetch_all
from shoplake_mysql.server_facts import Flavour, ServerFacts

from shoplake_replication.table_map import Dialect

__all__ = ["read_dialect"]


def read_dialect(connection: "pymysql.connections.Connection[Any]", facts: ServerFacts) -> Dialect:
    """What must be known of the server to read its binlog."""
    rows = fetch_all(
        connection, "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS WHERE ID IS NOT NULL"
    )
    charsets = {int(number): str(charset) for number, charset in rows if charset}
    mariadb = facts.flavour is Flavour.MARIADB
    if mariadb:
        applicable = "information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
        try:
            rows = fetch_all(connection, f"SELECT ID, CHARACTER_SET_NAME FROM {applicable} WHERE ID IS NOT NULL")
        except ResourceError:
            rows = []  # before 10.10 that view has no ids, and every collation one of its own
        charsets |= {int(number): str(charset) for number, charset in rows if charset}
    return Dialect(mariadb=mariadb, charset_of_collation=charsets)
