"""The job as Glue runs it: real MySQL, S3, catalogue, warehouse and secret; the functions near MySQL are the test's own."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import boto3
import psycopg
import pytest
from botocore.exceptions import ClientError
from shoplake_core.bronze import table_prefix
from shoplake_core.clock import SkipClock, SystemClock
from shoplake_core.names import LOCAL_ACCOUNT, MARKER_SCHEMA, MARKER_TABLE, FunctionName, ResourceNames
from shoplake_core.project import project_from_files
from shoplake_mysql.marker import commit_marker, ensure_marker_table
from shoplake_reconciliation.functions_aws import Functions, lambda_client
from shoplake_reconciliation.job_edge_aws import run_job
from shoplake_reconciliation.source_side import read_source
from shoplake_reconciliation.source_transfer import source_reading_to_bytes

from .conftest import GOLD, SILVER, changed

KEY_HEX = "ab" * 32
LOOKS_IN_VAIN = 2


class NearMySql:
    """Lambda, with the functions that stand near the real MySQL. `hooks` are called before one is."""

    def __init__(self, shop):
        self.shop, self.called, self.hooks, self.looks = shop, [], {}, 0
        ensure_marker_table(shop.connection)

    def invoke(self, *, FunctionName, Payload):  # noqa: N803 - boto3's own names
        name = FunctionName.removeprefix(f"{self.shop.names.prefix}-").replace("-", "_")
        event = json.loads(Payload)
        self.called.append((name, event))
        try:
            self.hooks.get(name, lambda: None)()
            answer = {"Payload": getattr(self, name)(event)}
        except AssertionError as error:
            answer = {"FunctionError": "Unhandled", "Payload": {"errorType": "SourceError", "errorMessage": str(error)}}
        return answer | {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer["Payload"]).encode())}

    def source_reading(self, event):
        shop = self.shop
        reading = read_source(shop.mysql, list(shop.silver.values()), schema=shop.schema, masking_key=shop.key)
        key = f"runs/{event['run_id']}/source-reading.zip"
        shop.put(shop.names.artifacts_bucket, key, source_reading_to_bytes(reading))
        return {"key": key, "position": reading.position, "taken_at": reading.taken_at.isoformat()}

    def source_marker(self, _event):
        commit_marker(self.shop.connection, self.shop.environment)
        return {"token": self.shop.environment, "after": table_prefix(MARKER_SCHEMA, MARKER_TABLE)}

    def bronze_state(self, event):
        self.looks += 1
        return {"marker_arrived": event["token"] == self.shop.environment and self.looks > LOOKS_IN_VAIN}


class Job:
    """The job in a shop's environment."""

    def __init__(self, shop, near, capsys):
        self.shop, self.near, self.capsys = shop, near, capsys

    def run(self, *more, run_id="run-1"):
        """Exit code, report, last line of the output, last line of the errors."""
        names = self.shop.names
        key = f"runs/{run_id}/reconciliation.json"
        argv = self.arguments(key, run_id, *more)
        clock = SkipClock(SystemClock().now())
        code = run_job(argv, self.variables, clock=clock, lambda_of=lambda _region: self.near)
        told = self.capsys.readouterr()
        try:
            body = self.shop.s3.get_object(Bucket=names.artifacts_bucket, Key=key)["Body"].read()
        except ClientError:
            body = b"{}"
        return code, json.loads(body), *(text.splitlines()[-1:] for text in (told.out, told.err))

    @property
    def variables(self):
        return {
            "AWS_ENDPOINT_URL_S3": self.shop.aws.object_store.url,
            "AWS_ENDPOINT_URL_GLUE": self.shop.aws.endpoint.url,
        }

    def arguments(self, key, run_id, *more):
        names = self.shop.names
        argv = ["--project", f"s3://{names.artifacts_bucket}/project.json", "--JOB_NAME", names.job("reconcile")]
        argv += ["--environment", names.environment, "--account", names.account, "--region", names.region]
        argv += ["--run_id", run_id, "--summary", f"s3://{names.artifacts_bucket}/{key}"]
        return [*argv, "--masking_secret", names.masking_secret, *more]

    def hold_the_lock(self, execution):
        body = json.dumps({"holder": execution}).encode()
        self.shop.put(self.shop.names.artifacts_bucket, "locks/run.json", body)


