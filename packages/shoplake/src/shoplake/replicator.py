"""The replicator as a process beside the laptop's servers: it fills bronze where DMS would on AWS."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoplake_core.clock import Clock
from shoplake_core.config import ProjectConfig
from shoplake_core.contracts import TableContract
from shoplake_core.endpoints import AwsEndpoint, MySqlEndpoint
from shoplake_core.errors import ResourceError, SourceError
from shoplake_engines.private_files import private_folder, read_json, write_private_json
from shoplake_engines.processes import DetachedProcess, log_tail, server_environment
from shoplake_replication.standard_settings import standard_s3_settings, standard_table_mappings

__all__ = ["Replicator", "ReplicatorStatus"]

_POLL_SECONDS = 0.1


class ReplicationStoppedError(SourceError):
    """Replication stopped, or stopped for a table, and says why."""

    code = "REPLICATION"


@dataclass(frozen=True, slots=True)
class ReplicatorStatus:
    """What the replicator last said of itself.

    Attributes:
        running: Whether its process runs now.
        state: loading, streaming, stopped or failed; "" before it said anything.
        tables: `schema.table` -> state, reason, loaded_rows, inserts, updates, deletes.
        position: Where in the binlog it is.
        error: Code, message and hint of its failure; empty for none.
        warnings: What it wants a person to know.

    """

    running: bool
    state: str
    tables: Mapping[str, Mapping[str, Any]]
    position: str
    error: Mapping[str, str]
    warnings: tuple[str, ...]

    @property
    def rows_seen(self) -> int:
        """Rows loaded and changes read so far, over all tables."""
        fields = ("loaded_rows", "inserts", "updates", "deletes")
        return sum(int(table.get(field) or 0) for table in self.tables.values() for field in fields)


@dataclass(frozen=True, slots=True)
class Replicator:
    """Starts, ends and asks the replicator of one state folder."""

    state_folder: Path
    clock: Clock

    @property
    def _folder(self) -> Path:
        return self.state_folder / "replication"

    @property
    def _config_path(self) -> Path:
        return self._folder / "config.json"

    @property
    def _process(self) -> DetachedProcess:
        return DetachedProcess(self._folder, "replicator", clock=self.clock)

    @property
    def was_started(self) -> bool:
        """Whether it ever ran here: then `up` starts it again."""
        return self._config_path.exists()

    def configure(
        self,
        *,
        source: MySqlEndpoint,
        object_store: AwsEndpoint,
        bucket: str,
        config: ProjectConfig,
        tables: Mapping[str, TableContract],
    ) -> None:
        """Write what the process is told; it reads that when it starts, so one that was told something else is ended first.

        No password is in it.

        """
        names = [contract.source_name for contract in tables.values()]
        document = {
            "source": {"host": source.host, "port": source.port, "user": source.user},
            "table_mappings": standard_table_mappings(config.source_schema, names),
            "s3": {"bucket": bucket, "folder": "", "endpoint_url": object_store.url, "region": object_store.region},
            "s3_settings": standard_s3_settings(
                flush_interval_seconds=config.flush_interval_seconds,
                minimum_file_kilobytes=max(1, config.flush_size_bytes // 1024),
            ),
            "state_dir": str(self._folder / "state"),
        }
        private_folder(self._folder)
        if self.was_started and read_json(self._config_path) != document:
            self.end()
        write_private_json(self._config_path, document)

    def environment(self, source: MySqlEndpoint, object_store: AwsEndpoint) -> dict[str, str]:
        """The process's environment: its secrets, and nothing of the user's shell."""
        return server_environment(
            self._folder,
            extra={
                "SHOPLAKE_SOURCE_PASSWORD": source.password,
                "AWS_ACCESS_KEY_ID": object_store.access_key_id,
                "AWS_SECRET_ACCESS_KEY": object_store.secret_access_key,
                "AWS_REGION": object_store.region,
                "AWS_DEFAULT_REGION": object_store.region,
                "AWS_EC2_METADATA_DISABLED": "true",
            },
        )

    def start(self, source: MySqlEndpoint, object_store: AwsEndpoint) -> int:
        """The pid of the running process, started if it did not run."""
        return self._process.start(
            self.command("run"),
            environment=self.environment(source, object_store),
        )

    def command(self, *words: str) -> list[str]:
        """A command line of the replication package with this configuration, such as `reload TABLE`."""
        return [sys.executable, "-m", "shoplake_replication", words[0], "--config", str(self._config_path), *words[1:]]

    def end(self) -> bool:
        """Whether it ran; afterwards it does not, and bronze holds all that it had read."""
        return self._process.end()

    def status(self) -> ReplicatorStatus:
        """What it last said, and whether it runs."""
        data = read_json(self._folder / "state" / "status.json")
        return ReplicatorStatus(
            running=self._process.running() is not None,
            state=str(data.get("state", "")),
            tables=data.get("tables", {}),
            position=str(data.get("position", "")),
            error=data.get("error") or {},
            warnings=tuple(data.get("warnings", ())),
        )

    def check(self) -> ReplicatorStatus:
        """Its status, where it runs and no table is stopped.

        Raises:
            ReplicationStoppedError: It failed, or stopped for a table; the message holds its own.
            ResourceError: Its process ended without a word.

        """
        status = self.status()
        if not status.running:
            if status.error:
                raise ReplicationStoppedError(
                    f"replication stopped: {status.error.get('message', '')}", hint=str(status.error.get("hint", ""))
                )
            raise ResourceError(
                f"the replicator ended; the end of its log:\n{log_tail(self._process.log_path)}",
                hint="run `shoplake up`, which starts it again where it stopped",
            )
        stopped = {name: table for name, table in status.tables.items() if table.get("state") == "stopped"}
        if stopped:
            lines = "\n".join(f"  {name}: {table.get('reason', '')}" for name, table in stopped.items())
            first = next(iter(stopped)).partition(".")[2]
            raise ReplicationStoppedError(
                f"replication stopped for {len(stopped)} of {len(status.tables)} tables:\n{lines}",
                hint=f"mend the cause, then: shoplake reload {first}",
                tables=sorted(stopped),
            )
        return status

    def wait_until_loaded(self, *, timeout_seconds: float, on_rows: Any = lambda _: None) -> ReplicatorStatus:
        """Its status once every table is loaded and it streams.

        Raises:
            ReplicationStoppedError: As `check`.
            ResourceError: The time is up.

        """
        until = self.clock.monotonic_seconds() + timeout_seconds
        while True:
            status = self.check()
            on_rows(status.rows_seen)
            loaded = status.tables and all(table.get("state") == "ok" for table in status.tables.values())
            if loaded and status.state == "streaming":
                return status
            if self.clock.monotonic_seconds() > until:
                raise ResourceError(
                    f"the full load is not done after {timeout_seconds:g} s ({status.rows_seen:,} rows so far)",
                    hint="shoplake status shows each table; the load goes on meanwhile: run again",
                )
            self.clock.sleep(_POLL_SECONDS)
