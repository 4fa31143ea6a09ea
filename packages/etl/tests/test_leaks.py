"""Neither the masking key, nor its pads, nor a person's data stands in a plan, a log, an exception or a silver object."""

import base64

import pyarrow as pa
import pytest
from shoplake_core.errors import ResourceError, ShoplakeError
from shoplake_etl import silver
from shoplake_etl.applications import bronze_to_silver
from shoplake_etl.spark_errors import spark_errors_as_ours

pytestmark = pytest.mark.spark

CONTRACT = """
grain = "one row per customer"
key = ["customer_id"]
[columns.customer_id]
type = "int64"
[columns.email]
type = "string(255)"
pii = "email"
pattern = "email"
[columns.phone]
type = "string(40)"
pii = "phone"
"""
COLUMNS = pa.schema([("customer_id", pa.int64()), ("email", pa.string()), ("phone", pa.string())])
PEOPLE = ["jane.roe@example.com", "+49 30 5550101", "not-an-address-of-jane"]


def secrets(key):
    for secret in (key.secret, key.inner_pad, key.outer_pad):
        yield from (
            secret.hex(),
            secret.hex().upper(),
            base64.b64encode(secret).decode(),
            repr(secret),
            str(list(secret)),
        )
        yield str([b - 256 if b > 127 else b for b in secret])


def test_plans_logs_and_objects_hold_no_secret_and_no_person(world, tools, monkeypatch, capfd):
    plans = []
    judged = silver.with_verdicts

    def spied(*args, **kwargs):
        frame = judged(*args, **kwargs)
        plans.append(frame._jdf.queryExecution().toString())
        plans.append(frame._jdf.queryExecution().logical().toJSON())
        return frame

    monkeypatch.setattr(silver, "with_verdicts", spied)
    bronze, contract = world.bronze("customers", COLUMNS), tools.contract(CONTRACT, name="customers")
    bronze.load(
        [
            {"customer_id": 1, "email": PEOPLE[0], "phone": PEOPLE[1]},
            {"customer_id": 2, "email": PEOPLE[2], "phone": PEOPLE[1]},
        ]
    )
    summary = bronze_to_silver(world.spark, world.run, {"customers": contract})
    assert summary.tables["customers"].quarantined == 1
    refused = world.rows("customers__quarantine")[0]
    assert (refused["reasons"], refused["key"]) == (["pattern:email"], '{"customer_id":2}')
    assert tools.key.mask(PEOPLE[2]) in refused["row"]
    assert [row["email"] for row in world.rows("customers")] == [tools.key.mask(PEOPLE[0])]
    log = "".join(capfd.readouterr()) + summary.to_json() + str(world.rows("customers__quarantine"))
    for text in (*plans, log):
        for secret in (*secrets(tools.key), *PEOPLE):
            assert secret not in text
    assert plans
    for item in world.run.store.objects(f"{world.run.lake.silver.root}/"):
        content = world.run.store.read(item.url)
        assert not [person for person in PEOPLE if person.encode() in content]


def test_a_failing_cast_is_told_without_its_value(world):
    spark = world.spark.newSession()
    with pytest.raises(ShoplakeError) as caught, spark_errors_as_ours("customers"):
        spark.createDataFrame(pa.table({"email": [PEOPLE[0]]})).selectExpr("cast(email as int) as n").collect()
    assert "customers: a value cannot be computed (CAST_INVALID_INPUT)" in str(caught.value)
    assert PEOPLE[0] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_store_that_fails_is_told_with_its_reason(world):
    with pytest.raises(ResourceError), spark_errors_as_ours("orders"):
        world.spark._jvm.java.io.FileInputStream("/nonexistent/file")
