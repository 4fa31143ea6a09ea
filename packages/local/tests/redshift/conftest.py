import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest
from shoplake_core.endpoints import AwsEndpoint, WarehouseEndpoint
from shoplake_engines.testing import object_store, postgres_server  # noqa: F401
from shoplake_local.redshift.service import RedshiftDataService

ROLE = "arn:aws:iam::000000000000:role/shoplake-warehouse"
_WAIT_SECONDS = 30


@dataclass
class Warehouse:
    """A Redshift Data service on a database of the test's own."""

    service: RedshiftDataService
    endpoint: WarehouseEndpoint
    object_store: AwsEndpoint
    filesystem: pafs.FileSystem
    bucket: str
    state_folder: Path

    def target(self) -> dict[str, Any]:
        return {"WorkgroupName": "shoplake-dev", "Database": self.endpoint.database}

    def run(self, sql: str, **more: Any) -> dict[str, Any]:
        answer = self.service.call("ExecuteStatement", {"Sql": sql} | self.target() | more)
        return self.service.call("DescribeStatement", {"Id": answer["Id"], "WaitTimeSeconds": _WAIT_SECONDS})

    def batch(self, *sqls: str, **more: Any) -> dict[str, Any]:
        answer = self.service.call("BatchExecuteStatement", {"Sqls": list(sqls)} | self.target() | more)
        return self.service.call("DescribeStatement", {"Id": answer["Id"], "WaitTimeSeconds": _WAIT_SECONDS})

    def ok(self, *sqls: str) -> None:
        for sql in sqls:
            described = self.run(sql)
            assert described["Status"] == "FINISHED", described

    def error(self, sql: str) -> str:
        described = self.run(sql)
        assert described["Status"] == "FAILED", described
        return str(described["Error"])

    def rows(self, sql: str, **more: Any) -> list[tuple[Any, ...]]:
        described = self.run(sql, **more)
        assert described["Status"] == "FINISHED", described
        page = self.service.call("GetStatementResult", {"Id": described["Id"]})
        found = list(page["Records"])
        while "NextToken" in page:
            page = self.service.call("GetStatementResult", {"Id": described["Id"], "NextToken": page["NextToken"]})
            found += page["Records"]
        return [tuple(None if "isNull" in cell else next(iter(cell.values())) for cell in row) for row in found]

    def value(self, sql: str, **more: Any) -> Any:
        ((found,),) = self.rows(sql, **more)
        return found

    def put(self, tables: list[pa.Table], *, sizes: Callable[[int], Any] = lambda size: size, **options: Any) -> str:
        """The URL of a manifest over one parquet file a table."""
        folder = f"{self.bucket}/{uuid.uuid4().hex}"
        entries = []
        for number, table in enumerate(tables):
            path = f"{folder}/part-{number}.parquet"
            with self.filesystem.open_output_stream(path) as stream:
                pq.write_table(table, stream, **options)
            size = self.filesystem.get_file_info(path).size
            entries.append({"url": f"s3://{path}", "mandatory": True, "meta": {"content_length": sizes(size)}})
        with self.filesystem.open_output_stream(f"{folder}/manifest.json") as stream:
            stream.write(json.dumps({"entries": entries}).encode())
        return f"s3://{folder}/manifest.json"

    def copy(self, target: str, url: str) -> str:
        return f"COPY {target} FROM '{url}' IAM_ROLE '{ROLE}' FORMAT AS PARQUET MANIFEST"

    def connection(self) -> psycopg.Connection[Any]:
        """A session beside the service."""
        login = {"host": self.endpoint.host, "port": self.endpoint.port, "user": self.endpoint.user}
        return psycopg.connect(**login, password=self.endpoint.password, dbname=self.endpoint.database, autocommit=True)

    def until_waiting(self, other: psycopg.Connection[Any]) -> None:
        """Return when another session of the database waits for a lock."""
        sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        with self.connection() as observer:
            for _ in range(3000):
                if observer.execute(sql).fetchone() != (0,):
                    return
                observer.execute("SELECT pg_sleep(0.01)")
        raise AssertionError("nobody waits")

    def restarted(self) -> RedshiftDataService:
        self.service = RedshiftDataService(
            self.endpoint, object_store=self.object_store, state_folder=self.state_folder
        )
        return self.service


@pytest.fixture(scope="module")
def warehouse(postgres_server: Any, object_store: Any, tmp_path_factory: Any) -> Iterator[Warehouse]:  # noqa: F811
    admin = postgres_server.endpoint
    database = f"redshift_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(
        host=admin.host,
        port=admin.port,
        user=admin.user,
        password=admin.password,
        dbname=admin.database,
        autocommit=True,
    ) as connection:
        connection.execute(f'CREATE DATABASE "{database}"')
    endpoint = WarehouseEndpoint(
        host=admin.host, port=admin.port, user=admin.user, password=admin.password, database=database
    )
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
    bucket = f"redshift-{uuid.uuid4().hex[:8]}"
    filesystem.create_dir(bucket)
    folder = tmp_path_factory.mktemp("redshift")
    service = RedshiftDataService(endpoint, object_store=s3, state_folder=folder)
    made = Warehouse(service, endpoint, s3, filesystem, bucket, folder)
    yield made
    made.service.close()
