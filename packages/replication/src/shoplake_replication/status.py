"""`status.json`: how the replicator stands, for the command, the console and tests. Written anew at each flush."""

import json
import os
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from shoplake_core.errors import ShoplakeError

from shoplake_replication.state import ReplicatorState

__all__ = ["RunState", "read_status", "write_status"]

_FILE_NAME = "status.json"


class RunState(Enum):
    """What the process does."""

    LOADING = "loading"
    STREAMING = "streaming"
    STOPPED = "stopped"
    FAILED = "failed"


def write_status(
    folder: Path,
    run_state: RunState,
    state: ReplicatorState,
    *,
    warnings: list[str],
    error: ShoplakeError | None,
    now: datetime,
) -> None:
    """The file tells how things stand."""
    tables = {
        name: {
            "state": table.status.value,
            "reason": table.reason,
            "epoch": table.epoch,
            "loaded_rows": table.loaded_rows,
            "inserts": table.inserts,
            "updates": table.updates,
            "deletes": table.deletes,
        }
        for name, table in sorted(state.tables.items())
    }
    document = {
        "schema_version": 1,
        "state": run_state.value,
        "position": state.position,
        "lineage": state.lineage,
        "tables": tables,
        "error": {"code": error.code, "message": error.message, "hint": error.hint} if error else None,
        "warnings": warnings,
        "pid": os.getpid(),
        "updated_at": now.isoformat(timespec="milliseconds"),
    }
    beside = folder / f".{_FILE_NAME}.new"
    beside.write_text(json.dumps(document, indent=1), "utf-8")
    beside.replace(folder / _FILE_NAME)


def read_status(folder: Path) -> dict[str, Any]:
    """What the file says; {"state": "stopped"} with no tables where no replicator ever ran."""
    path = folder / _FILE_NAME
    if not path.exists():
        return {
            "schema_version": 1,
            "state": RunState.STOPPED.value,
            "position": "",
            "tables": {},
            "error": None,
            "warnings": [],
        }
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document
