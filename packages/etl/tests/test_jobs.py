"""Both jobs as a user runs them: processes of their own, on SeaweedFS and the Glue catalogue of the local AWS."""

import json
import os
import subprocess
import sys
import time

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
        start = time.monotonic()
        summary = f"s3://{self.names.artifacts_bucket}/runs/{run_id}/{job}.json"
        names = self.names
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                f"shoplake_etl.jobs.{job}",
                "--project",
                f"s3://{names.artifacts_bucket}/project.json",
            ]
            + ["--environment", names.environment, "--account", names.account, "--region", names.region]
            + ["--run_id", run_id, "--summary", summary, "--JOB_NAME", job, *extra],
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
            timeout=180,
            check=False,
        )
        self.log = done.stdout + done.stderr
        print(job, round(time.monotonic() - start, 1), "s")
        assert done.returncode == code, self.log[-6000:]
        return json.loads(done.stdout.splitlines()[-1])["tables"] if done.returncode in {0, 1} else {}


@pytest.fixture
def job_world(local_aws, tools):
    return lambda environment: JobWorld(local_aws, tools.Bronze, environment)


def test_the_reference_shop_from_bronze_to_gold_and_its_changes(job_world, tools):
    world = job_world("refshop")
    rows = ShopRows(int(os.environ.get("ETL_ORDERS", "300")))
    tables = rows.all()
    for name, bronze in world.bronze.items():
        bronze.load(tables[name])
    silver = world.run("bronze_to_silver")
    print(json.dumps(silver, indent=1))
    gold = world.run("silver_to_gold")
    print(json.dumps(gold, indent=1))
    assert gold["fct_order"]["full"]
    world.bronze["orders"].changes([tools.change("U", n, **rows.order(n, "shipped")) for n in range(1, 100)])
    world.bronze["order_items"].changes([tools.change("D", 500 + n, order_id=n, line_no=2) for n in range(1, 50)])
    print(json.dumps(world.run("bronze_to_silver", run_id="r2"), indent=1))
    print(json.dumps(world.run("silver_to_gold", run_id="r2"), indent=1))
