"""The functions as Lambda calls them: environment variables, secrets, project bundle and servers are real."""

import hashlib
import io
import json

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog.glue import GlueCatalog
from shoplake_core.bronze import EpochRecord, LoadFile
from shoplake_core.clock import SystemClock
from shoplake_core.errors import ConfigError, ConflictError, DataError
from shoplake_core.project import project_from_files
from shoplake_core.run_lock import RUN_LOCK_KEY
from shoplake_functions import handlers
from shoplake_functions.environment import FunctionEnvironment, function_environment
from shoplake_functions.run_lock import RunFailed
from shoplake_mysql.connections import execute
from shoplake_reconciliation.source_transfer import source_reading_from_bytes

ORDERS = 'grain = "one row per order"\nkey = ["order_id"]\n[columns.order_id]\ntype = "uint64"\n'
FCT = f'reads = ["orders"]\nscope = ["order_id"]\n{ORDERS}[columns.placed_date]\ntype = "date"\n'
KEY_TEXT = "ab" * 32
COUNTED = {"files": 1, "read": 4, "inserted": 2, "updated": 1, "deleted": 0, "quarantined": 1, "seconds": 0.5}
SUMMARIES = {
    "silver": {
        "tables": {"orders": COUNTED, "lines": COUNTED | {"files": 2, "read": 5, "deleted": 1, "quarantined": 0}}
    },
    "reconciliation": {
        "agree": True,
        "cut": {"position": "a.1:4"},
        "tables": [
            {"layers": {"mysql": {"rows": 10}, "silver": {"rows": 9}, "gold": {"rows": 9}}, "rows_in_quarantine": 1},
            {"layers": {"mysql": {"rows": 20}, "silver": {"rows": 20}}, "rows_in_quarantine": 0},
        ],
    },
}


@pytest.fixture
def here(names, schema, local_aws, s3, mysql_server, connection, monkeypatch):
    """The environment that the handlers see, with clients of the local AWS."""
    execute(connection, f"CREATE TABLE {schema}.orders (order_id bigint unsigned PRIMARY KEY)")
    execute(connection, f"INSERT INTO {schema}.orders VALUES (1), (2)")
    user = f"{schema}_user"
    execute(connection, f"CREATE USER {user}@'%' IDENTIFIED BY 'first'")
    execute(connection, f"GRANT ALL ON *.* TO {user}@'%'")
    project = project_from_files(
        {
            "shoplake.toml": f'[source]\nschema = "{schema}"\n',
            "contracts/silver/orders.toml": ORDERS,
            "contracts/gold/fct_order.toml": FCT,
            "gold/fct_order.sql": "SELECT order_id FROM orders",
            "gold/touched.fct_order.orders.sql": "",
        }
    )
    key = f"bundles/{schema}.json"
    s3.put_object(Bucket=names.artifacts_bucket, Key=key, Body=project.bundle().encode())
    s3.delete_object(Bucket=names.artifacts_bucket, Key=RUN_LOCK_KEY)
    secrets = local_aws.client("secretsmanager")
    at = mysql_server.endpoint
    fields = {"host": at.host, "port": at.port, "username": user, "password": "first"}
    secrets.create_secret(Name=names.source_secret, SecretString=json.dumps(fields))
    secrets.create_secret(Name=names.masking_secret, SecretString=KEY_TEXT)
    monkeypatch.setattr(FunctionEnvironment, "client", lambda _self, service: local_aws.client(service))
    environment = FunctionEnvironment(names, f"s3://{names.artifacts_bucket}/{key}")
    monkeypatch.setattr(handlers, "_environment", lambda: environment)
    return environment


def put(here, key, rows):
    sink = io.BytesIO()
    pq.write_table(rows, sink)
    answer = here.s3.put_object(Bucket=here.names.bronze_bucket, Key=key, Body=sink.getvalue())
    return answer["ETag"].strip('"')