@pytest.fixture(scope="module")
def built(mysql_server, local_aws, new_shop):
    """An environment of its own with all its layers, by its own names."""
    at = local_aws.warehouse
    with psycopg.connect(
        host=at.host, port=at.port, user=at.user, password=at.password, dbname=at.database, autocommit=True
    ) as warehouse:
        warehouse.execute("CREATE DATABASE shop")
    aws = replace(local_aws, warehouse=replace(at, database="shop"))
    shop = new_shop(mysql_server.endpoint, aws, names_type=ResourceNames)
    assert (shop.names.account, shop.names.warehouse_database) == (LOCAL_ACCOUNT, "shop")
    aws.client("secretsmanager").create_secret(Name=shop.names.masking_secret, SecretString=KEY_HEX)
    shop.key = replace(shop.key, secret=bytes.fromhex(KEY_HEX))
    files = {
        "shoplake.toml": f'[source]\nschema = "{shop.schema}"\n',
        **{f"contracts/silver/{name}.toml": text for name, text in SILVER.items()},
        **{f"contracts/gold/{name}.toml": text for name, text in GOLD.items()},
        **{f"gold/{name}.sql": "SELECT 1" for name in GOLD},
        **{f"gold/touched.{name}.{read}.sql": "" for name in GOLD for read in shop.gold[name].reads},
    }
    bundle = project_from_files(files).bundle().encode()
    shop.put(shop.names.artifacts_bucket, "project.json", bundle)
    shop.fill()
    shop.run_silver()
    shop.run_gold()
    shop.run_warehouse()
    yield shop
    shop.connection.close()


