"""One consistent view of all tables, and the exact binlog position it stands at.

MariaDB gives both in one statement, without a lock. MySQL needs a lock of some milliseconds on a second connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pymysql
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import CredentialError, ResourceError
from shoplake_core.sequences import BinlogPosition, parse_binlog_position

from shoplake_mysql.connections import connect, execute, fetch_all, quote_name
from shoplake_mysql.errors import MissingBinlogError
from shoplake_mysql.server_facts import Flavour, ServerFacts, read_binlog_position, read_server_facts, read_source_clock

__all__ = ["Snapshot", "open_snapshot"]

_LOCK_WAIT_SECONDS = 60
_START = "START TRANSACTION WITH CONSISTENT SNAPSHOT"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A consistent view.

    Attributes:
        connection: Reads the view until the context ends; for one thread.
        position: Every change at or before it is in the view, no later one is.
        started_at: When it was taken, by the source's clock, UTC.

    """

    connection: "pymysql.connections.Connection[Any]"
    position: BinlogPosition
    started_at: datetime


def _prepare(connection: "pymysql.connections.Connection[Any]") -> None:
    """Nothing of the server's defaults may change what a SELECT gives, or end a long one."""
    execute(connection, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    execute(connection, "SET SESSION net_write_timeout = 3600, net_read_timeout = 3600, wait_timeout = 86400")
    execute(connection, "SET SESSION sql_mode = REPLACE(@@sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', '')")


def _mariadb_position(connection: "pymysql.connections.Connection[Any]") -> BinlogPosition:
    execute(connection, _START)
    rows = fetch_all(connection, "SHOW STATUS LIKE 'binlog_snapshot_%'")
    status = {str(name).lower(): str(value) for name, value in rows}
    if not status.get("binlog_snapshot_file"):
        raise MissingBinlogError("the server writes no binary log (log_bin is off)", hint="start it with log_bin")
    return parse_binlog_position(f"{status['binlog_snapshot_file']}:{status['binlog_snapshot_position']}")


def _lock_all(lock: "pymysql.connections.Connection[Any]", tables: tuple[tuple[str, str], ...]) -> None:
    """No commit can come in between, by the cheapest lock that the user may take."""
    execute(lock, f"SET SESSION lock_wait_timeout = {_LOCK_WAIT_SECONDS}")
    try:
        execute(lock, "FLUSH TABLES WITH READ LOCK")
    except (ResourceError, CredentialError):
        if not tables:
            raise
        execute(lock, "LOCK TABLES " + ", ".join(f"{quote_name(*table)} READ" for table in tables))


def _mysql_position(
    endpoint: MySqlEndpoint,
    connection: "pymysql.connections.Connection[Any]",
    facts: ServerFacts,
    tables: tuple[tuple[str, str], ...],
) -> BinlogPosition:
    lock = connect(endpoint)
    try:
        _lock_all(lock, tables)
        execute(connection, _START)
        position = read_binlog_position(lock, facts)
        execute(lock, "UNLOCK TABLES")
    finally:
        lock.close()
    return position


@contextmanager
def open_snapshot(endpoint: MySqlEndpoint, *, tables: tuple[tuple[str, str], ...] = ()) -> Iterator[Snapshot]:
    """A consistent snapshot with its exact binlog position, open until the context ends.

    Args:
        endpoint: The server; its user needs SELECT and REPLICATION CLIENT, on MySQL also RELOAD or LOCK TABLES.
        tables: (schema, table) of all that will be read: what is locked where FLUSH TABLES WITH READ LOCK is refused
            (RDS). Changes of other tables may then stand before the position without being in the view.

    """
    connection = connect(endpoint, autocommit=False)
    try:
        _prepare(connection)
        facts = read_server_facts(connection)
        connection.rollback()
        if facts.flavour is Flavour.MARIADB:
            position = _mariadb_position(connection)
        else:
            position = _mysql_position(endpoint, connection, facts, tables)
        yield Snapshot(connection, position, read_source_clock(connection))
    finally:
        connection.close()
