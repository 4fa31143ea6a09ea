"""The source examined: server settings and every contract's table. Reads only."""

from collections.abc import Mapping
from typing import Any

import pymysql
from shoplake_core.contracts import TableContract
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import CredentialError, ResourceError, SourceError
from shoplake_mysql.connections import connect, fetch_all
from shoplake_mysql.server_facts import read_server_facts
from shoplake_mysql.tables import read_table_shape

from shoplake_functions.source_checks import SourceCheck, checks_of_server, checks_of_table

__all__ = ["checks_of_source", "examine_source"]

_CASCADES = """
    SELECT CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS
    WHERE CONSTRAINT_SCHEMA = %s AND TABLE_NAME = %s
      AND (DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL'))
"""


def examine_source(
    endpoint: MySqlEndpoint, contracts: Mapping[str, TableContract], *, schema: str
) -> list[SourceCheck]:
    """Every check; a server that cannot be reached is one of them, not an error.

    Args:
        endpoint: MySQL.
        contracts: Silver contracts by name.
        schema: Their MySQL schema.

    """
    try:
        connection = connect(endpoint)
    except (CredentialError, ResourceError) as error:
        return [SourceCheck(name="login", ok=False, found=error.message, expected="a login", hint=error.hint)]
    try:
        return checks_of_source(connection, contracts, schema=schema)
    finally:
        connection.close()


def checks_of_source(
    connection: "pymysql.connections.Connection[Any]", contracts: Mapping[str, TableContract], *, schema: str
) -> list[SourceCheck]:
    """The checks of the server and of every contract's table, on a connection to it."""
    checks = checks_of_server(read_server_facts(connection))
    for contract in contracts.values():
        try:
            shape = read_table_shape(connection, schema, contract.source_name)
        except SourceError as error:
            checks.append(SourceCheck(name=f"table {contract.name}", ok=False, found=error.message, hint=error.hint))
            continue
        rows = fetch_all(connection, _CASCADES, (schema, contract.source_name))
        checks += checks_of_table(contract, shape, [str(row[0]) for row in rows])
    return checks
