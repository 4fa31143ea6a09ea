"""Logged-in connections to MySQL or MariaDB. PyMySQL logs in and runs small statements; bulk reading is `rows.py`."""

import socket
from collections.abc import Sequence
from typing import Any

import pymysql
from pymysql.constants import CR, ER
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import CredentialError, ResourceError

__all__ = ["connect", "execute", "fetch_all", "quote_name"]

_CONNECT_TIMEOUT_SECONDS = 10
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
_REFUSED_LOGINS = frozenset({ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR, 1698, 1251})


def _wrapped(error: pymysql.MySQLError, what: str) -> ResourceError | CredentialError:
    number = error.args[0] if error.args else None
    text = error.args[1] if len(error.args) > 1 else str(error)
    if number in _REFUSED_LOGINS:
        return CredentialError(f"{what}: {text}", hint="check the user, its password and its grants", errno=number)
    hint = "check host, port and network" if number in {CR.CR_CONN_HOST_ERROR, CR.CR_CONNECTION_ERROR} else ""
    return ResourceError(f"{what}: {text} ({number})", hint=hint, errno=number)


def connect(
    endpoint: MySqlEndpoint,
    *,
    database: str = "",
    local_infile: bool = False,
    autocommit: bool = True,
    read_timeout_seconds: float | None = None,
) -> "pymysql.connections.Connection[Any]":
    """A connection in UTC and utf8mb4, whatever the server's own defaults are.

    Args:
        endpoint: The server and its user.
        database: Default schema; "" for none.
        local_infile: Whether LOAD DATA LOCAL may send files.
        autocommit: Whether each statement is a transaction of its own.
        read_timeout_seconds: How long one answer may take; None for as long as it takes.

    Raises:
        CredentialError: The server refused the login.
        ResourceError: Nobody answers there.

    """
    try:
        connection = pymysql.connect(
            host=endpoint.host,
            port=endpoint.port,
            user=endpoint.user,
            password=endpoint.password,
            database=database or None,
            charset="utf8mb4",
            init_command="SET time_zone = '+00:00'",
            local_infile=local_infile,
            autocommit=autocommit,
            connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            read_timeout=_CONNECT_TIMEOUT_SECONDS,  # of the handshake: a silent path must not hang the login
        )
    except pymysql.MySQLError as error:
        raise _wrapped(error, f"MySQL at {endpoint.host}:{endpoint.port} as {endpoint.user}") from error
    wire: Any = connection
    wire._read_timeout = read_timeout_seconds  # noqa: SLF001 - PyMySQL applies it at the next read
    for option, value in _KEEPALIVE.items():
        if hasattr(socket, option):
            wire._sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)  # noqa: SLF001 - a cut path is noticed in a minute, not in two hours
    return connection


def fetch_all(
    connection: "pymysql.connections.Connection[Any]", sql: str, arguments: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """All rows of a small query.

    Raises:
        ResourceError: The server refused the statement (`errno` has its number).

    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, tuple(arguments) or None)
            return list(cursor.fetchall())
    except pymysql.MySQLError as error:
        raise _wrapped(error, f"MySQL refused {sql.strip()[:200]!r}") from error


def execute(connection: "pymysql.connections.Connection[Any]", sql: str, arguments: Sequence[Any] = ()) -> int:
    """The number of rows that a statement changed.

    Raises:
        ResourceError: The server refused the statement (`errno` has its number).

    """
    try:
        with connection.cursor() as cursor:
            return int(cursor.execute(sql, tuple(arguments) or None))
    except pymysql.MySQLError as error:
        raise _wrapped(error, f"MySQL refused {sql.strip()[:200]!r}") from error


def quote_name(*parts: str) -> str:
    """A schema, table or column name (or a dotted path of them) in back-quotes, safe in any SQL mode."""
    return ".".join("`" + part.replace("`", "``") + "`" for part in parts)
