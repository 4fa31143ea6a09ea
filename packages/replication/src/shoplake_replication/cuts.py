"""A cut: the changes between two positions, as finished files on disk with their final names, then in bronze.

The files and the manifest are on disk before the first upload: after a crash the same bytes go up under the same names.
"""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
from shoplake_core.bronze import table_prefix
from shoplake_core.clock import Clock
from shoplake_core.names import MARKER_SCHEMA, MARKER_TABLE

from shoplake_replication.bronze_aws import Bronze, sha256_of
from shoplake_replication.change_rows import ChangeCounts
from shoplake_replication.durable_files import sync_folder, write_durably
from shoplake_replication.failpoints import Failpoint, Step
from shoplake_replication.object_names import change_name
from shoplake_replication.parquet_files import write_parquet
from shoplake_replication.s3_settings import S3Settings
from shoplake_replication.state import ReplicatorState
from shoplake_replication.table_mappings import TableRoute

__all__ = ["Cut", "CutBuilder", "CutFile", "apply_cut", "load_cut", "remove_cut", "upload_cut"]

_FOLDER = "cut"
_MANIFEST = "cut.json"


@dataclass(frozen=True, slots=True)
class CutFile:
    """One change file: where it lies, where it goes, and what it holds."""

    local: str
    key: str
    table: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Everything that the upload and the new state need.

    Attributes:
        begin: Position after the last cut.
        end: Position after this one.
        file_created: See `ReplicatorState`, for `end`.
        files: In the order of their upload; the marker's last.
        counts: Table -> inserts, updates, deletes.

    """

    begin: str
    end: str
    file_created: int
    files: tuple[CutFile, ...]
    counts: dict[str, tuple[int, int, int]]


def load_cut(folder: Path) -> Cut | None:
    """The cut that a crash left behind; None where there is none."""
    path = folder / _MANIFEST
    if not path.exists():
        return None
    data = json.loads(path.read_text("utf-8"))
    data["files"] = tuple(CutFile(**file) for file in data["files"])
    data["counts"] = {table: tuple(counts) for table, counts in data["counts"].items()}
    return Cut(**data)


def remove_cut(folder: Path) -> None:
    """No cut and none of its files remain."""
    (folder / _MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder / _FOLDER, ignore_errors=True)


def upload_cut(folder: Path, cut: Cut, bronze: Bronze, failpoint: Failpoint) -> None:
    """All files of the cut are in bronze."""
    for file in cut.files:
        failpoint.reach(Step.BEFORE_CHANGE_PUT)
        bronze.put_file(file.key, folder / _FOLDER / file.local, file.sha256)
        failpoint.reach(Step.AFTER_CHANGE_PUT)


def apply_cut(state: ReplicatorState, cut: Cut) -> None:
    """The state after the cut's upload."""
    state.position, state.file_created = cut.end, cut.file_created
    for file in cut.files:
        table = state.tables[file.table]
        table.last_change_name = max(table.last_change_name, file.key.rsplit("/", 1)[-1])
    for name, (inserts, updates, deletes) in cut.counts.items():
        table = state.tables[name]
        table.inserts += inserts
        table.updates += updates
        table.deletes += deletes


@dataclass
class _Waiting:
    route: TableRoute
    tables: list[pa.Table]


class CutBuilder:
    """Collects Arrow tables into the files of one cut.

    Args:
        folder: The state folder.
        settings: How files are written.
        clock: Names the files.
        last_name: Name of a table's last change file.

    """

    def __init__(self, folder: Path, settings: S3Settings, clock: Clock, last_name: Callable[[str], str]) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._last_name = last_name
        self._names: dict[str, str] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._waiting_bytes = 0
        self._files: list[CutFile] = []
        self._counts: dict[str, tuple[int, int, int]] = {}

    def add(self, route: TableRoute, table: pa.Table, counts: ChangeCounts) -> None:
        """Add changes of one table, in binlog order; a new shape begins a new file."""
        name = route.source
        waiting = self._waiting.get(name)
        if waiting is not None and waiting.tables and waiting.tables[0].schema != table.schema:
            self._write(waiting)
        self._waiting.setdefault(name, _Waiting(route, [])).tables.append(table)
        old = self._counts.get(name, (0, 0, 0))
        self._counts[name] = (old[0] + counts.inserts, old[1] + counts.updates, old[2] + counts.deletes)
        self._waiting_bytes += table.nbytes
        if self._waiting_bytes >= self._settings.minimum_file_bytes:
            for each in self._waiting.values():
                self._write(each)
            self._waiting_bytes = 0

    def texts_of(self, table: str, column: str) -> set[str]:
        """Values of one column in the rows of one table that are not in a file yet."""
        waiting = self._waiting.get(table)
        parts = [part for part in waiting.tables if column in part.column_names] if waiting else []
        return {str(value) for part in parts for value in part[column].to_pylist()}

    @property
    def is_empty(self) -> bool:
        """Whether no row was added."""
        return not self._files and not any(waiting.tables for waiting in self._waiting.values())

    def _write(self, waiting: _Waiting) -> None:
        if not waiting.tables:
            return
        spool = self._folder / _FOLDER
        spool.mkdir(exist_ok=True)
        route = waiting.route
        name = change_name(self._clock.now(), self._names.get(route.source) or self._last_name(route.source))
        self._names[route.source] = name
        path = spool / f"{len(self._files):06d}.parquet"
        rows = write_parquet(path, waiting.tables, waiting.tables[0].schema, self._settings)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        key = table_prefix(route.target_schema, route.target_table) + name
        self._files.append(CutFile(path.name, key, route.source, rows, sha256_of(path)))
        waiting.tables.clear()

    def finish(self, *, begin: str, end: str, file_created: int, failpoint: Failpoint) -> Cut:
        """The cut, with its files and manifest on disk."""
        for waiting in self._waiting.values():
            self._write(waiting)
        marker = f"{MARKER_SCHEMA}.{MARKER_TABLE}"
        files = sorted(self._files, key=lambda file: file.table == marker)  # stable: the marker's files last
        cut = Cut(begin=begin, end=end, file_created=file_created, files=tuple(files), counts=self._counts)
        sync_folder(self._folder / _FOLDER)
        failpoint.reach(Step.BEFORE_CUT_SAVE)
        write_durably(self._folder / _MANIFEST, json.dumps(asdict(cut)))
        failpoint.reach(Step.AFTER_CUT_SAVE)
        return cut
