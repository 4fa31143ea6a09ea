"""What the console asks of whoever knows the data: the tables of each layer, how they agree, and where a column comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

__all__ = [
    "BatchEntry",
    "CheckedRun",
    "ColumnEntry",
    "DataLayer",
    "DataOverview",
    "DataSource",
    "Place",
    "Problem",
    "ReconciledTable",
    "Refused",
    "TableEntry",
    "TablePage",
    "WrittenByRun",
]


class DataLayer(StrEnum):
    """Where a table is."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be read: of what, why, and what to do next."""

    what: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEntry:
    """One table as it is now.

    Attributes:
        layer: Where it is.
        name: Its name there.
        grain: One row per what; "" where nothing says.
        rows: How many; None where that is not known.
        changed_at: When a run wrote it last, or bronze got its newest file; None where that is not known.
        run_id: The run that did; "" for none.
        batches: How many batches it has had.
        files: Its files (bronze).
        loads: How many of them are of full loads (bronze).
        size_bytes: Of its files (bronze).
        is_more: Whether there are more files than were counted.
        refused: Rows that were ever refused (silver); None where that is not known.
        warehouse_rows: Rows in the warehouse (gold); None where that is not known.
        loaded_at: When the warehouse took its last batch (gold).

    """

    layer: DataLayer
    name: str
    grain: str = ""
    rows: int | None = None
    changed_at: datetime | None = None
    run_id: str = ""
    batches: int = 0
    files: int = 0
    loads: int = 0
    size_bytes: int = 0
    is_more: bool = False
    refused: int | None = None
    warehouse_rows: int | None = None
    loaded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciledTable:
    """One source table through all layers, as a run found it; None for a layer where it has no counterpart."""

    table: str
    rows: Mapping[str, int | None]
    refused: int
    orphans: int
    in_flight: int
    agree: bool
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRun:
    """One run as the warehouse recorded it."""

    run_id: str
    status: str
    started_at: datetime
    seconds: int | None
    failed_state: str
    checks: int
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataOverview:
    """Every table, and whether the layers agree.

    Attributes:
        tables: Layer by layer.
        reconciled_run: The newest run that compared all layers; "" for none.
        reconciled_at: When it took its cut.
        reconciled: What it found, table by table.
        runs: The newest runs that the warehouse recorded, newest first.
        problems: What could not be read.

    """

    tables: Sequence[TableEntry] = ()
    reconciled_run: str = ""
    reconciled_at: datetime | None = None
    reconciled: Sequence[ReconciledTable] = ()
    runs: Sequence[CheckedRun] = ()
    problems: Sequence[Problem] = ()


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A column of a table, or a tile of a dashboard, as a step of a column's way: its words and its address."""

    words: str
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnEntry:
    """One column by its contract.

    Attributes:
        name: Its name.
        type: Its stored type.
        marks: What is special, such as "key", "nullable" or "masked: email".
        rules: What is done to it and checked, in order.
        doc: One sentence.
        origins: What it is made of.
        origins_note: What is to be known where that is not columns.
        uses: What is made of it.
        tiles: The tiles that show it.

    """

    name: str
    type: str
    marks: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    doc: str = ""
    origins: tuple[Place, ...] = ()
    origins_note: str = ""
    uses: tuple[Place, ...] = ()
    tiles: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEntry:
    """One commit of a run on the table: its number, when it was made (UTC), how many rows the table has had since (None where
    that is not known), and whether it is the whole table.
    """

    number: int
    run_id: str
    at: datetime
    rows: int | None
    is_full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenByRun:
    """What a run wrote of the table, as the warehouse recorded it, and how many findings its checks had."""

    run_id: str
    finished_at: datetime
    written: int
    refused: int
    seconds: int
    findings: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One row that silver refused.

    Attributes:
        key: Column -> value, of its key.
        operation: "I", "U" or "D".
        committed_at: When MySQL committed it, in UTC; None where bronze does not tell.
        reasons: `<rule>:<column>`.
        row: Column -> value as the rules left it; personal values as "masked" with the beginning of the mask.
        run_id: The run that refused it.
        source: File and row in bronze.

    """

    key: Mapping[str, str]
    operation: str
    committed_at: datetime | None
    reasons: tuple[str, ...]
    row: Mapping[str, str]
    run_id: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePage:
    """Everything of one table.

    Attributes:
        entry: Its numbers.
        doc: One paragraph.
        source: Its table in MySQL; "" for gold.
        columns: By its contract; none for bronze, whose columns are MySQL's.
        upstream: The tables that it is made of.
        downstream: The tables that are made of it.
        tiles: The tiles that read it.
        lineage_note: How fine the ways of its columns are known.
        tests: Name and severity of what its rows are tested for (gold).
        batches: Newest first.
        written: Newest run first.
        refused: Newest first.
        reasons: Reason and how often it was given, most frequent first.
        problems: What could not be read.

    """

    entry: TableEntry
    doc: str = ""
    source: str = ""
    columns: Sequence[ColumnEntry] = ()
    upstream: Sequence[Place] = ()
    downstream: Sequence[Place] = ()
    tiles: Sequence[Place] = ()
    lineage_note: str = ""
    tests: Sequence[tuple[str, str]] = ()
    batches: Sequence[BatchEntry] = ()
    written: Sequence[WrittenByRun] = ()
    refused: Sequence[Refused] = ()
    reasons: Sequence[tuple[str, int]] = field(default=())
    problems: Sequence[Problem] = ()


class DataSource(Protocol):
    """The data of one environment. Each call may be made from any thread; it raises a ShoplakeError that names the thing."""

    def names(self, layer: DataLayer) -> Sequence[str]:
        """The tables of a layer, by the contracts."""
        ...

    def overview(self) -> DataOverview:
        """Every table; what cannot be read is a problem, never an error."""
        ...

    def table(self, layer: DataLayer, name: str) -> TablePage:
        """One table (KeyError if there is none of that name); what cannot be read is a problem, never an error."""
        ...