def load(here, schema):
    """A complete load of one file in bronze."""
    etag = put(here, f"{schema}/orders/LOAD00000001.parquet", pa.table({"order_id": pa.array([1], pa.uint64())}))
    record = EpochRecord(
        schema=schema,
        table="orders",
        epoch="20261125000000000000",
        started_at="2026-11-25 00:00:00.000000",
        engine="shoplake",
        lineage="x",
        stream_position="a.1:4",
        sequence_floor="",
        change_margin_seconds=0,
        rows=1,
        files=(LoadFile("LOAD00000001.parquet", etag, 1),),
    )
    here.s3.put_object(Bucket=here.names.bronze_bucket, Key=record.key, Body=record.to_json().encode())


def iceberg(here, local_aws, database, table, properties):
    s3, glue = local_aws.object_store, local_aws.client("glue")
    catalog = GlueCatalog(
        "test",
        client=glue,
        **{
            "s3.endpoint": s3.url,
            "s3.region": s3.region,
            "s3.access-key-id": s3.access_key_id,
            "s3.secret-access-key": s3.secret_access_key,
            "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
        },
    )
    catalog.create_namespace_if_not_exists(database)
    rows = pa.table({"order_id": pa.array([1], pa.decimal128(20, 0))})
    location = f"s3://{here.names.silver_bucket}/{database}/{table}"
    made = catalog.create_table_if_not_exists((database, table), rows.schema, location=location)
    made.append(rows, snapshot_properties=properties)


def test_bronze_is_looked_at_from_the_marker_to_the_files_that_silver_has_not_taken(here, schema, local_aws):
    marker = handlers.source_marker({}, None)
    with pytest.raises(ConflictError, match="does not hold the run lock"):
        handlers.bronze_state({**marker, "execution_arn": "arn:one"}, None)
    assert handlers.bronze_state(marker, None) == {
        "marker_arrived": False,
        "new_files": 0,
        "new_shapes": (),
        "last_outcome": "",
    }
    load(here, schema)
    put(here, "shoplake/marker/29991231-000000000.parquet", pa.table({"token": [marker["token"]]}))
    try:
        first = handlers.bronze_state(marker, None)
        assert (first["marker_arrived"], first["new_files"], first["new_shapes"]) == (True, 1, ("orders",))
        body = json.dumps({"watermark": "", "files": {}, "epochs": ["20261125000000000000"]}).encode()
        key = f"_consumed/{schema}.json"
        here.s3.put_object(Bucket=here.names.silver_bucket, Key=key, Body=body)
        record = {
            "shoplake.batch": "1",
            "shoplake.consumed": f"s3://{here.names.silver_bucket}/{key}",
            "shoplake.consumed-sha256": hashlib.sha256(body).hexdigest(),
        }
        iceberg(here, local_aws, here.names.silver_database, "orders", record)
        glue = local_aws.client("glue")
        glue.create_database(DatabaseInput={"Name": here.names.bronze_database})
        columns = [{"Name": "order_id", "Type": "decimal(20,0)"}]
        table = {"Name": f"{schema}__orders", "StorageDescriptor": {"Columns": columns}}
        glue.create_table(DatabaseName=here.names.bronze_database, TableInput=table)
        settled = handlers.bronze_state(marker, None)
        assert (settled["new_files"], settled["new_shapes"]) == (0, ())
        put(here, f"{schema}/orders/20261125-000001000.parquet", pa.table({"order_id": [1], "note": ["new"]}))
        changed = handlers.bronze_state(marker, None)
        assert (changed["new_files"], changed["new_shapes"]) == (1, ("orders",))
        here.s3.put_object(Bucket=here.names.silver_bucket, Key=key, Body=b"{}")
        with pytest.raises(DataError, match="not the object that was committed"):
            handlers.bronze_state(marker, None)
    finally:
        key = "shoplake/marker/29991231-000000000.parquet"
        here.s3.delete_object(Bucket=here.names.bronze_bucket, Key=key)


def test_a_source_reading_lies_where_the_answer_says(here):
    answer = handlers.source_reading({"run_id": "run-1"}, None)
    assert answer["key"] == "runs/run-1/source-reading.zip"
    content = here.s3.get_object(Bucket=here.names.artifacts_bucket, Key=answer["key"])["Body"].read()
    reading = source_reading_from_bytes(content)
    assert reading.position == answer["position"]
    assert reading.tables["orders"].rows == 2
    with pytest.raises(ConfigError, match="cannot stand in a key"):
        handlers.source_reading({"run_id": "../other"}, None)


