"""The replicator of one task: a program in a process of its own, whoever started it, and what it says of itself."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from shoplake_core.clock import Clock
from shoplake_core.endpoints import AwsEndpoint, MySqlEndpoint
from shoplake_core.errors import ResourceError
from shoplake_engines.private_files import private_folder, read_json, write_private_json
from shoplake_engines.processes import DetachedProcess, log_tail, server_environment

__all__ = ["DMS_FOLDER", "ReplicatorProcess", "ReplicatorReport", "end_replicators"]

DMS_FOLDER = "dms"  # of replicators, below the state folder of a front
_PROGRAM = (sys.executable, "-m", "shoplake_replication")
_NAME = "replicator"
_RELOAD_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ReplicatorReport:
    """What a replicator last wrote of itself.

    Attributes:
        pid: Of the process that wrote it; 0 where none did.
        state: loading, streaming, stopped or failed.
        tables: `schema.table` -> state, reason, epoch, loaded_rows, inserts, updates, deletes.
        error: Its failure with the next step, "" for none.
        updated_at: ISO 8601.
        asked_reloads: Tables whose reload was asked for and is not begun.

    """

    pid: int
    state: str
    tables: Mapping[str, Mapping[str, Any]]
    error: str
    updated_at: str
    asked_reloads: frozenset[str]


class ReplicatorProcess:
    """The replicator whose configuration, state, log and pid lie in one folder.

    Args:
        folder: That folder.
        clock: For waiting.

    """

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self._folder = folder
        self._process = DetachedProcess(folder, _NAME, clock=clock)
        self._config_path = folder / "config.json"
        self._state_folder = folder / "state"

    @property
    def pid(self) -> int | None:
        """Its pid while it runs."""
        return self._process.pid

    @property
    def died(self) -> bool:
        """Whether it ended and nobody here ended it. The end of the whole machine is not its own."""
        left = read_json(self._folder / f"{_NAME}.pid.json")
        return bool(left) and self.pid is None and not 0.0 < float(left.get("create_time") or 0.0) < psutil.boot_time()

    @property
    def object_store_url(self) -> str:
        """Where it was last told to write."""
        return str(read_json(self._config_path).get("s3", {}).get("endpoint_url", ""))

    def start(
        self,
        *,
        source: MySqlEndpoint,
        table_mappings: Mapping[str, Any],
        s3_settings: Mapping[str, Any],
        object_store: AwsEndpoint,
    ) -> None:
        """Start it; secrets are in its environment only.

        Args:
            source: MySQL.
            table_mappings: DMS's.
            s3_settings: DMS's, with the bucket and its folder.
            object_store: S3, with the keys of who writes there.

        Raises:
            ResourceError: It cannot be started.

        """
        private_folder(self._folder)
        document = {
            "source": {"host": source.host, "port": source.port, "user": source.user},
            "table_mappings": table_mappings,
            "s3": {
                "bucket": s3_settings["BucketName"],
                "folder": s3_settings.get("BucketFolder", ""),
                "endpoint_url": object_store.url,
                "region": object_store.region,
            },
            "s3_settings": s3_settings,
            "state_dir": str(self._state_folder),
        }
        write_private_json(self._config_path, document)
        variables = {
            "SHOPLAKE_SOURCE_PASSWORD": source.password,
            "AWS_ACCESS_KEY_ID": object_store.access_key_id,
            "AWS_SECRET_ACCESS_KEY": object_store.secret_access_key,
            "AWS_REGION": object_store.region,
            "AWS_DEFAULT_REGION": object_store.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONUNBUFFERED": "1",
        }
        self._process.start(
            [*_PROGRAM, "run", "--config", str(self._config_path)],
            environment=server_environment(self._folder, extra=variables),
        )

    def end(self) -> bool:
        """Whether it ran; afterwards it does not, and S3 holds all that it had read."""
        return self._process.end()

    def ask_reload(self, *tables: str) -> None:
        """The wish that these tables (`schema.table`; none: all, at the next start) are loaded anew is on record.

        Raises:
            ResourceError: The program does not take it.

        """
        done = subprocess.run(
            [*_PROGRAM, "reload", "--config", str(self._config_path), *tables],
            check=False,
            capture_output=True,
            text=True,
            timeout=_RELOAD_SECONDS,
            env=server_environment(self._folder),
        )
        if done.returncode != 0:
            raise ResourceError(f"the replicator takes no reload: {done.stderr.strip()}", hint="look at the task's log")

    def report(self) -> ReplicatorReport:
        """What it last said."""
        data = read_json(self._state_folder / "status.json")
        error = data.get("error") or {}
        text = " - ".join(str(error[name]) for name in ("message", "hint") if error.get(name))
        return ReplicatorReport(
            pid=int(data.get("pid") or 0),
            state=str(data.get("state", "")),
            tables=data.get("tables", {}),
            error=text,
            updated_at=str(data.get("updated_at", "")),
            asked_reloads=self._asked_reloads(),
        )

    def failure_text(self) -> str:
        """Why it ended: its own words, else the end of its log."""
        left = read_json(self._folder / f"{_NAME}.pid.json").get("pid")
        report = self.report()
        if report.error and report.state == "failed" and report.pid == left:
            return report.error
        return f"The replicator ended without saying why. The end of its log: {log_tail(self._process.log_path)}"

    def erase(self) -> None:
        """End it and remove its folder."""
        self.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _asked_reloads(self) -> frozenset[str]:
        folder = self._state_folder / "requests"
        names = set()
        for path in folder.iterdir() if folder.is_dir() else ():
            try:
                names.add(path.read_text("utf-8"))
            except OSError:  # served this moment
                continue
        return frozenset(names)


def end_replicators(folder: Path, *, clock: Clock) -> bool:
    """Whether any replicator below the folder ran; none does afterwards, also where the front that began it was killed."""
    ended = [ReplicatorProcess(path.parent, clock=clock).end() for path in sorted(folder.glob(f"*/{_NAME}.pid.json"))]
    return any(ended)
