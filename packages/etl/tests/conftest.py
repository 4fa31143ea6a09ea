"""One Spark for the session, on a real object store; the Iceberg catalogue is a folder (test_jobs runs the Glue one)."""

import io
import itertools
import os
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from shoplake_core.bronze import EpochRecord, LoadFile
from shoplake_core.clock import SkipClock
from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import Layer, TableContract
from shoplake_core.masking import MaskingKey
from shoplake_etl.failpoints import NoFailpoints
from shoplake_etl.layout import CATALOG, Lake, LayerPlace
from shoplake_etl.session import LocalSpark, local_conf, start_session
from shoplake_etl.silver import SilverRun, build_silver_table
from shoplake_etl.storage_aws import s3_objects
from shoplake_local.testing import local_aws, object_store, postgres_server  # noqa: F401

sys.path.insert(0, str(Path(__file__).parent))  # for the helper modules beside the tests

KEY = MaskingKey(bytes(range(32)))
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
IVY = Path.home() / ".ivy2.5.2"


@pytest.fixture(scope="session")
def spark(object_store, tmp_path_factory) -> SparkSession:  # noqa: F811
    endpoint = object_store.endpoint
    os.environ.update(
        SPARK_LOCAL_IP="127.0.0.1",
        AWS_ACCESS_KEY_ID=endpoint.access_key_id,
        AWS_SECRET_ACCESS_KEY=endpoint.secret_access_key,
        AWS_REGION=endpoint.region,
    )
    warehouse = tmp_path_factory.mktemp("warehouse")
    local = LocalSpark(
        s3_url=endpoint.url, glue_url="http://127.0.0.1:1", region=endpoint.region, cores=2, memory="2g", ivy_folder=IVY
    )
    conf = local_conf(local, str(warehouse))
    for name in ("io-impl", "glue.endpoint", "s3.endpoint", "s3.path-style-access", "client.region"):
        conf.pop(f"spark.sql.catalog.{CATALOG}.{name}", None)
    conf[f"spark.sql.catalog.{CATALOG}.type"] = "hadoop"
    session = start_session("shoplake-etl-tests", conf)
    yield session
    session.stop()


def contract(text: str, name: str = "orders", layer: Layer = Layer.SILVER) -> TableContract:
    return parse_table_contract(text, name=name, layer=layer, where=f"{name}.toml")


def sequence(number: int) -> str:
    return f"2026112500000000{number:019d}"


def started_at(number: int) -> str:
    """The start of the load of that number: a minute each."""
    return f"2026-11-25 00:{number:02d}:00.000000"


