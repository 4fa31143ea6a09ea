"""The whole laptop: MySQL, object store, warehouse and front, up in order, down in reverse, as one."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import AwsEndpoint, MySqlEndpoint, WarehouseEndpoint
from shoplake_core.errors import ResourceError
from shoplake_core.names import ResourceNames
from shoplake_engines.engine import EngineStatus
from shoplake_engines.mysql_choice import MySqlServerEngine, mysql_engine_for
from shoplake_engines.mysql_engine import MySqlEngine
from shoplake_engines.object_store_engine import ObjectStoreEngine
from shoplake_engines.postgres_engine import PostgresEngine

from shoplake_local.front_engine import FrontEngine, FrontProcess

__all__ = ["LocalEndpoints", "LocalStack", "Progress"]

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LocalEndpoints:
    """Where everything is.

    Attributes:
        mysql: The source.
        object_store: S3.
        warehouse: The PostgreSQL that plays Redshift, for SQL clients.
        aws: The front: glue and redshift-data.

    """

    mysql: MySqlEndpoint
    object_store: AwsEndpoint
    warehouse: WarehouseEndpoint
    aws: AwsEndpoint


class _Started(Protocol):
    """A server that may run."""

    name: str

    def down(self) -> bool: ...

    def status(self) -> EngineStatus: ...


class LocalStack:
    """The local servers of one state folder.

    Args:
        state_folder: Everything lies below it; two stacks on one folder are one stack.
        names: Region and account to play.
        mysql: A server of the user's own: then none is started or ended.
        mysql_program: Which server program to start, where not the first found.
        fast: Never wait for the disk: for tests.
        preferred_ports: Engine name -> port of its first start; 0 for any; defaults beside the usual ports.
        check_answers: Hold the front's answers against AWS's models, too: for tests.
        clock: For waiting.

    """

    def __init__(  # noqa: PLR0913 - one stack's settings
        self,
        state_folder: Path,
        names: ResourceNames,
        *,
        mysql: MySqlEndpoint | None = None,
        mysql_program: Path | None = None,
        fast: bool = False,
        preferred_ports: dict[str, int] | None = None,
        check_answers: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.state_folder = state_folder.absolute()
        self.names = names
        self._external_mysql = mysql
        self._mysql_program = mysql_program
        self._fast = fast
        self._ports = dict(preferred_ports or {})
        self._check_answers = check_answers
        self._clock = clock or SystemClock()
        self._object_store = ObjectStoreEngine(
            self.state_folder, region=names.region, clock=self._clock, **self._port("object-store")
        )
        self._warehouse = PostgresEngine(self.state_folder, fast=fast, clock=self._clock, **self._port("postgres"))

    def _port(self, name: str) -> dict[str, int]:
        return {"preferred_port": self._ports[name]} if name in self._ports else {}

    def _mysql(self) -> MySqlServerEngine:
        return mysql_engine_for(
            self.state_folder,
            program_path=self._mysql_program,
            fast=self._fast,
            clock=self._clock,
            **self._port(MySqlEngine.name),
        )

    def _front(self, mysql: MySqlEndpoint, object_store: AwsEndpoint, warehouse: WarehouseEndpoint) -> FrontEngine:
        return FrontEngine(
            self.state_folder,
            object_store=object_store,
            warehouse=warehouse,
            region=self.names.region,
            account=self.names.account,
            object_store_state=self.state_folder,
            mysql=(mysql.host, mysql.port),
            check_answers=self._check_answers,
            clock=self._clock,
            **self._port("front"),
        )

    def psql_path(self) -> Path:
        """The program `psql` that fits the warehouse."""
        return self._warehouse.psql_path()

    def up(self, progress: Progress = lambda _: None) -> LocalEndpoints:
        """Where everything is, once everything answers. What runs already is found, not started again.

        Raises:
            ResourceError: A server does not start. What was started stays up: `up` again goes on, `down` ends it.

        """
        # others may pass through (as root, PostgreSQL runs as another user); every folder below is closed to them
        self.state_folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        if self._external_mysql is not None:
            mysql = self._external_mysql
            progress(f"MySQL: yours at {mysql.host}:{mysql.port}")
        else:
            mysql = self._mysql().up()
            progress(f"MySQL: {mysql.host}:{mysql.port}")
        object_store = self._object_store.up()
        progress(f"S3: {object_store.url}")
        warehouse = self._warehouse.up()
        progress(f"warehouse: {warehouse.host}:{warehouse.port}/{warehouse.database}")
        aws = self._front(mysql, object_store, warehouse).up()
        progress(f"AWS: {aws.url}")
        return LocalEndpoints(mysql, object_store, warehouse, aws)

    def down(self, progress: Progress = lambda _: None) -> None:
        """End what runs, in reverse order. Data stay; a MySQL of the user's own is left alone.

        Raises:
            ResourceError: One does not end; the others were ended all the same.

        """
        failures = []
        for engine in reversed(self._engines()):
            try:
                if engine.down():
                    progress(f"{engine.name}: ended")
            except ResourceError as error:
                failures.append(error.message)
        if failures:
            raise ResourceError("; ".join(failures), hint="look at these processes with ps", failures=failures)

    def erase(self) -> None:
        """End everything and remove the warehouse's data, which may lie outside the state folder, and nothing else."""
        self.down()
        self._warehouse.erase()

    def status(self) -> tuple[EngineStatus, ...]:
        """Every server of this folder, in the order of `up`."""
        return tuple(engine.status() for engine in self._engines())

    def _engines(self) -> list[_Started]:
        front = FrontProcess(self.state_folder, clock=self._clock)
        engines: list[_Started] = [self._object_store, self._warehouse, front]
        if self._external_mysql is None:
            with contextlib.suppress(ResourceError):  # no server program on this machine (any more): none runs
                engines.insert(0, self._mysql())
        return engines
