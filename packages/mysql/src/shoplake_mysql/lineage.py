"""The name of a server's data and binlog, where the server itself has none.

MySQL has `server_uuid`. MariaDB has nothing of the kind, so one row in a table of ours names it: created once, kept
for the life of the data. A copy restored from a backup carries the same row: the replicator therefore also compares
the creation time of the binlog file it resumes in, which a restored server cannot have.
"""

import uuid
from typing import Any

import pymysql

from shoplake_mysql.connections import execute, fetch_all
from shoplake_mysql.server_facts import read_server_facts

__all__ = ["LINEAGE_TABLE", "ensure_lineage"]

LINEAGE_TABLE = "lineage"


def ensure_lineage(connection: "pymysql.connections.Connection[Any]") -> str:
    """The server's lineage; on MariaDB its row is written when it is not there yet."""
    lineage = read_server_facts(connection).lineage
    if lineage:
        return lineage
    execute(connection, "CREATE DATABASE IF NOT EXISTS shoplake")
    execute(
        connection,
        "CREATE TABLE IF NOT EXISTS shoplake.lineage (id tinyint unsigned PRIMARY KEY, token char(36) NOT NULL)",
    )
    execute(connection, "INSERT IGNORE INTO shoplake.lineage (id, token) VALUES (1, %s)", (str(uuid.uuid4()),))
    connection.commit()
    return str(fetch_all(connection, "SELECT token FROM shoplake.lineage WHERE id = 1")[0][0])