@dataclass
class Bronze:
    """A table's folder in bronze, written as DMS writes it."""

    client: object
    bucket: str
    table: str
    columns: pa.Schema
    schema: str = "shop"

    def __post_init__(self) -> None:
        self.loads = itertools.count(1)
        self.files = itertools.count(1)
        self.epochs = []

    @property
    def folder(self) -> str:
        return f"{self.schema}/{self.table}/"

    def put(self, name: str, content: bytes) -> str:
        return self.client.put_object(Bucket=self.bucket, Key=self.folder + name, Body=content)["ETag"].strip('"')

    def put_table(self, name: str, table: pa.Table) -> str:
        buffer = io.BytesIO()
        pq.write_table(table, buffer, version="1.0", compression="NONE", row_group_size=10_000)
        return self.put(name, buffer.getvalue())

    def arrow(self, rows, with_operation=True) -> pa.Table:
        """rows: dicts of columns plus Op, _committed_at, _sequence."""
        fields = [pa.field("Op", pa.string())] if with_operation else []
        fields += [*self.columns, pa.field("_committed_at", pa.string()), pa.field("_sequence", pa.string())]
        fields += [pa.field("_stream_position", pa.string())]
        schema = pa.schema(fields)
        return pa.Table.from_pylist([{n: r.get(n) for n in schema.names} for r in rows], schema)

    def change_name(self, number: int | None = None) -> str:
        number = next(self.files) if number is None else number
        return f"20261125-01{number // 60:02d}{number % 60:02d}000.parquet"

    def changes(self, rows, name: str | None = None) -> str:
        name = name or self.change_name()
        self.put_table(name, self.arrow(rows))
        return name

    def load(
        self,
        rows,
        *,
        epoch: int | None = None,
        floor: str | None = None,
        files: int = 1,
        engine="shoplake",
        with_operation=True,
    ):
        """A complete load; its sequence floor is that of change number `floor`."""
        number = len(self.epochs) + 1 if epoch is None else epoch
        start = started_at(number)
        rows = [{"Op": "I", **row, "_committed_at": start, "_sequence": None} for row in rows]
        written = []
        for part in range(files if rows else 0):
            name = f"LOAD{next(self.loads):08X}.parquet"
            piece = rows[part::files]
            written.append(LoadFile(name, self.put_table(name, self.arrow(piece, with_operation)), len(piece)))
        record = EpochRecord(
            schema=self.schema,
            table=self.table,
            epoch=f"20261125000{number:03d}000000",
            started_at=start,
            engine=engine,
            lineage="l",
            stream_position="bin.000001:4",
            sequence_floor=sequence(0) if floor is None else floor,
            change_margin_seconds=0 if engine == "shoplake" else 600,
            rows=len(rows),
            files=tuple(written),
        )
        self.client.put_object(Bucket=self.bucket, Key=record.key, Body=record.to_json().encode())
        self.epochs.append(record)
        return record


def change(op: str, number: int, committed_at: str = "2026-11-25 01:00:00.000000", **columns) -> dict:
    return {"Op": op, "_sequence": sequence(number), "_committed_at": committed_at, **columns}


@dataclass
class World:
    """A lake of a test's own."""

    spark: SparkSession
    client: object
    run: SilverRun
    bucket: str

    def bronze(self, table: str, columns: pa.Schema) -> Bronze:
        return Bronze(self.client, self.bucket, table, columns)

    def silver(self, contract_: TableContract, **changed):
        return build_silver_table(self.spark.newSession(), replace(self.run, **changed), contract_)

    def rows(self, table: str, layer: str = "silver") -> list[dict]:
        place = getattr(self.run.lake, layer)
        return [row.asDict(recursive=True) for row in self.spark.newSession().table(place.table(table)).collect()]


_numbers = itertools.count(1)


def _world(spark, object_store) -> World:  # noqa: F811
    endpoint = object_store.endpoint
    client = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
    )
    bucket = f"etl-test-{next(_numbers)}"
    client.create_bucket(Bucket=bucket)
    name = bucket.replace("-", "_")
    lake = Lake(
        bronze=f"s3://{bucket}",
        silver=LayerPlace(root=f"s3://{bucket}/silver", namespace=f"{name}_silver", located=False),
        gold=LayerPlace(root=f"s3://{bucket}/gold", namespace=f"{name}_gold", located=False),
    )
    run = SilverRun(
        lake=lake,
        store=s3_objects(endpoint),
        source_schema="shop",
        run_id="run-1",
        masking_key=KEY,
        tombstone_days=30,
        clock=SkipClock(NOW),
        failpoints=NoFailpoints(),
    )
    return World(spark, client, run, bucket)


@pytest.fixture
def world(spark, object_store) -> World:  # noqa: F811
    return _world(spark, object_store)


@pytest.fixture(scope="session")
def world_factory(spark, object_store):  # noqa: F811
    """A world of its own for each drawn example."""
    return lambda: _world(spark, object_store)


@pytest.fixture(scope="session")
def tools():
    """The helpers of this file, for tests."""
    import types

    return types.SimpleNamespace(
        Bronze=Bronze, contract=contract, change=change, sequence=sequence, started_at=started_at, key=KEY, now=NOW
    )
