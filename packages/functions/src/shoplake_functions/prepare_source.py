"""A new MySQL of ours, made ready by its administrator: the schema, the user with its rights, the marker's table, the binlog.

Every step may be repeated; what is as it shall be is left alone. No message here holds a secret.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import pymysql
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import ConfigError, CredentialError, ResourceError, SourceError
from shoplake_core.names import MARKER_SCHEMA, MARKER_TABLE
from shoplake_mysql.connections import connect, execute, fetch_all, quote_name
from shoplake_mysql.marker import ensure_marker_table
from shoplake_mysql.server_facts import ServerFacts, read_server_facts

from shoplake_functions.source_checks import checks_of_server
from shoplake_functions.source_grants import (
    Grants,
    excess_rights,
    grant_statements,
    granted_rights,
    lacking_rights,
    needed_rights,
)

__all__ = ["RETENTION_SETTING", "SourcePreparation", "WantedSource", "has_marker_table", "retention_hours"]

RETENTION_SETTING = "binlog retention hours"
"""How RDS's procedures call it; unset, RDS deletes binlogs as soon as it likes:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mysql-stored-proc-configuring.html"""

_NO_GRANT_DEFINED = 1141
_Connection: TypeAlias = "pymysql.connections.Connection[Any]"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSource:
    """What a source shall be.

    Attributes:
        schema: The captured one.
        binlog_retention_hours: How long RDS keeps its binlog; from 1 to 168.
        simulated_shop: Whether the user plays the shop, too.

    """

    schema: str
    binlog_retention_hours: int
    simulated_shop: bool = False


