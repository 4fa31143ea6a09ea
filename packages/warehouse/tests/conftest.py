import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from shoplake_core.clock import SystemClock
from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import Layer, TableContract
from shoplake_core.endpoints import AwsEndpoint, WarehouseEndpoint
from shoplake_engines.testing import object_store, postgres_server  # noqa: F401
from shoplake_local.redshift.service import RedshiftDataService
from shoplake_local.service import ServiceError
from shoplake_warehouse.change_files_aws import ManifestReader
from shoplake_warehouse.data_api_aws import Session, query
from shoplake_warehouse.loader_aws import load_gold, prepare_warehouse
from shoplake_warehouse.loading import GoldBatch

ROLE = "arn:aws:iam::000000000000:role/shoplake-warehouse"
WORKGROUP = "shoplake-dev"

FACT = """
grain = "one row per order"
key = ["order_id"]
scope = ["day"]
distribution_key = "order_id"
sort_key = ["day"]
[columns.order_id]
type = "uint64"
[columns.day]
type = "date"
[columns.status]
type = "string(20)"
nullable = true
[columns.total]
type = "decimal(12,2)"
[columns.placed_at]
type = "timestamp"
nullable = true
"""


def contract(text: str = FACT, name: str = "fct_order") -> TableContract:
    return parse_table_contract(text, name=name, layer=Layer.GOLD, where=f"contracts/gold/{name}.toml")


FACT_SCHEMA = pa.schema(
    [
        ("_op", pa.string()),
        ("order_id", pa.decimal128(20, 0)),
        ("day", pa.date32()),
        ("status", pa.string()),
        ("total", pa.decimal128(12, 2)),
        ("placed_at", pa.timestamp("us", tz="UTC")),
    ]
)


class DataApiClient:
    """The local Redshift Data API in this process, with boto3's method names; `before` and `after` see (method, request) and may raise."""

    def __init__(self, service: RedshiftDataService) -> None:
        self.service = service
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.before: Callable[[str, dict[str, Any]], None] = lambda method, request: None
        self.after: Callable[[str, dict[str, Any]], None] = lambda method, request: None

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = re.sub(r"(?:^|_)(\w)", lambda match: match.group(1).upper(), method)

        def call(**request: Any) -> dict[str, Any]:
            self.calls.append((method, request))
            self.before(method, request)
            if method == "describe_statement":  # answers when the statement has ended, so that no test sleeps
                request = request | {"WaitTimeSeconds": 30}
            try:
                answer = self.service.call(operation, request)
            except ServiceError as error:
                raise ClientError({"Error": {"Code": error.code, "Message": error.message}}, operation) from error
            self.after(method, request)
            return answer

        return call

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.calls)


