"""A new MySQL made ready by its administrator, on a real server; RDS's two procedures are played by procedures."""

import dataclasses
import json
import uuid

import pytest
from shoplake_core.errors import ConfigError, CredentialError, ResourceError, SourceError
from shoplake_core.names import MARKER_SCHEMA, MARKER_TABLE
from shoplake_functions import handlers
from shoplake_functions.environment import FunctionEnvironment
from shoplake_functions.prepare_source import SourcePreparation, WantedSource
from shoplake_functions.source_grants import granted_rights, scope_of
from shoplake_mysql.connections import connect, execute, fetch_all
from shoplake_mysql.snapshot import open_snapshot

PASSWORD = "Not-To-Be-Seen-1"
ADMINISTRATOR_SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1a2b-AbCdEf"
RDS = (
    "CREATE TABLE IF NOT EXISTS mysql.rds_configuration (name varchar(99) PRIMARY KEY, value int, description text)",
    "REPLACE INTO mysql.rds_configuration VALUES ('binlog retention hours', NULL, 'how long')",
    "CREATE OR REPLACE PROCEDURE mysql.rds_show_configuration() SELECT * FROM mysql.rds_configuration",
    """CREATE OR REPLACE PROCEDURE mysql.rds_set_configuration(n varchar(99), v int)
    UPDATE mysql.rds_configuration SET value = v WHERE name = n""",
)


class Secrets(dict):
    """Secrets Manager with these secrets in it: name -> text."""

    def get_secret_value(self, SecretId):  # noqa: N803 - AWS's own name
        return {"SecretString": self[SecretId]}


@pytest.fixture
def source(mysql_server, connection):
    """A preparation of a schema whose name holds both of MySQL's wildcards but one, by a user of its own."""
    name = f"new_{uuid.uuid4().hex[:8]}"
    at = mysql_server.endpoint
    execute(connection, f"CREATE USER {name}_root@'%' IDENTIFIED BY 'master'")
    execute(connection, f"GRANT ALL ON *.* TO {name}_root@'%' WITH GRANT OPTION")
    administrator = dataclasses.replace(at, user=f"{name}_root", password="master")
    login = dataclasses.replace(at, user=f"{name}_user", password=PASSWORD)
    execute(connection, f"DROP TABLE IF EXISTS {MARKER_SCHEMA}.{MARKER_TABLE}")

    def made(**wanted):
        settings = {"schema": name, "binlog_retention_hours": 72} | wanted
        return SourcePreparation(administrator, login, WantedSource(**settings))

    made.name, made.login, made.administrator = name, login, administrator
    yield made
    for user in (login.user, administrator.user):
        execute(connection, f"DROP USER IF EXISTS {user}@'%'")


@pytest.fixture
def rds(connection):
    for statement in RDS:
        execute(connection, statement)
    yield lambda: fetch_all(connection, "SELECT value FROM mysql.rds_configuration")[0][0]
    for what in ("TABLE mysql.rds_configuration", *(f"PROCEDURE mysql.rds_{v}_configuration" for v in ("set", "show"))):
        execute(connection, f"DROP {what}")


def rights(connection, source):
    lines = [row[0] for row in fetch_all(connection, f"SHOW GRANTS FOR {source.login.user}@'%'")]
    return {scope: set(held) for scope, held in granted_rights(lines).items()}


def test_a_new_server_gets_schema_user_rights_marker_and_retention_once(source, connection, rds):
    preparation = source()
    assert preparation.missing() == [
        f"schema {source.name}",
        f"user {source.login.user}",
        "table shoplake.marker",
        "binlog retention hours 72, found 0",
    ]
    done = preparation.prepare()
    assert [line.split()[0] for line in done] == ["created", "created", "created", "GRANT", "GRANT", "GRANT", "set"]
    assert PASSWORD not in str(done)
    assert rds() == 72
    assert rights(connection, source) == {
        "*.*": {"REPLICATION CLIENT", "REPLICATION SLAVE"},
        f"`{source.name.replace('_', chr(92) + '_')}`.*": {"SELECT"},
        "`shoplake`.*": {"SELECT", "INSERT"},
    }
    assert (preparation.missing(), preparation.prepare()) == ([], [])


def test_the_user_can_do_its_work_and_nothing_else(source, connection):
    source().prepare()
    execute(connection, f"CREATE TABLE {source.name}.orders (order_id int PRIMARY KEY)")
    execute(connection, f"INSERT INTO {source.name}.orders VALUES (1)")
    with open_snapshot(source.login, tables=((source.name, "orders"),)) as snapshot:
        assert fetch_all(snapshot.connection, f"SELECT * FROM {source.name}.orders") == [(1,)]
    user = connect(source.login)
    execute(user, f"INSERT INTO {MARKER_SCHEMA}.{MARKER_TABLE} (token) VALUES ('a')")
    assert fetch_all(user, "SHOW BINARY LOGS")
    sibling = source.name.replace("_", "x")  # what the name would match if its underscore were a wildcard
    execute(connection, f"CREATE DATABASE {sibling}")
    for refused in (
        f"DELETE FROM {source.name}.orders",
        f"CREATE TABLE {source.name}.more (a int)",
        f"CREATE TABLE {sibling}.more (a int)",
        "CREATE USER somebody",
    ):
        with pytest.raises((CredentialError, ResourceError), match="denied"):
            execute(user, refused)
    user.close()
    execute(connection, f"DROP DATABASE {sibling}")


