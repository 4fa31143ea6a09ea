"""The layout of bronze: object keys, the epoch record, and the order of all changes of one key.

See docs/data-format.md. Nothing here talks to S3.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

__all__ = [
    "COMMITTED_AT_FORMAT",
    "OPERATION_COLUMN",
    "SEQUENCE_DIGITS",
    "EpochRecord",
    "LoadFile",
    "epoch_prefix",
    "epoch_record_from_json",
    "is_load_file",
    "table_prefix",
]

OPERATION_COLUMN = "Op"
SEQUENCE_DIGITS = 35
COMMITTED_AT_FORMAT = "%Y-%m-%d %H:%M:%S.%f"  # DMS: yyyy-MM-dd HH:mm:ss.SSSSSS, UTC


def table_prefix(schema: str, table: str) -> str:
    """Key prefix of a table's files, as DMS names it: `schema/table/`."""
    return f"{schema}/{table}/"


def epoch_prefix(schema: str, table: str) -> str:
    """Key prefix of a table's epoch records; their names sort by epoch."""
    return f"_shoplake/epochs/{schema}/{table}/"


def is_load_file(name: str) -> bool:
    """Whether the object of that last key part belongs to a full load (else to changes)."""
    return name.startswith("LOAD")


@dataclass(frozen=True, slots=True)
class LoadFile:
    """One file of a full load."""

    name: str
    etag: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One complete load of one table: the beginning of an epoch. Written once, after its last file.

    Attributes:
        schema: MySQL schema.
        table: MySQL table.
        epoch: `started_at` as 20 digits (yyyymmddHHMMSSffffff); increases from load to load of a table.
        started_at: The load's start on the source's clock, UTC, in COMMITTED_AT_FORMAT; every load row carries it
            in `_committed_at`.
        engine: "shoplake" (our replicator: exact) or "dms".
        lineage: The server whose binlog the positions are in (MySQL's server_uuid, or our own id on MariaDB).
        stream_position: `file:position` of the snapshot in the binlog.
        sequence_floor: Changes with a greater `_sequence` are newer than this load, all others older. "" on DMS,
            where the commit time decides.
        change_margin_seconds: On DMS, changes committed up to this long before `started_at` count as newer than the
            load: replaying what the load already holds is harmless, since all later changes follow.
        rows: Rows of the load, over all files.
        files: The load's files, in order; none for an empty table.

    """

    schema: str
    table: str
    epoch: str
    started_at: str
    engine: str
    lineage: str
    stream_position: str
    sequence_floor: str
    change_margin_seconds: int
    rows: int
    files: tuple[LoadFile, ...]

    @property
    def key(self) -> str:
        """The object key of this record."""
        return f"{epoch_prefix(self.schema, self.table)}{self.epoch}.json"

    def to_json(self) -> str:
        """The object's text."""
        return json.dumps({"schema_version": 1, "complete": True} | asdict(self), sort_keys=True)


def epoch_record_from_json(text: str) -> EpochRecord:
    """The record that `EpochRecord.to_json` wrote."""
    data: dict[str, Any] = json.loads(text)
    data.pop("schema_version")
    data.pop("complete")
    data["files"] = tuple(LoadFile(**file) for file in data["files"])
    return EpochRecord(**data)
