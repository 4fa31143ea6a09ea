"""The shop as Lambda calls it: a real server behind a secret, and a project's bundle, both in an AWS played by moto."""

import json
import time
import uuid

import boto3
import pytest
from moto import mock_aws
from shoplake_core.errors import ConfigError, CredentialError
from shoplake_core.project import project_from_files
from shoplake_datagen import ShopNotEmptyError, handler
from shoplake_datagen.schema import TABLE_NAMES

ORDERS = 'grain = "one row per order"\nkey = ["order_id"]\n[columns.order_id]\ntype = "uint64"\n'
REGION = "eu-central-1"


class Context:
    """A function with so many seconds left."""

    def __init__(self, seconds=900.0, memory_mb=1024):
        self.memory_limit_in_mb = memory_mb
        self.until = time.monotonic() + seconds

    def get_remaining_time_in_millis(self):
        return max(0, int((self.until - time.monotonic()) * 1000))


@pytest.fixture
def environment(mysql_server, monkeypatch):
    """A schema of its own in the project's bundle, the login in the secret, the variables of the function."""
    schema = f"shop_{uuid.uuid4().hex[:8]}"
    variables = {
        "AWS_ACCESS_KEY_ID": "AKIDTEST",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SHOPLAKE_ENVIRONMENT": "dev",
        "SHOPLAKE_ACCOUNT": "123456789012",
        "SHOPLAKE_REGION": REGION,
        "SHOPLAKE_PROJECT": "s3://artifacts/code/project.json",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    files = {"shoplake.toml": f'[source]\nschema = "{schema}"\n', "contracts/silver/orders.toml": ORDERS}
    at = mysql_server.endpoint
    login = {"host": at.host, "port": at.port, "username": at.user, "password": at.password}
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket="artifacts", Key="code/project.json", Body=project_from_files(files).bundle())
        secrets = boto3.client("secretsmanager", region_name=REGION)
        secrets.create_secret(Name="shoplake/dev/source", SecretString=json.dumps(login))
        yield secrets


def call(context=None, **event):
    return json.loads(json.dumps(handler.shop(event, context or Context())))


def test_a_shop_is_seeded_loaded_and_counted(environment):
    assert call(action="status")["missing_tables"] == list(TABLE_NAMES)
    event = {"action": "seed", "orders": 400, "reference_time": "2026-03-31T12:00:00+00:00"}
    seeded = call(**event)
    assert (seeded["complete"], seeded["rows"]["orders"]) == (True, 400)
    assert seeded["faults"] > 0
    assert call(action="status")["rows"] == seeded["rows"]
    loaded = call(action="load", seconds=1, rate=30)
    assert loaded["complete"] is True
    assert loaded["completed"] == loaded["requested"] == sum(loaded["transactions"].values()) > 0
    assert call(action="load", seconds=0.2, rate=30, seed="2026-03-31T12:05:00Z")["completed"] > 0
    with pytest.raises(ShopNotEmptyError):
        call(**event)
    assert call(**event, replace=True)["rows"] == seeded["rows"]


def test_a_load_ends_before_the_function_does_and_says_so(environment):
    call(action="seed", orders=300)
    context = Context(seconds=handler._MARGIN_SECONDS + 2.5)
    loaded = call(context, action="load", seconds=600, rate=20)
    assert context.get_remaining_time_in_millis() > 2_000
    assert (loaded["complete"], loaded["asked_seconds"]) == (False, 600)
    assert 0 < loaded["completed"] < 600


def test_a_seed_that_is_cut_off_says_how_to_go_on(environment):
    cut = call(Context(seconds=1), action="seed", orders=300)
    assert cut["complete"] is False
    assert 'seed again with "replace": true' in cut["next"]
    assert cut["rows"]["orders"] == 0
    assert call(action="seed", orders=300, replace=True)["rows"]["orders"] == 300


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"action": "drop"}, "unknown action 'drop'"),
        ({}, "unknown action None"),
        ({"action": "seed", "order": 5}, '"order" is no field of the action seed'),
        ({"action": "seed", "orders": "5"}, "\"orders\" is '5'"),
        ({"action": "seed", "orders": True}, '"orders" is True'),
        ({"action": "seed", "orders": 600_000}, "more than a function of 1024 MB holds"),
        ({"action": "seed", "reference_time": "2026-03-31T12:00:00"}, "is no time with a zone"),
        ({"action": "load"}, "a load needs its time"),
        ({"action": "load", "seconds": 5, "seed": 1.5}, '"seed" is 1.5'),
        ({"action": "load", "seconds": 5, "profile": "wild"}, 'unknown profile "wild"'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_event_is_refused_before_anything_is_read(event, message):
    with pytest.raises(ConfigError) as refused:
        handler.shop(event, Context())
    assert message in str(refused.value)


def test_a_secret_of_another_form_is_refused_without_showing_it(environment, monkeypatch):
    environment.put_secret_value(SecretId="shoplake/dev/source", SecretString="p4ssw0rd")
    with pytest.raises(CredentialError, match="is not of the expected form") as refused:
        call(action="status")
    assert refused.value.__cause__ is None
    monkeypatch.delenv("SHOPLAKE_PROJECT")
    with pytest.raises(ConfigError, match="lacks SHOPLAKE_PROJECT"):
        call(action="status")
