"""A rotation as Secrets Manager drives it, on a real server's user."""

import json
import uuid
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from shoplake_core.errors import ConfigError, CredentialError, ResourceError
from shoplake_core.names import LOCAL_ACCOUNT, ResourceNames
from shoplake_functions import handlers
from shoplake_functions.environment import FunctionEnvironment
from shoplake_functions.rotate_source_secret import password_changes
from shoplake_functions.source_secret import endpoint_of
from shoplake_mysql.connections import connect, execute, fetch_all
from shoplake_mysql.server_facts import Flavour, read_server_facts

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class SecretsManager:
    """One secret and its versions, by Secrets Manager's rules. Neither moto nor the local AWS begins a rotation."""

    def __init__(self, value):
        self.values = {"v0": value}
        self.stages = {"v0": ["AWSCURRENT"]}
        self.rotated = False

    def begin(self):
        """A new version is there without a value, as the first call of the function finds it."""
        self.rotated, token = True, str(uuid.uuid4())
        self.stages = {version: [s for s in own if s != "AWSPENDING"] for version, own in self.stages.items()}
        self.stages[token] = ["AWSPENDING"]
        return token

    def describe_secret(self, **_request):
        return {"RotationEnabled": self.rotated, "VersionIdsToStages": {v: list(own) for v, own in self.stages.items()}}

    def get_secret_value(self, **request):
        for version, own in self.stages.items():
            asked = request["VersionStage"] in own and request.get("VersionId") in {None, version}
            if asked and version in self.values:
                return {"SecretString": self.values[version]}
        raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no value"}}, "GetSecretValue")

    def put_secret_value(self, **request):
        token, value = request["ClientRequestToken"], request["SecretString"]
        if self.values.setdefault(token, value) != value:
            raise ClientError({"Error": {"Code": "ResourceExistsException", "Message": "it has one"}}, "PutSecretValue")
        self.stages[token] = request["VersionStages"]

    def update_secret_version_stage(self, **request):
        assert request["VersionStage"] == "AWSCURRENT"
        assert "AWSCURRENT" in self.stages[request["RemoveFromVersionId"]]
        self.stages = {v: [s for s in own if s != "AWSPREVIOUS"] for v, own in self.stages.items()}
        self.stages[request["RemoveFromVersionId"]] = ["AWSPREVIOUS"]
        self.stages[request["MoveToVersionId"]].append("AWSCURRENT")


class Secret:
    """The source's secret, and the steps taken on it."""

    name = "shoplake/test/source"

    def __init__(self, manager):
        self.client = manager

    def start(self):
        self.token = self.client.begin()

    def take(self, *steps):
        for step in steps:
            event = {"SecretId": self.name, "ClientRequestToken": self.token, "Step": step}
            assert handlers.rotate_source_secret(event, None) == {}

    def value(self, stage="AWSCURRENT"):
        return json.loads(self.client.get_secret_value(SecretId=self.name, VersionStage=stage)["SecretString"])

    def put_pending(self, **changes):
        value = json.dumps(self.value() | changes)
        self.client.put_secret_value(
            SecretId=self.name, ClientRequestToken=self.token, SecretString=value, VersionStages=["AWSPENDING"]
        )


@pytest.fixture
def secret(mysql_server, connection, monkeypatch):
    user, at = f"rotated_{uuid.uuid4().hex[:8]}", mysql_server.endpoint
    for host in ("%", "127.0.0.1"):
        execute(connection, f"CREATE USER {user}@'{host}' IDENTIFIED BY 'first'")
    manager = SecretsManager(json.dumps({"host": at.host, "port": at.port, "username": user, "password": "first"}))
    monkeypatch.setattr(FunctionEnvironment, "client", lambda _self, _service: manager)
    environment = FunctionEnvironment(ResourceNames("test", LOCAL_ACCOUNT, "eu-central-1"), "s3://none/none")
    monkeypatch.setattr(handlers, "_environment", lambda: environment)
    yield Secret(manager)
    for host in ("%", "127.0.0.1"):
        execute(connection, f"DROP USER {user}@'{host}'")


def logs_in(fields):
    try:
        connect(endpoint_of(fields)).close()
    except CredentialError:
        return False
    return True


