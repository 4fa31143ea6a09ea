"""The running laptop: every server of one project up, and the clients that speak to them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import AwsEndpoint, MySqlEndpoint, WarehouseEndpoint, parse_mysql_url
from shoplake_core.masking import MaskingKey
from shoplake_core.names import ResourceNames
from shoplake_engines.mysql_choice import mysql_engine_for
from shoplake_engines.object_store_aws import s3_client
from shoplake_engines.private_files import write_private_text
from shoplake_local.crawler.crawl import crawl
from shoplake_local.crawler.report import CrawlReport
from shoplake_local.stack import LocalStack
from shoplake_warehouse.data_api_aws import QueryResult, Session, query

from shoplake.replicator import Replicator
from shoplake.run_records import newest_run
from shoplake.secrets_file import local_masking_key
from shoplake.workspace import Workspace

if TYPE_CHECKING:
    from shoplake_reconciliation.objects_aws import AwsTargets

__all__ = [
    "WAREHOUSE_WORKGROUP",
    "Laptop",
    "erase_servers",
    "laptop_status",
    "open_laptop",
    "running_mysql",
    "shut_down",
]

WAREHOUSE_WORKGROUP = "shoplake"


@dataclass(frozen=True)
class Laptop:
    """One project's running servers and the clients that speak to them.

    Attributes:
        workspace: The project.
        stack: The servers.
        mysql: The source.
        object_store: S3.
        control: The local AWS: glue and redshift-data.
        warehouse: The PostgreSQL behind redshift-data, for SQL clients.
        masking_key: The environment's key.
        environment: The environment that jobs inherit.
        clock: Time.

    """

    workspace: Workspace
    stack: LocalStack
    mysql: MySqlEndpoint
    object_store: AwsEndpoint
    control: AwsEndpoint
    warehouse: WarehouseEndpoint
    masking_key: MaskingKey
    environment: Mapping[str, str]
    clock: Clock

    @property
    def names(self) -> ResourceNames:
        """The environment's resource names."""
        return self.workspace.names

    @property
    def replicator(self) -> Replicator:
        """The process that fills bronze."""
        return Replicator(self.workspace.state_folder, self.clock)

    @cached_property
    def targets(self) -> "AwsTargets":
        """The catalogue and the object store, for readers of Iceberg tables."""
        from shoplake_reconciliation.objects_aws import AwsTargets  # noqa: PLC0415 - PyIceberg takes a second to import

        return AwsTargets(self.control, self.object_store)

    @cached_property
    def s3(self) -> Any:
        """A boto3 S3 client."""
        return s3_client(self.object_store)

    @cached_property
    def redshift_data(self) -> Any:
        """A boto3 client of the Redshift Data API."""
        control = self.control
        return boto3.client(
            "redshift-data",
            endpoint_url=control.url,
            region_name=control.region,
            aws_access_key_id=control.access_key_id,
            aws_secret_access_key=control.secret_access_key,
            config=Config(retries={"total_max_attempts": 3, "mode": "standard"}),
        )

    def start_replicator(self) -> int:
        """The pid of the replicator, told of the project as it is now and started if it did not run."""
        project = self.workspace.project
        replicator = self.replicator
        replicator.configure(
            source=self.mysql,
            object_store=self.object_store,
            bucket=self.names.bronze_bucket,
            config=project.config,
            tables=project.silver,
        )
        return replicator.start(self.mysql, self.object_store)

    def crawl(self) -> CrawlReport:
        """What the crawler found in bronze and wrote to the catalogue."""
        return crawl(
            object_store=self.object_store,
            aws=self.control,
            bucket=self.names.bronze_bucket,
            database=self.names.bronze_database,
        )

    def project_url(self) -> str:
        """URL of the project's bundle, stored under the hash of its text: a job reads what was there when it started."""
        text = self.workspace.project.bundle().encode()
        key = f"projects/{sha256(text).hexdigest()[:16]}/project.json"
        self.s3.put_object(Bucket=self.names.artifacts_bucket, Key=key, Body=text)
        return f"s3://{self.names.artifacts_bucket}/{key}"

    def read_object_text(self, bucket: str, key: str) -> str | None:
        """The object's text, None where there is none."""
        try:
            body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return None
            raise
        return body.decode()

    def query(self, sql: str) -> QueryResult:
        """The result of one SELECT on the warehouse, by the Redshift Data API."""
        return query(
            self.redshift_data,
            sql,
            session=Session(workgroup=WAREHOUSE_WORKGROUP, database=self.warehouse.database),
            clock=self.clock,
        )

    def psql_command(self) -> str:
        """A command line that opens the warehouse; the password lies in a file that only its owner may read."""
        warehouse = self.warehouse
        password_file = self.workspace.state_folder / "pgpass"
        write_private_text(
            password_file,
            f"{warehouse.host}:{warehouse.port}:{warehouse.database}:{warehouse.user}:{warehouse.password}\n",
        )
        return f"PGPASSFILE={_near(password_file)} {_near(self.stack.psql_path())} {self._warehouse_url}"

    @property
    def _warehouse_url(self) -> str:
        warehouse = self.warehouse
        return f"postgresql://{warehouse.user}@{warehouse.host}:{warehouse.port}/{warehouse.database}"

    def endpoints(self) -> dict[str, Any]:
        """Server -> address, without passwords."""
        return {
            "endpoints": {
                "MySQL": f"mysql://{self.mysql.user}@{self.mysql.host}:{self.mysql.port}/{self.workspace.project.config.source_schema}",
                "S3": self.object_store.url,
                "AWS": f"{self.control.url} (glue, redshift-data)",
                "warehouse": self._warehouse_url,
            },
            "state_folder": str(self.workspace.state_folder),
        }


