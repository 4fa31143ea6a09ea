"""Full loads: one consistent snapshot, LOAD files in key order, and at the end the epoch record that makes it count."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
from shoplake_core.bronze import COMMITTED_AT_FORMAT, OPERATION_COLUMN, EpochRecord, LoadFile, table_prefix
from shoplake_core.errors import SourceError
from shoplake_core.sequences import BinlogPosition, sequence_at
from shoplake_mysql.errors import UnsupportedTableError
from shoplake_mysql.rows import read_batches
from shoplake_mysql.snapshot import Snapshot
from shoplake_mysql.tables import TableShape, read_table_shape

from shoplake_replication.bronze_aws import Bronze, sha256_of
from shoplake_replication.change_rows import HeaderNames
from shoplake_replication.failpoints import Failpoint, Step
from shoplake_replication.header_columns import place_of
from shoplake_replication.object_names import last_change_name, last_load_number, load_name
from shoplake_replication.parquet_files import ParquetFile
from shoplake_replication.s3_settings import S3Settings
from shoplake_replication.state import TableState, TableStatus
from shoplake_replication.table_mappings import TableRoute

__all__ = ["LoadPlan", "check_shape", "load_table"]

_FOLDER = "load"
_EPOCH_FORMAT = "%Y%m%d%H%M%S%f"
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """What all loads of one snapshot share."""

    folder: Path
    settings: S3Settings
    bronze: Bronze
    lineage: str
    lineage_digits: str
    file_bytes: int
    failpoint: Failpoint


def check_shape(shape: TableShape) -> None:
    """The table can be replicated exactly.

    Raises:
        UnsupportedTableError: It has no primary key, or one on columns that are not captured.

    """
    if not shape.primary_key:
        raise UnsupportedTableError(
            f"{shape.full_name} has no primary key, so a change cannot be matched with its row",
            hint=f"ALTER TABLE {shape.full_name} ADD PRIMARY KEY, or exclude it in the table mappings",
            table=shape.full_name,
        )
    missing = [name for name in shape.primary_key if name in shape.left_out]
    if missing:
        raise UnsupportedTableError(
            f"the primary key of {shape.full_name} has columns that are not captured (invisible or generated): {', '.join(missing)}",
            hint="make them visible plain columns, or exclude the table in the table mappings",
            table=shape.full_name,
        )


def _epoch_start(started_at: datetime, last_epoch: str) -> datetime:
    """The load's start, later than the table's last epoch even if the source's clock stepped back."""
    if last_epoch and started_at.strftime(_EPOCH_FORMAT) <= last_epoch:
        last = datetime.strptime(last_epoch, _EPOCH_FORMAT).replace(tzinfo=started_at.tzinfo)
        return last + _MICROSECOND
    return started_at


class _LoadFiles:
    """LOAD files of one table: written beside the state, put into bronze, forgotten."""

    def __init__(self, plan: LoadPlan, route: TableRoute, state: TableState) -> None:
        self._plan = plan
        self._prefix = table_prefix(route.target_schema, route.target_table)
        names = plan.bronze.names(self._prefix)
        state.last_load_number = max(state.last_load_number, last_load_number(names))
        state.last_change_name = max(state.last_change_name, last_change_name(names))
        self._state = state
        self._file: ParquetFile | None = None
        self.done: list[LoadFile] = []

    def write(self, table: pa.Table) -> None:
        if self._file is None:
            folder = self._plan.folder / _FOLDER
            folder.mkdir(exist_ok=True)
            self._file = ParquetFile(folder / "load.parquet", table.schema, self._plan.settings)
        self._file.write(table)
        if self._file.arrow_bytes >= self._plan.file_bytes:
            self.finish_file()

    def finish_file(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        file.close()
        self._state.last_load_number += 1
        name = load_name(self._state.last_load_number)
        self._plan.failpoint.reach(Step.BEFORE_LOAD_PUT)
        etag = self._plan.bronze.put_file(self._prefix + name, file.path, sha256_of(file.path))
        self._plan.failpoint.reach(Step.AFTER_LOAD_PUT)
        self.done.append(LoadFile(name, etag, file.rows))
        file.path.unlink()


def _bronze_rows(batch: pa.RecordBatch, plan: LoadPlan, names: HeaderNames, started_at: str, position: str) -> pa.Table:
    table = pa.Table.from_batches([batch])
    rows = table.num_rows
    if plan.settings.operation_in_load:
        table = table.add_column(0, OPERATION_COLUMN, pa.repeat(pa.scalar("I"), rows))
    table = table.append_column(
        pa.field(names.committed_at, pa.string(), nullable=False), pa.repeat(pa.scalar(started_at), rows)
    )
    if names.sequence:
        table = table.append_column(names.sequence, pa.nulls(rows, pa.string()))
    if names.stream_position:
        table = table.append_column(names.stream_position, pa.repeat(pa.scalar(position), rows))
    return table


def load_table(
    snapshot: Snapshot, plan: LoadPlan, route: TableRoute, names: HeaderNames, state: TableState
) -> TableShape:
    """The table's shape; its rows and its epoch record are in bronze, and `state` says so (not saved yet).

    Raises:
        SourceError: The table cannot be replicated exactly.

    """
    shape = read_table_shape(snapshot.connection, route.schema, route.table)
    check_shape(shape)
    taken = {names.committed_at, names.sequence, names.stream_position, OPERATION_COLUMN} & {
        column.name for column in shape.columns
    }
    if taken:
        raise SourceError(
            f"{route.source} has a column named like a header column: {', '.join(sorted(taken))}",
            hint="give the header column another name in the mappings",
        )
    started = _epoch_start(snapshot.started_at, state.epoch)
    started_at, position = started.strftime(COMMITTED_AT_FORMAT), snapshot.position
    shutil.rmtree(plan.folder / _FOLDER, ignore_errors=True)
    files = _LoadFiles(plan, route, state)
    for batch in read_batches(snapshot.connection, shape):
        files.write(_bronze_rows(batch, plan, names, started_at, str(position)))
    files.finish_file()
    record = EpochRecord(
        schema=route.target_schema,
        table=route.target_table,
        epoch=started.strftime(_EPOCH_FORMAT),
        started_at=started_at,
        engine="shoplake",
        lineage=plan.lineage,
        stream_position=str(position),
        sequence_floor=sequence_at(plan.lineage_digits, position),
        change_margin_seconds=0,
        rows=sum(file.rows for file in files.done),
        files=tuple(files.done),
    )
    plan.failpoint.reach(Step.BEFORE_EPOCH_PUT)
    plan.bronze.put_text(record.key, record.to_json())
    plan.failpoint.reach(Step.AFTER_EPOCH_PUT)
    _mark_loaded(state, record, position)
    return shape


def _mark_loaded(state: TableState, record: EpochRecord, position: BinlogPosition) -> None:
    state.status, state.reason = TableStatus.OK, ""
    state.epoch, state.loaded_rows = record.epoch, record.rows
    state.floor = place_of(position.file_number, position.offset)
    state.inserts = state.updates = state.deletes = 0
