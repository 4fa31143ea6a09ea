"""The front as an engine: a detached process with its configuration, log and catalogue in one folder."""

import http.client
import json
import os
import sys
from pathlib import Path

from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import AwsEndpoint, WarehouseEndpoint
from shoplake_core.errors import ResourceError
from shoplake_engines.engine import EngineStatus, still_answers, wait_until_ready
from shoplake_engines.ports import LOOPBACK, is_free, next_free_port, wait_until_free
from shoplake_engines.private_files import (
    exclusive,
    private_folder,
    read_json,
    write_private_json,
    write_private_text,
)
from shoplake_engines.processes import DetachedProcess, log_tail, server_environment

from shoplake_local.dms.replicator_process import DMS_FOLDER, end_replicators
from shoplake_local.front import HEALTH_PATH, fingerprint
from shoplake_local.front_config import FrontConfig
from shoplake_local.jobs.machine_variables import machine_variables

__all__ = ["FrontEngine", "FrontProcess"]

_STATE = "state"
_PREFERRED_PORT = 4566
_START_TIMEOUT_SECONDS = 60.0
_PORT_TIMEOUT_SECONDS = 3.0
_START_TRIES = 3
_OK = 200


class FrontProcess:
    """The front of one state folder, whoever started it: to end it and to ask for it.

    Args:
        state_folder: Everything lies under `<state_folder>/front`.
        clock: For waiting.

    """

    name = "front"

    def __init__(self, state_folder: Path, *, clock: Clock | None = None) -> None:
        self.folder = state_folder.absolute() / "front"
        self._clock = clock or SystemClock()
        self._process = DetachedProcess(self.folder, "front", clock=self._clock)
        self._settings_path = self.folder / "settings.json"

    @property
    def log_path(self) -> Path:
        """The process's log."""
        return self._process.log_path

    def down(self) -> bool:
        """Whether it ran; the catalogue stays. What it started to outlive it is ended, too: DMS's replicators."""
        ran = self._process.end(wait_seconds=20.0)
        return end_replicators(self.folder / _STATE / DMS_FOLDER, clock=self._clock) or ran

    def status(self) -> EngineStatus:
        """Whether it runs now."""
        pid = self._process.pid
        port = read_json(self._settings_path).get("port") if pid is not None else None
        return EngineStatus(self.name, pid is not None, pid, port)


class FrontEngine(FrontProcess):
    """Starts `python -m shoplake_local serve`.

    Args:
        state_folder: Everything lies under `<state_folder>/front`.
        object_store: S3, for COPY; the front knows the caller that S3 knows, by the same keys.
        warehouse: PostgreSQL, for the Redshift Data API.
        region: The one region that it plays.
        account: The account that it plays.
        object_store_state: The state folder of our own object store, where roles are let in; None for any other.
        mysql: Host and port of the laptop's MySQL, where RDS's instances of it stand.
        check_answers: Hold answers against AWS's models, too: for tests.
        preferred_port: The port of the first start, where it is free; 0 for any.
        clock: For waiting.

    """

    def __init__(  # noqa: PLR0913 - one server's settings
        self,
        state_folder: Path,
        *,
        object_store: AwsEndpoint,
        warehouse: WarehouseEndpoint,
        region: str,
        account: str,
        object_store_state: Path | None = None,
        mysql: tuple[str, int] | None = None,
        check_answers: bool = False,
        preferred_port: int = _PREFERRED_PORT,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(state_folder, clock=clock)
        self._object_store = object_store
        self._object_store_state = object_store_state
        self._warehouse = warehouse
        self._region = region
        self._account = account
        self._mysql = mysql
        self._check_answers = check_answers
        self._preferred_port = preferred_port
        self._config_path = self.folder / "config.json"

    def up(self) -> AwsEndpoint:
        """The endpoint of the running front, started if need be.

        One that was started for other servers (another port of the warehouse, say) is started anew.

        Raises:
            ResourceError: It does not start; the message ends with its log.

        """
        private_folder(self.folder)
        with exclusive(self.folder / "up.lock"):
            settings = read_json(self._settings_path)
            if "port" not in settings:
                settings = {"port": self._preferred_port}
                write_private_json(self._settings_path, settings)
            config = self._config(settings)
            if self._config_path.exists() and self._config_path.read_text("utf-8") != config.to_json():
                self._process.end()
            if still_answers(self._process.running, lambda: self._wait(config)):
                return config.endpoint
            return self._started(settings)

    def _config(self, settings: dict[str, object]) -> FrontConfig:
        return FrontConfig(
            port=int(str(settings["port"])),
            state_folder=self.folder / _STATE,
            region=self._region,
            account=self._account,
            # a job has one pair of AWS credentials for all services, so the front knows the caller that S3 knows
            access_key_id=self._object_store.access_key_id,
            secret_access_key=self._object_store.secret_access_key,
            object_store=self._object_store,
            object_store_state=self._object_store_state,
            warehouse=self._warehouse,
            job_variables=machine_variables(os.environ, home=Path.home()),
            mysql=self._mysql,
            check_answers=self._check_answers,
        )

    def _started(self, settings: dict[str, object]) -> AwsEndpoint:
        if self._process.ran_before:
            wait_until_free([int(str(settings["port"]))], timeout_seconds=_PORT_TIMEOUT_SECONDS, clock=self._clock)
        for attempt in range(1, _START_TRIES + 1):
            settings = settings | {"port": next_free_port(int(str(settings["port"])))}
            write_private_json(self._settings_path, settings)
            config = self._config(settings)
            write_private_text(self._config_path, config.to_json())
            self._process.start(
                [sys.executable, "-m", "shoplake_local", "serve", "--config", str(self._config_path)],
                environment=server_environment(self.folder, extra={"PYTHONUNBUFFERED": "1"}),
            )
            try:
                self._wait(config)
            except ResourceError:
                port_was_taken = self._process.running() is None and not is_free(config.port)
                self._process.end(wait_seconds=5.0)
                if attempt == _START_TRIES or not port_was_taken:
                    raise
                continue
            return config.endpoint
        raise AssertionError  # the last attempt returned or raised

    def _wait(self, config: FrontConfig) -> None:
        wait_until_ready(
            f"the local AWS at {config.endpoint.url}",
            probe=lambda: _ask(config),
            expected_errors=(OSError, http.client.HTTPException, ValueError),
            is_running=lambda: self._process.running() is not None,
            read_log=lambda: log_tail(self.log_path),
            timeout_seconds=_START_TIMEOUT_SECONDS,
            clock=self._clock,
        )


def _ask(config: FrontConfig) -> None:
    connection = http.client.HTTPConnection(LOOPBACK, config.port, timeout=5.0)
    try:
        connection.request("GET", HEALTH_PATH)
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    # another project's front may have taken the port between the look for a free one and our start
    if response.status != _OK or fingerprint(config.access_key_id) not in answer.get("operators", ()):
        raise ValueError(f"something else answers on port {config.port}")