class SourcePreparation:
    """One server.

    Args:
        administrator: It, as who may create users.
        login: It, as the user that Shoplake logs in as.
        wanted: What it shall be.

    Raises:
        ConfigError: Both are one user.

    """

    def __init__(self, administrator: MySqlEndpoint, login: MySqlEndpoint, wanted: WantedSource) -> None:
        if administrator.user == login.user:
            raise ConfigError(
                f'source.user is "{login.user}", the administrator of the new server',
                hint="name another user in shoplake.toml: this one would lose its rights",
            )
        self._administrator = administrator
        self._login = login
        self._wanted = wanted

    def has_user(self) -> bool:
        """Whether there is a user of that name at all. Only reads."""
        with self._connected() as connection:
            return self._rights(connection) is not None

    def missing(self) -> list[str]:
        """What is not as it shall be, in words; empty where the source is prepared. Only reads.

        Raises:
            CredentialError: The administrator's login is refused.
            ResourceError: Nobody answers.

        """
        with self._connected() as connection:
            return self._missing(connection)

    def prepare(self) -> list[str]:
        """What was done, in words; empty where nothing had to be.

        Raises:
            CredentialError: The administrator's login is refused.
            ResourceError: Nobody answers, the server refused a statement, or did not keep what it was told.
            SourceError: It is not set up for exact replication; every setting is named.

        """
        with self._connected() as connection:
            facts = read_server_facts(connection)
            done = [
                *self._make_schema(connection),
                *self._make_user(connection),
                *self._make_marker(connection),
                *self._grant(connection, facts),
                *self._keep_binlog(connection),
            ]
            faults = _faults(facts)
            if faults:
                raise SourceError(
                    "the new MySQL is not set up for exact replication: " + "; ".join(faults),
                    hint="correct its parameter group, restart it where that waits for it, then apply again",
                )
            missing = self._missing(connection)
        if missing:
            raise ResourceError(
                "the source was prepared and is not as it shall be: " + "; ".join(missing),
                hint="somebody else may be changing it: apply again",
            )
        return done

    def withdraw(self) -> list[str]:
        """What was done: the user is gone, and everything else is left, for it is data."""
        with self._connected() as connection:
            if self._rights(connection) is None:
                return []
            execute(connection, f"DROP USER {self._account(connection)}")
            return [f"dropped user {self._login.user}"]

    @contextmanager
    def _connected(self) -> Iterator[_Connection]:
        connection = connect(self._administrator)
        try:
            execute(connection, "SET SESSION sql_mode = ''")  # how names are quoted
            yield connection
        finally:
            connection.close()

    def _account(self, connection: _Connection) -> str:
        return f"{connection.escape(self._login.user)}@'%'"

    def _missing(self, connection: _Connection) -> list[str]:
        facts = read_server_facts(connection)
        missing = [] if self._has_schema(connection) else [f"schema {self._wanted.schema}"]
        found = self._rights(connection)
        if found is None:
            missing.append(f"user {self._login.user}")
        else:
            needed = self._needed(facts)
            missing += [] if self._logs_in() else [f"the secret's password for user {self._login.user}"]
            missing += [f"{' '.join(sorted(r))} on {scope}" for scope, r in lacking_rights(needed, found).items()]
            missing += [f"not {' '.join(sorted(r))} on {scope}" for scope, r in excess_rights(needed, found).items()]
        missing += [] if has_marker_table(connection) else [f"table {MARKER_SCHEMA}.{MARKER_TABLE}"]
        if (hours := retention_hours(connection)) not in {None, self._wanted.binlog_retention_hours}:
            missing.append(f"{RETENTION_SETTING} {self._wanted.binlog_retention_hours}, found {hours}")
        return missing + _faults(facts)

    def _needed(self, facts: ServerFacts) -> Grants:
        return needed_rights(self._wanted.schema, flavour=facts.flavour, simulated_shop=self._wanted.simulated_shop)

    def _has_schema(self, connection: _Connection) -> bool:
        sql = "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s"
        return bool(fetch_all(connection, sql, (self._wanted.schema,)))

    def _make_schema(self, connection: _Connection) -> list[str]:
        if self._has_schema(connection):
            return []
        execute(connection, f"CREATE DATABASE {quote_name(self._wanted.schema)} CHARACTER SET utf8mb4")
        return [f"created schema {self._wanted.schema}"]

    def _make_user(self, connection: _Connection) -> list[str]:
        if self._rights(connection) is None:
            self._set_password(connection, "CREATE USER")
            return [f"created user {self._login.user}"]
        if self._logs_in():
            return []
        self._set_password(connection, "ALTER USER")
        return [f"set the password of user {self._login.user}"]

    def _set_password(self, connection: _Connection, verb: str) -> None:
        try:
            execute(connection, f"{verb} %s@'%%' IDENTIFIED BY %s", (self._login.user, self._login.password))
        except (ResourceError, CredentialError) as error:
            # the server's words may hold the password
            raise ResourceError(
                f"MySQL refused {verb} for {self._login.user} (error {error.values.get('errno')})",
                hint="check the server's rules for passwords",
            ) from None

    def _logs_in(self) -> bool:
        try:
            connect(self._login).close()
        except CredentialError:
            return False
        return True

    def _make_marker(self, connection: _Connection) -> list[str]:
        # a capture that starts before its first run finds the table there
        if has_marker_table(connection):
            return []
        ensure_marker_table(connection)
        return [f"created table {MARKER_SCHEMA}.{MARKER_TABLE}"]

    def _rights(self, connection: _Connection) -> Grants | None:
        """The user's rights; None where there is no such user."""
        try:
            rows = fetch_all(connection, f"SHOW GRANTS FOR {self._account(connection)}")
        except ResourceError as error:
            if error.values.get("errno") != _NO_GRANT_DEFINED:
                raise
            return None
        return granted_rights(str(row[0]) for row in rows)

    def _grant(self, connection: _Connection, facts: ServerFacts) -> list[str]:
        account, needed, done = self._account(connection), self._needed(facts), []
        found = self._rights(connection) or {}
        if excess_rights(needed, found):
            for scope in found:
                if scope.startswith("role "):
                    execute(connection, f"REVOKE {scope.removeprefix('role ')} FROM {account}")
            execute(connection, f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {account}")
            done.append(f"revoked all rights of user {self._login.user}, which were more than it needs")
            found = {}
        for statement in grant_statements(lacking_rights(needed, found), account):
            execute(connection, statement)
            done.append(statement.replace(account, self._login.user))
        return done

    def _keep_binlog(self, connection: _Connection) -> list[str]:
        hours = self._wanted.binlog_retention_hours
        if retention_hours(connection) in {None, hours}:
            return []
        execute(connection, "CALL mysql.rds_set_configuration(%s, %s)", (RETENTION_SETTING, hours))
        return [f"set {RETENTION_SETTING} to {hours}"]


def _faults(facts: ServerFacts) -> list[str]:
    return [f"{c.name} is {c.found}, expected {c.expected}" for c in checks_of_server(facts) if not c.ok]


def has_marker_table(connection: _Connection) -> bool:
    """Whether the marker's table is there."""
    sql = "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
    return bool(fetch_all(connection, sql, (MARKER_SCHEMA, MARKER_TABLE)))


def retention_hours(connection: _Connection) -> int | None:
    """How long RDS keeps binlogs, 0 for as long as it likes; None where the server is not RDS's."""
    sql = "SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'mysql' AND ROUTINE_NAME = %s"
    if not fetch_all(connection, sql, ("rds_show_configuration",)):
        return None
    settings = {str(row[0]): row[1] for row in fetch_all(connection, "CALL mysql.rds_show_configuration")}
    return int(settings.get(RETENTION_SETTING) or 0)
