"""A private MySQL or MariaDB server: row binlog with full metadata, loopback, one administrator, files in one folder."""

import os
from collections.abc import Sequence
from pathlib import Path

import pymysql
from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import ResourceError

from shoplake_engines.engine import EngineStatus, still_answers, wait_until_ready
from shoplake_engines.mysql_bootstrap import bootstrap, common_arguments, first_statements
from shoplake_engines.mysql_programs import MySqlProgram
from shoplake_engines.ports import LOOPBACK, next_free_port, wait_until_free
from shoplake_engines.private_files import (
    exclusive,
    private_folder,
    random_password,
    read_json,
    write_private_json,
    write_private_text,
)
from shoplake_engines.processes import DetachedProcess, log_tail

__all__ = ["ADMIN_USER", "DOCKER_FOLDER_NAME", "PREFERRED_PORT", "MySqlEngine"]

ADMIN_USER = "shoplake"
DOCKER_FOLDER_NAME = "mysql-docker"  # of the other way to a MySQL, below the same state folder
PREFERRED_PORT = 3366  # beside a MySQL of the user's own
_START_TIMEOUT_SECONDS = 90.0  # crash recovery included
_PORT_TIMEOUT_SECONDS = 3.0
_START_TRIES = 3
_PORT_TAKEN = "Address already in use"  # as both servers log it


class MySqlEngine:
    """Starts the server program it is given.

    Args:
        state_folder: Everything the server writes lies under `<state_folder>/mysql`.
        program: Which server, from `find_mysql_program`.
        fast: Do not wait for the disk at each commit: for tests, whose data nobody misses.
        extra_arguments: Further server options, applied last.
        preferred_port: The port of the first start, where it is free; 0 for any.
        clock: For waiting.

    """

    name = "mysql"

    def __init__(
        self,
        state_folder: Path,
        program: MySqlProgram,
        *,
        fast: bool = False,
        extra_arguments: Sequence[str] = (),
        preferred_port: int = PREFERRED_PORT,
        clock: Clock | None = None,
    ) -> None:
        self.program = program
        self.folder = state_folder.absolute() / "mysql"
        self._fast = fast
        self._extra_arguments = tuple(extra_arguments)
        self._preferred_port = preferred_port
        self._clock = clock or SystemClock()
        self._process = DetachedProcess(self.folder, "mysqld", clock=self._clock)
        self._settings_path = self.folder / "admin.json"

    @property
    def log_path(self) -> Path:
        """The server's log."""
        return self._process.log_path

    def up(self) -> MySqlEndpoint:
        """The administrator's endpoint of the running server, made and started if need be; it answers queries.

        Raises:
            ResourceError: The server does not start; the message ends with its log.

        """
        private_folder(self.folder)
        with exclusive(self.folder / "up.lock"):
            settings = read_json(self._settings_path)
            if not settings.get("password"):
                settings = {"user": ADMIN_USER, "password": random_password(), "port": self._preferred_port}
                write_private_json(self._settings_path, settings)
            if still_answers(self._process.running, lambda: self._wait(_endpoint(settings))):
                return _endpoint(settings)
            bootstrap(self.program, self.folder / "data", as_root=_is_root())
            return self._started(settings)

    def down(self) -> bool:
        """Whether it ran; the data stays."""
        ran = self._process.end(wait_seconds=60.0)
        (self.folder / "init.sql").unlink(missing_ok=True)
        return ran

    def status(self) -> EngineStatus:
        """Whether it runs now."""
        pid = self._process.pid
        port = read_json(self._settings_path).get("port") if pid is not None else None
        return EngineStatus(self.name, pid is not None, pid, port)

    def _started(self, settings: dict[str, object]) -> MySqlEndpoint:
        if self._process.ran_before:  # its ports are wanted again
            ports_before = [int(str(settings["port"]))]
            wait_until_free(ports_before, timeout_seconds=_PORT_TIMEOUT_SECONDS, clock=self._clock)
        for attempt in range(1, _START_TRIES + 1):
            wanted = int(str(settings["port"]))
            settings = settings | {"port": next_free_port(wanted)}
            write_private_json(self._settings_path, settings)
            endpoint = _endpoint(settings)
            init_file = self.folder / "init.sql"
            write_private_text(init_file, first_statements(endpoint.user, endpoint.password))
            self._process.start(self._command(endpoint.port, init_file))
            try:
                self._wait(endpoint)
            except ResourceError:
                port_was_taken = self._process.running() is None and _PORT_TAKEN in log_tail(self.log_path)
                self._process.end(wait_seconds=5.0)
                if attempt == _START_TRIES or not port_was_taken:
                    raise
                continue
            finally:
                init_file.unlink(missing_ok=True)
            return endpoint
        raise AssertionError  # the last attempt returned or raised

    def _wait(self, endpoint: MySqlEndpoint) -> None:
        wait_until_ready(
            f"{self.program.path} on port {endpoint.port}",
            probe=lambda: _select_one(endpoint),
            expected_errors=(pymysql.err.Error, OSError),
            is_running=lambda: self._process.running() is not None,
            read_log=lambda: log_tail(self.log_path),
            timeout_seconds=_START_TIMEOUT_SECONDS,
            clock=self._clock,
        )

    def _command(self, port: int, init_file: Path) -> list[str]:
        temporary = private_folder(self.folder / "tmp")
        commit = "0" if self._fast else "1"
        arguments = [
            *common_arguments(self.program, self.folder / "data"),
            f"--port={port}",
            f"--bind-address={LOOPBACK}",
            "--socket=mysqld.sock",  # relative to the data directory: absolute paths may exceed a socket's 107 bytes
            f"--pid-file={self.folder / 'mysqld.pid'}",
            f"--tmpdir={temporary}",
            f"--init-file={init_file}",
            "--skip-name-resolve",
            "--server-id=1",
            "--log-bin=binlog",
            "--binlog-format=ROW",
            "--binlog-row-image=FULL",
            "--binlog-row-metadata=FULL",
            "--binlog-expire-logs-seconds=604800",
            "--local-infile=1",
            "--character-set-server=utf8mb4",
            "--default-time-zone=+00:00",
            "--max-connections=200",
            "--max-allowed-packet=64M",
            f"--innodb-flush-log-at-trx-commit={commit}",
            f"--sync-binlog={commit}",
            f"--innodb-buffer-pool-size={'64M' if self._fast else '256M'}",
        ]
        if self.program.is_mariadb:
            arguments.append("--innodb-log-file-size=32M")
        else:
            # distributions build in a folder that only their package's scripts make
            arguments += ["--mysqlx=OFF", "--secure-file-priv=NULL"]
        if _is_root():
            arguments.append("--user=root")
        return [*arguments, *self._extra_arguments]


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _endpoint(settings: dict[str, object]) -> MySqlEndpoint:
    return MySqlEndpoint(
        host=LOOPBACK, port=int(str(settings["port"])), user=str(settings["user"]), password=str(settings["password"])
    )


def _select_one(endpoint: MySqlEndpoint) -> None:
    connection = pymysql.connect(
        host=endpoint.host, port=endpoint.port, user=endpoint.user, password=endpoint.password, connect_timeout=5
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
