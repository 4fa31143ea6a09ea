"""What the replicator must remember over a restart: one JSON file, replaced atomically."""

import json
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from shoplake_core.errors import ConfigError

from shoplake_replication.durable_files import write_durably

__all__ = ["ReplicatorState", "TableState", "TableStatus", "load_state", "save_state"]

_FILE_NAME = "state.json"
_SCHEMA_VERSION = 1


class TableStatus(Enum):
    """How a table stands."""

    LOADING = "loading"
    OK = "ok"
    STOPPED = "stopped"


@dataclass(kw_only=True)
class TableState:
    """One captured table.

    Attributes:
        status: How it stands.
        reason: Why it is stopped, with the next step; "" else.
        epoch: Of its newest complete load; "" before the first.
        floor: Place (file's number and offset as one number) of that load's snapshot: changes up to it are in it.
        loaded_rows: Rows of that load.
        last_load_number: Of the LOAD files written so far, complete loads or not.
        last_change_name: Of its change files.
        inserts: Row changes written since that load.
        updates: The same.
        deletes: The same.

    """

    status: TableStatus = TableStatus.LOADING
    reason: str = ""
    epoch: str = ""
    floor: int = 0
    loaded_rows: int = 0
    last_load_number: int = 0
    last_change_name: str = ""
    inserts: int = 0
    updates: int = 0
    deletes: int = 0


@dataclass(kw_only=True)
class ReplicatorState:
    """All of it.

    Attributes:
        server_id: This replicator's id among the server's replicas; 0 before the first start.
        lineage: Whose binlog the position is in; "" before the first start.
        lineage_digits: Its 16 digits in `_sequence`.
        position: `file:offset` of the last transaction whose rows are all in bronze; "" before the first load.
        file_created: When the server began that file, seconds since 1970; 0 while not known.
        tables: By `schema.table`.

    """

    server_id: int = 0
    lineage: str = ""
    lineage_digits: str = ""
    position: str = ""
    file_created: int = 0
    tables: dict[str, TableState] = field(default_factory=dict)


def _table_from(data: dict[str, Any]) -> TableState:
    return TableState(**{**data, "status": TableStatus(data["status"])})


def load_state(folder: Path) -> ReplicatorState:
    """The state in that folder; a fresh one where there is none.

    Raises:
        ConfigError: The file is not one of ours.

    """
    path = folder / _FILE_NAME
    if not path.exists():
        return ReplicatorState()
    try:
        data = json.loads(path.read_text("utf-8"))
        version = data.pop("schema_version")
        data["tables"] = {name: _table_from(table) for name, table in data["tables"].items()}
        state = ReplicatorState(**data)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path} is no state of this replicator: {error}",
            hint="give it another state_dir: every table is then loaded anew",
        ) from error
    if version != _SCHEMA_VERSION:
        raise ConfigError(f"{path} has schema_version {version}, expected {_SCHEMA_VERSION}", hint="update Shoplake")
    return state


def save_state(folder: Path, state: ReplicatorState) -> None:
    """The state is on disk."""
    data = asdict(state)
    for table in data["tables"].values():
        table["status"] = table["status"].value
    write_durably(folder / _FILE_NAME, json.dumps({"schema_version": _SCHEMA_VERSION} | data, indent=1, sort_keys=True))
