"""What each run did, one JSON file a run under the state folder: the list behind `status` and the run lock's owner."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["RunRecord", "newest_run", "read_run", "write_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run.

    Attributes:
        run_id: Unique, sorts by start: `yyyymmddTHHMMSSZ-<random>`.
        status: running, succeeded or failed.
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
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.run_id}.json"
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({"schema_version": 1} | asdict(record), indent=1), "utf-8")
    os.replace(draft, path)  # noqa: PTH105 - the atomic one


def read_run(path: Path) -> RunRecord:
    """The record in that file."""
    data = json.loads(path.read_text("utf-8"))
    data.pop("schema_version")
    return RunRecord(**data)


def newest_run(folder: Path) -> RunRecord | None:
    """The record of the run that started last, None before the first."""
    paths = sorted(folder.glob("*.json"))
    return read_run(paths[-1]) if paths else None
