"""The whole way with boto3 against the local AWS's process, as the command runs it."""

import json
from datetime import date
from decimal import Decimal

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from shoplake_core.clock import SystemClock
from shoplake_local.testing import local_aws, object_store, postgres_server  # noqa: F401
from shoplake_warehouse.change_files_aws import manifest_reader
from shoplake_warehouse.data_api_aws import Session, query
from shoplake_warehouse.loader_aws import load_gold, loaded_batches
from shoplake_warehouse.loading import GoldBatch

BUCKET = "gold-over-http"
DATABASE = "over_http"
SCHEMA = pa.schema(
    [
        ("_op", pa.string()),
        ("order_id", pa.decimal128(20, 0)),
        ("day", pa.date32()),
        ("status", pa.string()),
        ("total", pa.decimal128(12, 2)),
        ("placed_at", pa.timestamp("us", tz="UTC")),
    ]
)


def test_boto3_loads_and_reads_through_the_front(local_aws, fact):  # noqa: F811
    s3, data = local_aws.client("s3"), local_aws.client("redshift-data")
    at = local_aws.warehouse
    login = {"host": at.host, "port": at.port, "user": at.user, "password": at.password}
    with psycopg.connect(**login, dbname=at.database, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": local_aws.object_store.region})
    sink = pa.BufferOutputStream()
    rows = [{"_op": "I", "order_id": Decimal(n), "day": date(2024, 1, 1), "total": Decimal("1.10")} for n in range(3)]
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), sink)
    body = sink.getvalue().to_pybytes()
    s3.put_object(Bucket=BUCKET, Key="1/part-0.parquet", Body=body)
    entry = {"url": f"s3://{BUCKET}/1/part-0.parquet", "mandatory": True, "meta": {"content_length": len(body)}}
    s3.put_object(Bucket=BUCKET, Key="1/manifest.json", Body=json.dumps({"entries": [entry]}).encode())
    where = {"workgroup": "shoplake-dev", "database": DATABASE, "clock": SystemClock()}
    told: list[str] = []
    loaded = load_gold(
        data,
        contracts={"fct_order": fact},
        batches={
            "fct_order": [
                GoldBatch(table="fct_order", batch=1, full=True, manifest_url=f"s3://{BUCKET}/1/manifest.json", rows=3)
            ]
        },
        run_id="run-http",
        iam_role="default",
        on_progress=told.append,
        manifests=manifest_reader(local_aws.object_store),
        **where,
    )
    assert (loaded["fct_order"].loaded, loaded["fct_order"].rows) == ((1,), 3)
    assert told == ["fct_order: batch 1, 3 rows"]
    assert loaded_batches(data, **where) == {"fct_order": 1}
    session = Session(workgroup="shoplake-dev", database=DATABASE)
    sql = (
        "SELECT COUNT(*) AS orders, SUM(total) AS total, MIN(day) AS first FROM gold.fct_order WHERE order_id >= :least"
    )
    result = query(data, sql, session=session, clock=SystemClock(), parameters={"least": "1"})
    assert result.columns == ("orders", "total", "first")
    assert result.rows == ((2, Decimal("2.20"), date(2024, 1, 1)),)
