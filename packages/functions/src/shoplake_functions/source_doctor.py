"""The source examined: login, rights, server settings and every contract's table. Reads only."""

from collections.abc import Mapping
from typing import Any

import pymysql
from shoplake_core.contracts import TableContract
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import CredentialError, ResourceError, SourceError
from shoplake_core.names import MARKER_SCHEMA
from shoplake_mysql.connections import connect, fetch_all
from shoplake_mysql.server_facts import Flavour, ServerFacts, read_server_facts
from shoplake_mysql.tables import read_table_shape

from shoplake_functions.prepare_source import RETENTION_SETTING, has_marker_table, retention_hours
from shoplake_functions.source_checks import SourceCheck, checks_of_server, checks_of_table
from shoplake_functions.source_grants import (
    Grants,
    grant_statements,
    granted_rights,
    lacking_rights,
    needed_rights,
    scope_of,
)

__all__ = ["checks_of_source", "examine_source"]

_LEAST_RETENTION_HOURS = 24
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
        hint = _how_to_make_user(endpoint.user, schema) if isinstance(error, CredentialError) else error.hint
        return [SourceCheck(name="login", ok=False, found=error.message, expected="a login", hint=hint)]
    try:
        return checks_of_source(connection, contracts, schema=schema)
    finally:
        connection.close()


def checks_of_source(
    connection: "pymysql.connections.Connection[Any]", contracts: Mapping[str, TableContract], *, schema: str
) -> list[SourceCheck]:
    """The checks of the user's rights, of the server and of every contract's table, on a connection to it."""
    facts = read_server_facts(connection)
    checks = [*checks_of_server(facts), *_check_of_retention(connection), _check_of_rights(connection, facts, schema)]
    for contract in contracts.values():
        try:
            shape = read_table_shape(connection, schema, contract.source_name)
        except SourceError as error:
            checks.append(SourceCheck(name=f"table {contract.name}", ok=False, found=error.message, hint=error.hint))
            continue
        rows = fetch_all(connection, _CASCADES, (schema, contract.source_name))
        checks += checks_of_table(contract, shape, [str(row[0]) for row in rows])
    return checks


def _with_marker(needed: Grants, *, is_there: bool) -> Grants:
    """The same, and the right to make the marker's table, where nobody has made it."""
    scope = scope_of(MARKER_SCHEMA)
    return needed if is_there else {**needed, scope: needed[scope] | {"CREATE"}}


def _check_of_rights(connection: "pymysql.connections.Connection[Any]", facts: ServerFacts, schema: str) -> SourceCheck:
    found = granted_rights(str(row[0]) for row in fetch_all(connection, "SHOW GRANTS"))
    needed = needed_rights(schema, flavour=facts.flavour, simulated_shop=False)
    lacking = lacking_rights(_with_marker(needed, is_there=has_marker_table(connection)), found)
    expected = "capture, reading and markers"
    if not lacking:
        return SourceCheck(name="rights", ok=True, found="sufficient", expected=expected)
    user, _, host = str(fetch_all(connection, "SELECT CURRENT_USER()")[0][0]).rpartition("@")
    account = f"{connection.escape(user)}@{connection.escape(host)}"
    words = "; ".join(f"no {', '.join(sorted(rights))} on {scope}" for scope, rights in lacking.items())
    by_role = any(scope.startswith("role ") for scope in found)  # what a role gives is not told
    return SourceCheck(
        name="rights",
        ok=by_role,
        found=f"{words} but by a role" if by_role else words,
        expected=expected,
        hint="; ".join(grant_statements(lacking, account)),
    )


def _check_of_retention(connection: "pymysql.connections.Connection[Any]") -> list[SourceCheck]:
    hours = retention_hours(connection)
    if hours is None:
        return []  # not RDS, or not shown to this user
    ok = hours >= _LEAST_RETENTION_HOURS
    return [
        SourceCheck(
            name=RETENTION_SETTING,
            ok=ok,
            found=str(hours),
            expected=f"{_LEAST_RETENTION_HOURS} or more",
            hint="" if ok else f"CALL mysql.rds_set_configuration('{RETENTION_SETTING}', 72)",
        )
    ]


def _how_to_make_user(user: str, schema: str) -> str:
    """The statements by which an owner lets Shoplake in; the password is the one in the secret."""
    account = f"'{user}'@'%'"
    needed = _with_marker(needed_rights(schema, flavour=Flavour.MYSQL, simulated_shop=False), is_there=False)
    make = f"CREATE USER {account} IDENTIFIED BY '<the password in the source's secret>'"
    return "; ".join((make, *grant_statements(needed, account)))