def _near(path: Path) -> str:
    """The path as short as it can be written from here."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


def _stack(workspace: Workspace, clock: Clock) -> LocalStack:
    external = parse_mysql_url(workspace.mysql_url) if workspace.mysql_url else None
    return LocalStack(workspace.state_folder, workspace.names, mysql=external, clock=clock)


def open_laptop(workspace: Workspace, *, environment: Mapping[str, str], on_progress: Callable[[str], None]) -> Laptop:
    """The laptop with every server up.

    Raises:
        ResourceError: A server does not start.

    """
    clock = SystemClock()
    stack = _stack(workspace, clock)
    endpoints = stack.up(on_progress)
    return Laptop(
        workspace=workspace,
        stack=stack,
        mysql=endpoints.mysql,
        object_store=endpoints.object_store,
        control=endpoints.aws,
        warehouse=endpoints.warehouse,
        masking_key=local_masking_key(workspace.state_folder, environment),
        environment=environment,
        clock=clock,
    )


def shut_down(workspace: Workspace) -> list[str]:
    """Names of the processes that ran and were ended."""
    clock = SystemClock()
    ended = ["replicator"] if Replicator(workspace.state_folder, clock).end() else []
    stack = _stack(workspace, clock)
    running = [status.name for status in stack.status() if status.running]
    stack.down()
    return ended + running


def erase_servers(workspace: Workspace) -> None:
    """End every server and remove what it keeps outside the state folder."""
    Replicator(workspace.state_folder, SystemClock()).end()
    _stack(workspace, SystemClock()).erase()


def running_mysql(workspace: Workspace) -> MySqlEndpoint | None:
    """The private MySQL's endpoint, where it runs; starts nothing."""
    clock = SystemClock()
    running = {status.name for status in _stack(workspace, clock).status() if status.running}
    if "mysql" not in running:
        return None
    return mysql_engine_for(workspace.state_folder, clock=clock).up()


def laptop_status(workspace: Workspace) -> dict[str, Any]:
    """Servers, replication and the last run, as JSON values; starts nothing."""
    clock = SystemClock()
    replicator = Replicator(workspace.state_folder, clock)
    status = replicator.status()
    last = newest_run(workspace.run_records_folder)
    return {
        "servers": [asdict(server) for server in _stack(workspace, clock).status()],
        "replication": {
            "running": status.running,
            "state": status.state if status.running or status.state == "failed" else "stopped",
            "position": status.position,
            "tables": dict(status.tables),
            "error": dict(status.error),
            "warnings": list(status.warnings),
        },
        "last_run": asdict(last) if last else None,
        "state_folder": str(workspace.state_folder),
    }
