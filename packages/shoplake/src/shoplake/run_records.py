"""What each run did, one JSON file a run under the state folder: the list behind `status` and the run lock's owner."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from shoplake_engines.private_files import private_folder, write_private_text
from shoplake_engines.processes import ProcessIdentity, process_of

__all__ = ["RunRecord", "is_running", "newest_run", "read_run", "write_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run.

    Attributes:
        run_id: Unique, sorts by start: `yyyymmddTHHMMSSZ-<random>`.
        status: running, succeeded or failed; died where its process ended without a word.
        started_at: UTC, ISO 8601.
        ended_at: UTC, ISO 8601; "" while it runs.
        pid: The process that runs it.
        pid_created_at_seconds: That process's start, so that a reused pid is not taken for it.
        failed_step: The step that failed; "" for none.
        error: Code, message and hint of the failure.
        steps: Step name -> seconds and what it counted.

    """

    run_id: str
    status: str
    started_at: str
    ended_at: str = ""
    pid: int = 0
    pid_created_at_seconds: float = 0.0
    failed_step: str = ""
    error: dict[str, str] = field(default_factory=dict)
    steps: dict[str, Any] = field(default_factory=dict)


def write_run(folder: Path, record: RunRecord) -> None:
    """Keep the record, whole or not at all."""
    text = json.dumps({"schema_version": 1} | asdict(record), indent=1)
    write_private_text(private_folder(folder) / f"{record.run_id}.json", text)


def read_run(path: Path) -> RunRecord:
    """The record in that file."""
    data = json.loads(path.read_text("utf-8"))
    data.pop("schema_version")
    return RunRecord(**data)


def is_running(owner: Mapping[str, Any]) -> bool:
    """Whether the process that a record, or an owner of the run lock, names is still that process."""
    identity = ProcessIdentity(int(owner.get("pid", 0)), float(owner.get("pid_created_at_seconds", 0.0)))
    return process_of(identity) is not None


def newest_run(folder: Path) -> RunRecord | None:
    """The record of the run that started last, None before the first; one whose process died says `died`."""
    paths = sorted(folder.glob("*.json"))
    if not paths:
        return None
    record = read_run(paths[-1])
    return replace(record, status="died") if record.status == "running" and not is_running(asdict(record)) else record