@pytest.fixture
def job(built, capsys, monkeypatch):
    at = built.aws.endpoint
    for name, value in {
        "AWS_ENDPOINT_URL": at.url,
        "AWS_ACCESS_KEY_ID": at.access_key_id,
        "AWS_SECRET_ACCESS_KEY": at.secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # another test of this process may have left one
    return Job(built, NearMySql(built), capsys)


def test_layers_that_agree_end_green_with_the_report_at_the_summarys_place(job):
    job.hold_the_lock("arn:mine")
    code, report, out, err = job.run("--execution_arn", "arn:mine")
    assert (code, err) == (0, [])
    assert (report["job"], report["run_id"], report["agree"]) == ("reconcile", "run-1", True)
    assert {table["table"] for table in report["tables"]} == set(SILVER)
    orders = next(table for table in report["tables"] if table["table"] == "orders")
    assert [(name, layer["rows"]) for name, layer in orders["layers"].items()] == [
        ("mysql", 12),
        ("silver", 11),
        ("gold", 11),
        ("warehouse", 11),
    ]
    assert out == [f"reconcile: {len(SILVER)} tables agree at {report['cut']['position']}"]
    names = [name for name, _ in job.near.called]
    assert names == ["source_reading", "source_marker", *["bronze_state"] * (LOOKS_IN_VAIN + 1)]
    assert job.near.called[0][1] == {"run_id": "run-1"}
    assert job.near.called[-1][1]["execution_arn"] == "arn:mine"


def test_silver_that_another_run_writes_after_it_was_pinned_is_no_disagreement(job):
    shop = job.shop

    def another_run():
        shop.change("U", "tags", "tag = 'zebra'", "UPDATE @tags SET weight = 77 WHERE tag = 'zebra'")
        shop.run_silver("tags")

    job.near.hooks["source_reading"] = another_run
    code, report, _, _ = job.run(run_id="run-2")
    assert (code, report["agree"]) == (0, True)
    tags = next(table for table in report["tables"] if table["table"] == "tags")
    assert tags["rows_in_flight"] == 1


def test_layers_that_disagree_end_red_by_one_line_and_leave_the_whole_report(job):
    job.shop.run_gold("fct_order", tamper=changed("total", Decimal("1.00"), {"order_id": Decimal(3)}))
    try:
        code, report, _, err = job.run(run_id="run-3")
    finally:
        job.shop.run_gold("fct_order")
        job.shop.run_warehouse()
    assert (code, report["agree"]) == (1, False)
    (finding, *_) = next(table for table in report["tables"] if table["table"] == "orders")["findings"]
    assert finding["found_in"] == "gold"
    place = f"s3://{job.shop.names.artifacts_bucket}/runs/run-3/reconciliation.json"
    assert err[0].startswith("reconcile: DISAGREE: the layers disagree")
    assert "orders (" in err[0]
    assert place in err[0]


def lock_with_another(job):
    job.hold_the_lock("arn:other")


def reading_of_another(job):
    answer = job.near.source_reading
    job.near.source_reading = lambda event: answer(event) | {"position": "binlog.000001:4"}


def failing_function(job):
    def fail():
        raise AssertionError("orders is not there")

    job.near.hooks["source_reading"] = fail


def lagging_bronze(job):
    job.near.bronze_state = lambda _event: {"marker_arrived": False}


@pytest.mark.parametrize(
    ("spoil", "code", "told", "calls"),
    [
        (lock_with_another, 4, "CONFLICT: arn:mine does not hold the run lock, which is held by arn:other", 0),
        (reading_of_another, 1, "another one took its place", 1),
        (failing_function, 4, "source-reading failed: SourceError: orders is not there", 1),
        (lagging_bronze, 4, "bronze does not hold marker", 2 + 61),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_keeps_it_from_a_verdict_is_told_in_one_line_and_leaves_no_report(job, spoil, code, told, calls):
    job.hold_the_lock("arn:mine")
    spoil(job)
    more = ("--execution_arn", "arn:mine", "--bronze_wait_seconds", "300")
    found, report, _, err = job.run(*more, run_id=spoil.__name__)
    assert (found, report) == (code, {})
    assert told in err[0]
    assert "; next: " in err[0]
    assert len(job.near.called) == calls


class BusyLambda:
    """Refuses a few calls, then answers."""

    def __init__(self, *codes):
        self.codes, self.calls = list(codes), 0

    def invoke(self, **_):
        self.calls += 1
        if self.codes:
            raise ClientError({"Error": {"Code": self.codes.pop(0), "Message": "busy"}}, "Invoke")
        return {"Payload": io.BytesIO(b"{}")}


def test_functions_are_called_again_only_where_lambda_did_not_begin_and_the_client_outwaits_them(job):
    clock = SkipClock(SystemClock().now())
    busy = BusyLambda("TooManyRequestsException", "EC2ThrottledException")
    assert Functions(client=busy, names=job.shop.names, clock=clock).answer(FunctionName.SOURCE_MARKER, {}) == {}
    assert (busy.calls, clock.monotonic_seconds()) == (3, 6.0)
    broken = BusyLambda("ServiceException")
    with pytest.raises(Exception, match="could not be called"):
        Functions(client=broken, names=job.shop.names, clock=clock).answer(FunctionName.SOURCE_MARKER, {})
    assert broken.calls == 1
    config = lambda_client("eu-central-1").meta.config
    assert config.read_timeout > 900
    assert config.retries["total_max_attempts"] == 1


class RefusedLogins:
    """MySQL refuses the function's first logins, then answers."""

    def __init__(self, refused):
        self.refused, self.calls = refused, 0

    def invoke(self, **_):
        self.calls += 1
        if self.calls > self.refused:
            return {"Payload": io.BytesIO(b"{}")}
        told = {"errorType": "CredentialError", "errorMessage": "Access denied"}
        return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(told).encode())}


def test_a_login_refused_while_the_secret_was_rotated_is_tried_once_more(job):
    clock = SkipClock(SystemClock().now())
    once = RefusedLogins(1)
    assert Functions(client=once, names=job.shop.names, clock=clock).answer(FunctionName.SOURCE_READING, {}) == {}
    assert (once.calls, clock.monotonic_seconds()) == (2, 5.0)
    for_good = RefusedLogins(9)
    with pytest.raises(Exception, match="failed: CredentialError: Access denied"):
        Functions(client=for_good, names=job.shop.names, clock=clock).answer(FunctionName.SOURCE_READING, {})
    assert for_good.calls == 2


def test_outside_of_a_run_no_lock_is_asked_for(job):
    job.hold_the_lock("arn:other")
    code, _, _, _ = job.run(run_id="run-4")
    assert code == 0
    assert all("execution_arn" not in event for _, event in job.near.called)


def test_script_is_a_process_that_ends_with_the_code_and_the_line(job):
    job.hold_the_lock("arn:other")
    arguments = job.arguments("runs/run-5/reconciliation.json", "run-5", "--execution_arn", "arn:mine")
    done = subprocess.run(
        [sys.executable, "-m", "shoplake_reconciliation.jobs.reconcile", *arguments],
        env={**os.environ, **job.variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4
    assert done.stderr.startswith("reconcile: CONFLICT: arn:mine does not hold the run lock")
    assert done.stderr.count("\n") == 1
