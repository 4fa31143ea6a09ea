"""The laptop's servers of one project: up, down, and where they are."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import AwsEndpoint, MySqlEndpoint, WarehouseEndpoint, parse_mysql_url
from shoplake_core.names import ResourceNames
from shoplake_engines.engine import EngineStatus
from shoplake_engines.mysql_choice import mysql_engine_for
from shoplake_engines.object_store_aws import s3_client
from shoplake_engines.private_files import write_private_text
from shoplake_local.stack import LocalStack

from shoplake.workspace import Workspace

__all__ = ["Laptop", "erase_servers", "open_laptop", "running_mysql", "server_statuses", "shut_down"]


@dataclass(frozen=True)
class Laptop:
    """One project's running servers.

    Attributes:
        workspace: The project.
        stack: The servers.
        mysql: The source.
        object_store: S3.
        control: The local AWS.
        warehouse: The PostgreSQL behind the Redshift Data API, for SQL clients.
        clock: Time.

    """

    workspace: Workspace
    stack: LocalStack
    mysql: MySqlEndpoint
    object_store: AwsEndpoint
    control: AwsEndpoint
    warehouse: WarehouseEndpoint
    clock: Clock

    @property
    def names(self) -> ResourceNames:
        """The environment's resource names."""
        return self.workspace.names

    @cached_property
    def s3(self) -> Any:
        """A boto3 S3 client."""
        return s3_client(self.object_store)

    def psql_command(self) -> str:
        """A command line that opens the warehouse; the password lies in a file that only its owner may read."""
        warehouse = self.warehouse
        password_file = self.workspace.state_folder / "pgpass"
        write_private_text(
            password_file, f"{warehouse.host}:{warehouse.port}:*:{warehouse.user}:{warehouse.password}\n"
        )
        return f"PGPASSFILE={_near(password_file)} {_near(self.stack.psql_path())} {self._warehouse_url}"

    @property
    def _warehouse_url(self) -> str:
        warehouse = self.warehouse
        return f"postgresql://{warehouse.user}@{warehouse.host}:{warehouse.port}/{self.names.warehouse_database}"

    def endpoints(self) -> dict[str, Any]:
        """Server -> address, without passwords."""
        return {
            "endpoints": {
                "MySQL": f"mysql://{self.mysql.user}@{self.mysql.host}:{self.mysql.port}/{self.workspace.project.config.source_schema}",
                "S3": self.object_store.url,
                "AWS": self.control.url,
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


def open_laptop(workspace: Workspace, *, on_progress: Callable[[str], None]) -> Laptop:
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
        clock=clock,
    )


def shut_down(workspace: Workspace) -> list[str]:
    """Names of the servers that ran and were ended."""
    stack = _stack(workspace, SystemClock())
    running = [status.name for status in stack.status() if status.running]
    stack.down()
    return running


def erase_servers(workspace: Workspace) -> None:
    """End every server and remove what it keeps outside the state folder."""
    _stack(workspace, SystemClock()).erase()


def server_statuses(workspace: Workspace) -> tuple[EngineStatus, ...]:
    """Every server, running or not; starts nothing."""
    return _stack(workspace, SystemClock()).status()


def running_mysql(workspace: Workspace) -> MySqlEndpoint | None:
    """The private MySQL's endpoint, where it runs; starts nothing."""
    if "mysql" not in {status.name for status in server_statuses(workspace) if status.running}:
        return None
    return mysql_engine_for(workspace.state_folder, clock=SystemClock()).up()