def test_the_doctor_and_the_lock_answer_as_json(here):
    checks = json.loads(json.dumps(handlers.source_doctor({}, None)))["checks"]
    assert [check["name"] for check in checks if not check["ok"]] == []
    take = {"action": "take", "execution_arn": "arn:one"}
    assert handlers.run_lock(take, None) == {"taken": True}
    assert handlers.run_lock(take | {"action": "release", "outcome": "succeeded"}, None) == {}
    ended = take | {"action": "release", "outcome": "succeeded", "run_id": "run-7"}
    assert handlers.run_lock(ended, None) == {"run": {}}
    for name, summary in SUMMARIES.items():
        body = json.dumps(summary).encode()
        here.s3.put_object(Bucket=here.names.artifacts_bucket, Key=f"runs/run-7/{name}.json", Body=body)
    assert handlers.run_lock(ended, None) == {
        "run": {
            "silver": {"tables": 2, "files": 3, "read": 9, "inserted": 4, "updated": 2, "deleted": 1, "quarantined": 1},
            "reconciliation": {
                "agree": True,
                "tables": 2,
                "position": "a.1:4",
                "rows": {"mysql": 30, "silver": 29, "gold": 9},
                "rows_in_quarantine": 1,
            },
        }
    }
    with pytest.raises(ConfigError, match="unknown action"):
        handlers.run_lock(take | {"action": "steal"}, None)


def empty_warehouse(here, local_aws):
    """An empty database of the environment's own name; other tests of the session may have had one."""
    at = local_aws.warehouse
    with psycopg.connect(
        host=at.host, port=at.port, user=at.user, password=at.password, dbname=at.database, autocommit=True
    ) as warehouse:
        warehouse.execute(f"DROP DATABASE IF EXISTS {here.names.warehouse_database} WITH (FORCE)")
        warehouse.execute(f"CREATE DATABASE {here.names.warehouse_database}")


def test_the_warehouses_loads_are_planned_oldest_first(here, local_aws):
    empty_warehouse(here, local_aws)
    for number in (1, 2):
        batch = {"shoplake.batch": str(number), "shoplake.rows": "1", "shoplake.changes": f"s3://b/{number}"}
        iceberg(here, local_aws, here.names.gold_database, "fct_order", batch)
    asked = {"run_id": "run-1", "rebuild": False, "execution_arn": "arn:one"}
    with pytest.raises(ConflictError, match="arn:one does not hold the run lock, which is free"):
        handlers.warehouse_loads(asked, None)
    handlers.run_lock({"action": "take", "execution_arn": "arn:one"}, None)
    answer = handlers.warehouse_loads(asked, None)
    assert [(load["table"], load["batch"], load["rows"]) for load in answer["loads"]] == [("fct_order", 1, 1)]
    assert "s3://b/1/manifest.json" in " ".join(answer["loads"][0]["sqls"])
    assert answer["more"] is True, "a table's next batch comes with the next plan: loads of one answer run side by side"


class ReadBefore:
    """QuickSight's list of a data set's ingestions: the first batch was read."""

    def get_paginator(self, operation):
        assert operation == "list_ingestions"
        return self

    def paginate(self, **_):
        read = {"IngestionId": "run-0_1_0", "IngestionStatus": "COMPLETED", "RequestType": "FULL_REFRESH"}
        return [{"Ingestions": [read | {"CreatedTime": SystemClock().now()}]}, {"Ingestions": []}]


