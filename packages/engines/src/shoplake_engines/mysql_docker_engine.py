"""MySQL in Docker, where a Docker engine answers and no server program is on the machine."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import docker.errors  # type: ignore[import-untyped]
import pymysql
from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import ResourceError
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from shoplake_engines.engine import EngineStatus, wait_until_ready
from shoplake_engines.mysql_engine import DOCKER_FOLDER_NAME, PREFERRED_PORT
from shoplake_engines.ports import LOOPBACK, next_free_port
from shoplake_engines.private_files import exclusive, private_folder, random_password, read_json, write_private_json

__all__ = ["IMAGE", "DockerMySqlEngine", "docker_answers"]

IMAGE = "mysql:8.4"  # pinned to the long-term release; for amd64 and arm64
_PULL_AND_START_TIMEOUT_SECONDS = 300.0
_LOG_LINES = 60
_SERVER_PORT = "3306/tcp"


def docker_answers() -> bool:
    """Whether a Docker engine answers here."""
    try:
        client = DockerClient()
        client.client.ping()
        client.client.close()
    except (docker.errors.DockerException, OSError):
        return False
    return True


class DockerMySqlEngine:
    """One container per state folder, kept when it is stopped: its data lie in a volume of the same name.

    Args:
        state_folder: Password and port lie under `<state_folder>/mysql-docker`.
        fast: Do not wait for the disk at each commit.
        extra_arguments: Further server options, applied last; at the first start only.
        preferred_port: The port of the first start, where it is free; 0 for any.
        clock: For waiting.

    """

    name = "mysql"

    def __init__(
        self,
        state_folder: Path,
        *,
        fast: bool = False,
        extra_arguments: Sequence[str] = (),
        preferred_port: int = PREFERRED_PORT,
        clock: Clock | None = None,
    ) -> None:
        self.folder = state_folder.absolute() / DOCKER_FOLDER_NAME
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        self.container_name = f"shoplake-mysql-{digest}"
        self._fast = fast
        self._extra_arguments = tuple(extra_arguments)
        self._preferred_port = preferred_port
        self._clock = clock or SystemClock()
        self._settings_path = self.folder / "admin.json"

    def up(self) -> MySqlEndpoint:
        """The administrator's endpoint of the running container; it answers queries over TCP.

        Raises:
            ResourceError: Docker refuses, or the server does not answer in time (the message ends with its log).

        """
        private_folder(self.folder)
        with exclusive(self.folder / "up.lock"):
            settings = read_json(self._settings_path)
            try:
                container = self._container()
                if container is None:
                    settings = {"user": "root", "password": random_password(), "port": self._preferred_port}
                    settings["port"] = next_free_port(self._preferred_port)
                    write_private_json(self._settings_path, settings)
                    container = self._made(settings)
                elif container.status != "running":
                    container.start()
            except (docker.errors.DockerException, OSError) as error:
                raise ResourceError(
                    f"Docker cannot run {IMAGE} as {self.container_name}: {error}",
                    hint=f"is the port free? See `docker logs {self.container_name}`",
                ) from error
            endpoint = MySqlEndpoint(
                host=LOOPBACK, port=settings["port"], user=settings["user"], password=settings["password"]
            )
            wait_until_ready(
                f"{IMAGE} in Docker on port {endpoint.port}",
                probe=lambda: _select_one(endpoint),
                expected_errors=(pymysql.err.Error, OSError),
                is_running=lambda: self.status().running,
                read_log=lambda: container.logs(tail=_LOG_LINES).decode("utf-8", "replace"),
                timeout_seconds=_PULL_AND_START_TIMEOUT_SECONDS,
                clock=self._clock,
            )
            return endpoint

    def down(self) -> bool:
        """Whether it ran; container and data stay."""
        container = self._container()
        if container is None or container.status != "running":
            return False
        container.stop(timeout=60)
        return True

    def erase(self) -> None:
        """Remove the container and its data."""
        container = self._container()
        if container is not None:
            container.remove(force=True)
            DockerClient().client.volumes.get(self.container_name).remove(force=True)
        self._settings_path.unlink(missing_ok=True)

    def status(self) -> EngineStatus:
        """Whether it runs now; the pid is that of the container's first process."""
        try:
            container = self._container()
        except (docker.errors.DockerException, OSError):
            container = None
        if container is None or container.status != "running":
            return EngineStatus(self.name, running=False, pid=None, port=None)
        pid = container.attrs.get("State", {}).get("Pid")
        return EngineStatus(self.name, running=True, pid=pid, port=read_json(self._settings_path).get("port"))

    def _container(self) -> Any | None:
        try:
            return DockerClient().client.containers.get(self.container_name)
        except docker.errors.NotFound:
            return None

    def _made(self, settings: dict[str, Any]) -> Any:
        commit = "0" if self._fast else "1"
        container = DockerContainer(IMAGE).with_name(self.container_name)
        container.with_env("MYSQL_ROOT_PASSWORD", settings["password"])
        container.with_volume_mapping(self.container_name, "/var/lib/mysql", "rw")
        container.with_command(
            [
                "--server-id=1",
                "--log-bin=binlog",
                "--binlog-format=ROW",
                "--binlog-row-image=FULL",
                "--binlog-row-metadata=FULL",
                "--local-infile=1",
                "--character-set-server=utf8mb4",
                "--default-time-zone=+00:00",
                f"--innodb-flush-log-at-trx-commit={commit}",
                f"--sync-binlog={commit}",
                *self._extra_arguments,
            ]
        )
        # with_bind_ports takes no address, and Docker would then listen on every one
        ports: dict[str, Any] = container.ports
        ports[_SERVER_PORT] = (LOOPBACK, settings["port"])
        reaper_disabled = testcontainers_config.ryuk_disabled
        testcontainers_config.ryuk_disabled = True  # the reaper would end the container with this process
        try:
            container.start()
        finally:
            testcontainers_config.ryuk_disabled = reaper_disabled
        return container.get_wrapped_container()


def _select_one(endpoint: MySqlEndpoint) -> None:
    connection = pymysql.connect(
        host=endpoint.host, port=endpoint.port, user=endpoint.user, password=endpoint.password, connect_timeout=5
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