def test_every_step_may_be_repeated_and_the_new_password_alone_is_valid_at_the_end(secret):
    old = secret.value()
    open_login = connect(endpoint_of(old))
    secret.start()
    for step in STEPS:
        secret.take(step, step)
        if step == "createSecret":
            new = secret.value("AWSPENDING")
    assert secret.value() == new
    assert {**new, "password": ""} == {**old, "password": ""}
    assert new["password"].isascii()
    assert len(new["password"]) == 32
    assert logs_in(new)
    assert not logs_in(old)
    assert fetch_all(open_login, "SELECT 1") == [(1,)]
    open_login.close()
    secret.take(*STEPS)  # a late repetition of the whole changes nothing
    assert secret.value() == new
    secret.start()
    secret.take(*STEPS)
    assert not logs_in(new)
    assert logs_in(secret.value())


def test_a_rotation_that_breaks_off_after_mysql_was_changed_goes_on(secret):
    secret.start()
    secret.take("createSecret", "setSecret")
    assert not logs_in(secret.value())
    secret.take("setSecret", "testSecret", "finishSecret")
    assert logs_in(secret.value())


def test_the_previous_password_is_taken_where_the_server_fell_back_to_it(secret, connection):
    secret.start()
    secret.take(*STEPS)
    fields = secret.value()
    execute(connection, f"ALTER USER {fields['username']}@'127.0.0.1' IDENTIFIED BY 'first'")
    secret.start()
    secret.take(*STEPS)
    assert logs_in(secret.value())
    execute(connection, f"ALTER USER {fields['username']}@'127.0.0.1' IDENTIFIED BY 'somebody else'")
    secret.start()
    secret.take("createSecret")
    with pytest.raises(CredentialError, match="neither the pending, nor the current, nor the previous one"):
        secret.take("setSecret")


def test_what_is_not_a_rotation_is_refused(secret):
    event = {"SecretId": secret.name, "ClientRequestToken": str(uuid.uuid4()), "Step": "createSecret"}
    with pytest.raises(ConfigError, match="is not rotated"):
        handlers.rotate_source_secret(event, None)
    secret.start()
    with pytest.raises(ConfigError, match="is not there to be rotated to"):
        handlers.rotate_source_secret(event, None)
    with pytest.raises(ConfigError, match=r'unknown step "rollBack" .*\n  next: one of: createSecret, setSecret'):
        handlers.rotate_source_secret(event | {"Step": "rollBack"}, None)
    stray = str(uuid.uuid4())
    secret.client.put_secret_value(
        SecretId=secret.name, ClientRequestToken=stray, SecretString="{}", VersionStages=["BY_HAND"]
    )
    with pytest.raises(ConfigError, match="is not staged as AWSPENDING"):
        handlers.rotate_source_secret(event | {"ClientRequestToken": stray}, None)


def test_a_pending_version_for_another_server_gets_no_password(secret):
    secret.start()
    secret.put_pending(password="x", host="203.0.113.9")
    with pytest.raises(ConfigError, match="has another host"):
        secret.take("setSecret")
    assert logs_in(secret.value())


def test_no_refusal_shows_a_password(secret, connection):
    execute(connection, f"GRANT SELECT ON mysql.* TO {secret.value()['username']}@'%'")
    secret.start()
    secret.put_pending(password="Top-Secret-1")
    execute(connection, "SET GLOBAL read_only = 1")
    try:
        with pytest.raises(ResourceError) as refused:
            secret.take("setSecret")
    finally:
        execute(connection, "SET GLOBAL read_only = 0")
    assert "error 1290" in str(refused.value)
    cause = refused.value.__cause__ or refused.value
    assert "Top-Secret-1" not in f"{refused.value!r}{cause!r}"


@pytest.mark.parametrize(
    ("flavour", "version", "first"),
    [
        (Flavour.MYSQL, (8, 4, 3), "ALTER USER CURRENT_USER() IDENTIFIED BY %s RETAIN CURRENT PASSWORD"),
        (Flavour.MYSQL, (8, 0, 13), "ALTER USER CURRENT_USER() IDENTIFIED BY %s"),
        (Flavour.MARIADB, (11, 8, 0), "SET PASSWORD = PASSWORD(%s)"),
    ],
    ids=["MySQL with two passwords", "MySQL with one", "MariaDB"],
)
def test_the_old_password_stays_valid_where_the_server_can_keep_it(connection, flavour, version, first):
    statements = password_changes(replace(read_server_facts(connection), flavour=flavour, version=version))
    assert statements[0] == first
    assert "RETAIN" not in statements[-1]