def test_a_data_set_reads_its_newest_days_where_staging_holds_no_older_one(here, local_aws, monkeypatch):
    empty_warehouse(here, local_aws)
    for number in (1, 2):
        batch = {"shoplake.batch": str(number), "shoplake.rows": "1", "shoplake.changes": f"s3://b/{number}"}
        iceberg(here, local_aws, here.names.gold_database, "fct_order", batch)
    clients = {"quicksight": ReadBefore()}
    real = FunctionEnvironment.client
    monkeypatch.setattr(FunctionEnvironment, "client", lambda at, name: clients.get(name) or real(at, name))
    handlers.run_lock({"action": "take", "execution_arn": "arn:one"}, None)
    lock = {"run_id": "run-1", "execution_arn": "arn:one"}
    handlers.warehouse_loads({**lock, "rebuild": False}, None)  # which makes the tables
    warehouse_rows(here, local_aws, "INSERT INTO shoplake.loads VALUES ('fct_order', 2, 'r', NOW()) RETURNING 1")
    asked = {**lock, "data_sets": [{"id": "bi", "tables": ["fct_order"], "date": "placed_date", "days": 45}]}
    refreshes = []
    for days in (3, 300):
        row = f"('I', {days}, CURRENT_DATE - {days})"
        warehouse_rows(here, local_aws, f"INSERT INTO staging.fct_order VALUES {row} RETURNING 1")
        refreshes += handlers.warehouse_loads(asked, None)["refreshes"]
    assert [(one["ingestion"], one["type"]) for one in refreshes] == [
        ("run-1_2_0", "INCREMENTAL_REFRESH"),
        ("run-1_2_0", "FULL_REFRESH"),
    ]
    assert "which may lie before its 45 days" in refreshes[1]["why"]


def test_missing_variables_are_named():
    with pytest.raises(ConfigError, match="SHOPLAKE_ACCOUNT, SHOPLAKE_PROJECT"):
        function_environment({"SHOPLAKE_ENVIRONMENT": "dev", "SHOPLAKE_REGION": "eu-central-1"})


def warehouse_rows(here, local_aws, sql):
    at = local_aws.warehouse
    with psycopg.connect(
        host=at.host, port=at.port, user=at.user, password=at.password, dbname=here.names.warehouse_database
    ) as warehouse:
        return warehouse.execute(sql).fetchall()


def test_a_run_that_has_ended_is_told_to_the_warehouse_once_and_a_failed_one_too(here, local_aws):
    empty_warehouse(here, local_aws)
    report = {"table": "orders", "layers": {}, "rows_in_quarantine": 0, "findings": [{"kind": "lost_row"}]}
    lock = {"execution_arn": "arn:one", "run_id": "run-8", "started_at": "2026-03-29T00:59:58.192Z"}
    handlers.run_lock({"action": "take", "execution_arn": "arn:one"}, None)
    handlers.run_lock(lock | {"action": "release", "outcome": "succeeded"}, None)
    assert here.s3.list_objects_v2(Bucket=here.names.artifacts_bucket, Prefix="runs/run-8/")["KeyCount"] == 0
    left = {"silver": SUMMARIES["silver"], "reconciliation": {**SUMMARIES["reconciliation"], "tables": [report]}}
    for name, summary in left.items():
        body = json.dumps(summary).encode()
        here.s3.put_object(Bucket=here.names.artifacts_bucket, Key=f"runs/run-9/{name}.json", Body=body)
    failed = {"state": "Shape silver into gold", "error": "E", "cause": "it's broken"}
    for _ in range(2):
        handlers.run_lock({"action": "take", "execution_arn": "arn:one"}, None)
        with pytest.raises(RunFailed, match="Shape silver into gold"):
            handlers.run_lock(
                lock
                | {
                    "action": "end_as_failed",
                    "run_id": "run-9",
                    "failed": failed,
                    "told_at_redrive": 0,
                    "redrive_count": 0,
                },
                None,
            )
    runs = warehouse_rows(here, local_aws, "SELECT run_id, status, started_at::text, failed_state FROM shoplake.runs")
    assert runs == [("run-9", "failed", "2026-03-29 00:59:58.192", "Shape silver into gold")], "run-8 found nothing new"
    tables = warehouse_rows(
        here, local_aws, "SELECT layer, table_name, rows_written, rows_quarantined FROM shoplake.run_tables ORDER BY 2"
    )
    assert tables == [("silver", "lines", 4, 0), ("silver", "orders", 3, 1)]
    checks = warehouse_rows(here, local_aws, "SELECT table_name, status, findings FROM shoplake.run_checks")
    assert checks == [("orders", "failed", 1)]
