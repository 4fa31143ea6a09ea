"""How each contract column is read from each file: every mismatch between files and contract, found before data is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import types as t
from shoplake_core.bronze import OPERATION_COLUMN, is_load_file
from shoplake_core.contracts import TableContract
from shoplake_core.errors import ContractError

from shoplake_etl.footers import FileFacts
from shoplake_etl.spark_types import fits, readable_type, spark_type

__all__ = ["COMMITTED_AT", "OPERATION", "SEQUENCE", "FileGroup", "ReadColumn", "ReadingPlan", "plan_reading"]

OPERATION = OPERATION_COLUMN.lower()
COMMITTED_AT = "_committed_at"
SEQUENCE = "_sequence"
_TECHNICAL = (OPERATION, COMMITTED_AT, SEQUENCE)
_IGNORED = frozenset({*_TECHNICAL, "_stream_position"})


@dataclass(frozen=True, slots=True)
class ReadColumn:
    """One column of a group of files; `file_name` "" where the files lack it or hold nothing in it."""

    file_name: str
    read_type: t.DataType


@dataclass(frozen=True, slots=True, kw_only=True)
class FileGroup:
    """Files that are read alike.

    Attributes:
        files: The files.
        columns: Lower-case source name -> how it is read; contract columns and technical ones.
        by_arrow: Whether Spark refuses the files, so that pyarrow reads them on the driver.

    """

    files: tuple[FileFacts, ...]
    columns: Mapping[str, ReadColumn]
    by_arrow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPlan:
    """How to read a batch.

    Attributes:
        groups: Files that are read alike, together.
        unknown_columns: Columns of files that the contract does not name.
        missing_columns: Nullable contract columns that older files lack: read as null.

    """

    groups: tuple[FileGroup, ...]
    unknown_columns: tuple[str, ...]
    missing_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A column to find in the files."""

    name: str
    kind: t.DataType
    nullable: bool
    is_text: bool


def _wanted(contract: TableContract) -> dict[str, _Wanted]:
    columns = {
        c.source_name.lower(): _Wanted(c.name, spark_type(c.source_type), c.nullable, c.source_type.is_text)
        for c in contract.columns
    }
    technical = {name: _Wanted(name, t.StringType(), True, False) for name in _TECHNICAL}
    return columns | technical


def _read_type(wanted: _Wanted, arrow: pa.DataType) -> tuple[t.DataType, bool] | None:
    """The type to read as and whether pyarrow must; None where the file's type does not fit."""
    read = readable_type(arrow)
    if read is not None:
        return (read, False) if fits(read, wanted.kind) else None
    if pa.types.is_time(arrow) and wanted.is_text:
        return t.StringType(), True
    if pa.types.is_timestamp(arrow) and isinstance(wanted.kind, t.TimestampType | t.TimestampNTZType):
        return (t.TimestampType() if arrow.tz else t.TimestampNTZType()), True
    return None


def _written_order(file: FileFacts) -> tuple[object, ...]:
    # A store tells whole seconds; within one, loads come first
    return (file.info.modified_at, not is_load_file(file.info.name), file.info.name)


class _Planner:
    """Collects groups and faults file by file."""

    def __init__(self, contract: TableContract, files: Sequence[FileFacts]) -> None:
        self.contract = contract
        self.wanted = _wanted(contract)
        self.newest_with = {
            name: max((_written_order(f) for f in files if name in f.columns), default=()) for name in self.wanted
        }
        self.faults: dict[str, str] = {}  # one a column: the first file that shows it
        self.groups: dict[tuple[object, ...], list[FileFacts]] = {}
        self.columns: dict[tuple[object, ...], tuple[dict[str, ReadColumn], bool]] = {}
        self.unknown: set[str] = set()
        self.missing: set[str] = set()

    def add(self, file: FileFacts) -> None:
        self.unknown |= file.columns.keys() - self.wanted.keys() - _IGNORED
        columns, by_arrow = {}, False
        for name, wanted in self.wanted.items():
            found = file.columns.get(name)
            if found is None:
                self._check_missing(file, name, wanted)
                columns[name] = ReadColumn("", wanted.kind)
                continue
            if pa.types.is_null(found[1]):
                columns[name] = ReadColumn("", wanted.kind)
                continue
            read = _read_type(wanted, found[1])
            if read is None:
                self._fault(file, wanted.name, f"holds {found[1]}, which does not fit {wanted.kind.simpleString()}")
                continue
            columns[name] = ReadColumn(found[0], read[0])
            by_arrow |= read[1]
        signature = (by_arrow, *((c.file_name, str(c.read_type)) for c in columns.values()))
        self.groups.setdefault(signature, []).append(file)
        self.columns[signature] = (columns, by_arrow)

    def _check_missing(self, file: FileFacts, name: str, wanted: _Wanted) -> None:
        if name == COMMITTED_AT:
            self._fault(file, name, "is missing: set TimestampColumnName of the DMS endpoint")
        elif name in _TECHNICAL:
            return  # a load file may lack them; change files are checked row by row
        elif wanted.nullable and _written_order(file) < (self.newest_with[name] or _written_order(file)):
            self.missing.add(wanted.name)
        else:
            why = "no later file has it" if wanted.nullable else "it is not nullable"
            self._fault(file, wanted.name, f"is missing, and {why}")

    def _fault(self, file: FileFacts, column: str, what: str) -> None:
        self.faults.setdefault(column, f"column {column} {what} (file {file.info.name})")


def plan_reading(contract: TableContract, files: Sequence[FileFacts]) -> ReadingPlan:
    """How to read those files as the contract's columns.

    A nullable column may be missing from files that are older than one that has it (it was added to the table since);
    otherwise a wrong name in the contract would read as null for ever.

    Raises:
        ContractError: A file lacks a column or holds a type that does not fit; every finding is listed.

    """
    planner = _Planner(contract, files)
    for file in files:
        planner.add(file)
    if planner.faults:
        lines = "\n".join(f"  - {fault}" for fault in planner.faults.values())
        raise ContractError(
            f"bronze of {contract.name} does not match its contract:\n{lines}",
            hint=f"edit contracts/silver/{contract.name}.toml, or reload the table after MySQL changed",
            table=contract.name,
            faults=list(planner.faults.values()),
        )
    return ReadingPlan(
        groups=tuple(
            FileGroup(
                files=tuple(members), columns=planner.columns[signature][0], by_arrow=planner.columns[signature][1]
            )
            for signature, members in planner.groups.items()
        ),
        unknown_columns=tuple(sorted(planner.unknown)),
        missing_columns=tuple(sorted(planner.missing)),
    )