def test_what_was_changed_by_somebody_is_named_and_put_right(source, connection):
    source().prepare()
    execute(connection, f"CREATE ROLE {source.name}_role WITH ADMIN {source.administrator.user}@'%'")
    administrator = connect(source.administrator)
    execute(administrator, f"GRANT {source.name}_role TO {source.login.user}@'%'")
    administrator.close()
    execute(connection, f"GRANT DELETE ON {MARKER_SCHEMA}.* TO {source.login.user}@'%'")
    execute(connection, f"REVOKE REPLICATION SLAVE ON *.* FROM {source.login.user}@'%'")
    execute(connection, f"ALTER USER {source.login.user}@'%' IDENTIFIED BY 'another'")
    execute(connection, f"DROP TABLE {MARKER_SCHEMA}.{MARKER_TABLE}")
    missing = source().missing()
    assert [line.replace(source.name, "new") for line in missing] == [
        "the secret's password for user new_user",
        "REPLICATION SLAVE on *.*",
        "not  on role `new_role`",
        "not DELETE on `shoplake`.*",
        "table shoplake.marker",
    ]
    source().prepare()
    assert source().missing() == []
    execute(connection, f"DROP ROLE {source.name}_role")


def test_rights_follow_whether_the_user_plays_the_shop(source, connection):
    source(simulated_shop=True).prepare()
    scope = scope_of(source.name)
    playing = {"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES"}
    assert rights(connection, source)[scope] == playing
    assert source().missing() == [f"not CREATE DELETE DROP INSERT REFERENCES UPDATE on {scope}"]
    source().prepare()
    assert rights(connection, source)[scope] == {"SELECT"}


def test_a_server_that_is_not_fit_for_replication_is_refused_by_every_setting(source, connection):
    execute(connection, "SET GLOBAL binlog_format = MIXED, GLOBAL binlog_row_image = MINIMAL")
    try:
        with pytest.raises(SourceError) as refused:
            source().prepare()
        assert "binlog_format is MIXED, expected ROW; binlog_row_image is MINIMAL, expected FULL" in str(refused.value)
        assert source().missing() == refused.value.message.partition(": ")[2].split("; ")
    finally:
        execute(connection, "SET GLOBAL binlog_format = ROW, GLOBAL binlog_row_image = FULL")


def test_the_user_is_withdrawn_and_the_data_stays(source, connection):
    source().prepare()
    assert source().withdraw() == [f"dropped user {source.login.user}"]
    assert source().withdraw() == []
    assert source().missing() == [f"user {source.login.user}"]


def test_no_message_holds_a_password_and_the_administrator_is_never_the_user(source, connection, mysql_server):
    wanted = WantedSource(schema="shop", binlog_retention_hours=72)
    execute(connection, f"REVOKE ALL ON *.* FROM {source.administrator.user}@'%'")
    execute(connection, f"GRANT SELECT, CREATE ON *.* TO {source.administrator.user}@'%'")
    with pytest.raises(ResourceError, match=r"refused CREATE USER for \w+_user \(error \d+\)") as refused:
        source().prepare()
    assert PASSWORD not in f"{refused.value!r}{refused.value.__cause__!r}"
    with pytest.raises(ConfigError, match="the administrator of the new server"):
        SourcePreparation(source.administrator, source.administrator, wanted)


def test_lambda_calls_it_with_what_rds_and_we_keep_in_secrets(source, mysql_server, names, monkeypatch):
    at = mysql_server.endpoint
    login = {"host": at.host, "port": at.port, "username": source.login.user, "password": PASSWORD}
    kept = {"username": source.administrator.user, "password": "master"}  # RDS keeps no host in it
    secrets = Secrets({names.source_secret: json.dumps(login), ADMINISTRATOR_SECRET: json.dumps(kept)})
    monkeypatch.setattr(FunctionEnvironment, "client", lambda _self, _service: secrets)
    environment = FunctionEnvironment(names, "s3://none/none")
    monkeypatch.setattr(handlers, "_environment", lambda: environment)
    event = {
        "administrator_secret": ADMINISTRATOR_SECRET,
        "schema": source.name,
        "binlog_retention_hours": 72,
        "simulated_shop": False,
    }

    def call(action):
        answer = handlers.prepare_source(event | {"action": action}, None)
        assert PASSWORD not in json.dumps(answer)
        return answer

    asked = call("ask")
    assert not asked["has_user"]
    assert f"user {source.login.user}" in asked["missing"]
    assert call("prepare")["done"]
    assert call("ask") == {"has_user": True, "missing": []}
    assert call("withdraw") == {"done": [f"dropped user {source.login.user}"]}
    with pytest.raises(ConfigError, match=r"unknown action .*\n  next: ask, prepare or withdraw"):
        call("drop")
    secrets[ADMINISTRATOR_SECRET] = '{"user": "root"}'
    with pytest.raises(CredentialError, match=r"lacks username, password\n  next: it is JSON: \{\"username\": ..., "):
        call("ask")
