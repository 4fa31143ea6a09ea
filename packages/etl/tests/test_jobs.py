"""Both jobs as a user runs them: processes of their own, on SeaweedFS and the Glue catalogue of the local AWS."""

import json
import os
import subprocess
import sys

import pytest
from reference_shop import ShopRows, arrow_schema, shop_project
from shoplake_core.names import LOCAL_ACCOUNT, ResourceNames

pytestmark = pytest.mark.spark


class JobWorld:
    """An environment of a test's own on the local AWS."""

    def __init__(self, local_aws, bronze_type, environment):
        self.local = local_aws
        self.client = local_aws.client("s3")
        self.names = ResourceNames(environment=environment, account=LOCAL_ACCOUNT, region=local_aws.object_store.region)
        for bucket in self.names.buckets:
            self.client.create_bucket(Bucket=bucket)
        self.project = shop_project()
        self.client.put_object(
            Bucket=self.names.artifacts_bucket, Key="project.json", Body=self.project.bundle().encode()
        )
        self.bronze = {
            name: bronze_type(self.client, self.names.bronze_bucket, name, arrow_schema(contract.columns))
            for name, contract in self.project.silver.items()
        }

    def run(self, job, *extra, run_id="r1", code=0, **environment):
        summary = f"s3://{self.names.artifacts_bucket}/runs/{run_id}/{job}.json"
        names = self.names
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                f"shoplake_etl.jobs.{job}",
                *("--project", f"s3://{names.artifacts_bucket}/project.json"),
                *("--environment", names.environment, "--account", names.account, "--region", names.region),
                *("--run_id", run_id, "--summary", summary, "--JOB_NAME", job),
                *extra,
            ],
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.environ["HOME"],
                "AWS_ENDPOINT_URL_S3": self.local.object_store.url,
                "AWS_ENDPOINT_URL_GLUE": self.local.endpoint.url,
                "AWS_REGION": names.region,
                "AWS_ACCESS_KEY_ID": self.local.object_store.access_key_id,
                "AWS_SECRET_ACCESS_KEY": self.local.object_store.secret_access_key,
                "SHOPLAKE_MASKING_KEY": "ab" * 32,
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        self.log = done.stdout + done.stderr
        assert done.returncode == code, self.log[-6000:]
        return json.loads(done.stdout.splitlines()[-1])["tables"] if done.returncode in {0, 1} else {}


@pytest.fixture
def job_world(local_aws, tools):
    return lambda environment: JobWorld(local_aws, tools.Bronze, environment)


def test_the_reference_shop_from_bronze_to_gold_survives_kills_and_equals_a_rebuild(job_world, tools):
    """One environment through it all: a start of Spark takes seconds."""
    world = job_world("refshop")
    shop = ShopRows(int(os.environ.get("ETL_ORDERS", "200")))
    tables = shop.all()
    for name, bronze in world.bronze.items():
        bronze.load(tables[name])
    silver = world.run("bronze_to_silver")
    assert {name: table["read"] for name, table in silver.items()} == {name: len(t) for name, t in tables.items()}
    assert silver["orders"]["quarantined"] == sum(row["ship_country"] == "D3" for row in tables["orders"])
    gold = world.run("silver_to_gold")
    assert {name: table["full"] for name, table in gold.items()} == dict.fromkeys(world.project.gold, True)
    assert gold["fct_order"]["inserted"] == silver["orders"]["inserted"]

    world.bronze["orders"].changes([tools.change("U", n, **shop.order(n, "shipped")) for n in range(1, 40)])
    world.bronze["order_items"].changes([tools.change("D", 500 + n, order_id=n, line_no=2) for n in range(1, 20)])
    # a customer takes another's address, an account loses its own, stock moves, and a refund and a payment come late
    moved = [{**shop.customer(2), "email": "person3@example.com"}, {**shop.customer(4), "email": None}]
    world.bronze["customers"].changes([tools.change("U", n, **row) for n, row in enumerate(moved, start=700)])
    movement = {
        **tables["stock_movements"][8],
        "movement_id": 900,
        "kind": "receipt",
        "quantity": 7,
        "moved_at": shop.at(40),
    }
    world.bronze["stock_movements"].changes([tools.change("I", 710, **movement)])
    world.bronze["refunds"].changes([tools.change("I", 720, **{**shop.refund(800, 60), "refunded_at": shop.at(299)})])
    world.bronze["payments"].changes([tools.change("U", 730, **{**tables["payments"][70], "status": "failed"})])
    world.run("bronze_to_silver", run_id="r2", code=-9, SHOPLAKE_FAILPOINT="after-consumed-record:orders")
    again = world.run("bronze_to_silver", run_id="r3")
    assert (again["orders"]["batch"], again["orders"]["updated"]) == (2, 39)
    world.run("silver_to_gold", run_id="r3", code=-9, SHOPLAKE_FAILPOINT="after-gold-manifest:fct_sales_event")
    incremental = world.run("silver_to_gold", run_id="r4")
    assert (incremental["fct_sales_event"]["batch"], incremental["agg_sales_daily"]["batch"]) == (2, 2)

    rebuilt = world.run("silver_to_gold", "--rebuild", run_id="r5")
    assert {(t["inserted"], t["updated"], t["deleted"], t["full"]) for t in rebuilt.values()} == {(0, 0, 0, True)}
    assert "ab" * 32 not in world.log


def test_one_table_fails_the_others_finish_and_gold_says_what_it_skipped(job_world):
    world = job_world("onefails")
    tables = ShopRows(20).all()
    for name, bronze in world.bronze.items():
        if name != "customers":
            bronze.load(tables[name])
    silver = world.run("bronze_to_silver", code=1)
    assert [name for name, table in silver.items() if "error" in table] == ["customers"]
    assert "no complete load" in silver["customers"]["error"]["message"]
    url = f"s3://{world.names.artifacts_bucket}/runs/r1/bronze_to_silver.json"
    gold = world.run("silver_to_gold", "--silver_summary", url, code=1)
    # what reads it, and what reads that: models come in reading order
    waiting = {"customers"}
    for name, contract in world.project.gold.items():
        if waiting & set(contract.reads):
            waiting.add(name)
    assert {name for name, table in gold.items() if "error" in table} == waiting - {"customers"}
    assert {"dim_customer", "fct_order"} < waiting < {"customers", *world.project.gold}
    assert gold["dim_customer"]["error"]["code"] == "SKIPPED"


def test_a_missing_masking_key_is_a_refusal(job_world):
    world = job_world("nokey")
    world.run("bronze_to_silver", code=3, SHOPLAKE_MASKING_KEY="")
    assert "masking key must be at least" in world.log


def test_a_run_that_does_not_hold_the_lock_does_not_touch_a_table(job_world):
    world = job_world("lock")
    s3 = world.local.client("s3")
    s3.put_object(Bucket=world.names.artifacts_bucket, Key="locks/run.json", Body=b'{"holder": "arn:other"}')
    world.run("bronze_to_silver", "--execution_arn", "arn:one", code=4)
    assert "arn:one does not hold the run lock, which is held by arn:other" in world.log