@dataclass
class Warehouse:
    client: DataApiClient
    database: str
    endpoint: WarehouseEndpoint
    object_store: AwsEndpoint
    filesystem: pafs.FileSystem
    bucket: str
    state_folder: Path

    def settings(self) -> dict[str, Any]:
        return {"workgroup": WORKGROUP, "database": self.database, "clock": SystemClock()}

    def prepare(self, *contracts: TableContract) -> int:
        return prepare_warehouse(self.client, contracts={c.name: c for c in contracts}, **self.settings())

    def load(self, contract: TableContract, batches: Sequence[GoldBatch], **more: Any) -> Any:
        settings = {"run_id": "run-1", "iam_role": ROLE} | self.settings() | more
        return load_gold(
            self.client, contracts={contract.name: contract}, batches={contract.name: batches}, **settings
        )[contract.name]

    def load_all(self, batches: Sequence[tuple[TableContract, Sequence[GoldBatch]]], *, checked: bool = False) -> Any:
        return load_gold(
            self.client,
            contracts={contract.name: contract for contract, _ in batches},
            batches={contract.name: offered for contract, offered in batches},
            run_id="run-1",
            iam_role=ROLE,
            manifests=ManifestReader(self.filesystem) if checked else None,
            **self.settings(),
        )

    def batch(self, statements: Sequence[str]) -> dict[str, Any]:
        """One transaction, without the loader: what DescribeStatement says of it at its end."""
        answer = self.client.batch_execute_statement(
            Sqls=list(statements), WorkgroupName=WORKGROUP, Database=self.database
        )
        return self.client.describe_statement(Id=answer["Id"])

    def empty(self, contract: TableContract) -> None:
        """As if that prepared table had never been loaded."""
        described = self.batch(
            [f"DELETE FROM gold.{contract.name}", f"DELETE FROM staging.{contract.name}", "DELETE FROM shoplake.loads"]
        )
        assert described["Status"] == "FINISHED", described

    def load_batch(self, contract: TableContract, url: str, *, rows: int, checked: bool = False) -> Any:
        batch = GoldBatch(table=contract.name, batch=1, full=True, manifest_url=url, rows=rows)
        return self.load(contract, [batch], **({"manifests": ManifestReader(self.filesystem)} if checked else {}))

    def rows(self, sql: str, **parameters: str) -> list[tuple[Any, ...]]:
        session = Session(workgroup=WORKGROUP, database=self.database)
        return list(query(self.client, sql, session=session, clock=SystemClock(), parameters=parameters or None).rows)

    def put(self, *tables: pa.Table) -> str:
        folder = f"{self.bucket}/{uuid.uuid4().hex}"
        entries = []
        for number, table in enumerate(tables):
            path = f"{folder}/part-{number}.parquet"
            with self.filesystem.open_output_stream(path) as stream:
                pq.write_table(table, stream)
            size = self.filesystem.get_file_info(path).size
            entries.append({"url": f"s3://{path}", "mandatory": True, "meta": {"content_length": size}})
        with self.filesystem.open_output_stream(f"{folder}/manifest.json") as stream:
            stream.write(json.dumps({"entries": entries}).encode())
        return f"s3://{folder}/manifest.json"

    def gold_batch(
        self, batch: int, rows: list[dict[str, Any]], *, full: bool = False, table: str = "fct_order"
    ) -> GoldBatch:
        url = self.put(pa.Table.from_pylist(rows, schema=FACT_SCHEMA))
        return GoldBatch(table=table, batch=batch, full=full, manifest_url=url, rows=len(rows))

    def restart(self) -> None:
        self.client.service = RedshiftDataService(
            self.endpoint, object_store=self.object_store, state_folder=self.state_folder
        )


@pytest.fixture
def make_contract() -> Callable[..., TableContract]:
    return contract


@pytest.fixture
def fact() -> TableContract:
    return contract()


@pytest.fixture
def warehouse(postgres_server: Any, object_store: Any, tmp_path: Path) -> Iterator[Warehouse]:  # noqa: F811
    admin = postgres_server.endpoint
    database = f"redshift_{uuid.uuid4().hex[:8]}"
    login = {"host": admin.host, "port": admin.port, "user": admin.user, "password": admin.password}
    with psycopg.connect(**login, dbname=admin.database, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{database}"')
    endpoint = WarehouseEndpoint(**login, database=database)
    s3 = object_store.endpoint
    scheme, _, host = s3.url.partition("://")
    filesystem = pafs.S3FileSystem(
        access_key=s3.access_key_id,
        secret_key=s3.secret_access_key,
        region=s3.region,
        endpoint_override=host,
        scheme=scheme,
        allow_bucket_creation=True,
    )
    bucket = f"gold-{uuid.uuid4().hex[:8]}"
    filesystem.create_dir(bucket)
    service = RedshiftDataService(endpoint, object_store=s3, state_folder=tmp_path)
    made = Warehouse(DataApiClient(service), database, endpoint, s3, filesystem, bucket, tmp_path)
    yield made
    made.client.service.close()
