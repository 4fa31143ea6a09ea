"""The marker table: a row committed now and found in bronze later proves that all before it has arrived."""

from typing import Any

import pymysql
from shoplake_core.names import MARKER_SCHEMA, MARKER_TABLE

from shoplake_mysql.connections import execute, fetch_all, quote_name

__all__ = ["TOKEN_MAX_CHARACTERS", "commit_marker", "ensure_marker_table"]

TOKEN_MAX_CHARACTERS = 64


def ensure_marker_table(connection: "pymysql.connections.Connection[Any]") -> None:
    """The marker table exists; nothing is written to the binlog where it did already."""
    there = fetch_all(
        connection,
        "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
        (MARKER_SCHEMA, MARKER_TABLE),
    )
    if there:
        return
    execute(connection, f"CREATE DATABASE IF NOT EXISTS {quote_name(MARKER_SCHEMA)}")
    execute(
        connection,
        f"CREATE TABLE IF NOT EXISTS {quote_name(MARKER_SCHEMA, MARKER_TABLE)} ("
        "id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, "
        "token varchar(64) CHARACTER SET utf8mb4 NOT NULL, "
        "created_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) ENGINE=InnoDB",
    )


def commit_marker(connection: "pymysql.connections.Connection[Any]", token: str) -> int:
    """The id of a marker row with that token, committed."""
    if not 0 < len(token) <= TOKEN_MAX_CHARACTERS:
        raise ValueError(f"a marker token has 1 to {TOKEN_MAX_CHARACTERS} characters, not {len(token)}")
    execute(connection, f"INSERT INTO {quote_name(MARKER_SCHEMA, MARKER_TABLE)} (token) VALUES (%s)", (token,))
    identifier = int(fetch_all(connection, "SELECT LAST_INSERT_ID()")[0][0])
    connection.commit()
    return identifier
