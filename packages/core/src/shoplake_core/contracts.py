"""What a table must look like, as data. One frozen `TableContract` a table: etl, warehouse, datagen, reconciliation and
the documentation all derive their view of the table from it.

`contract_files.py` reads them from TOML.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from shoplake_core.logical_types import Kind, LogicalType

__all__ = [
    "CaseFold",
    "ColumnContract",
    "GoldTest",
    "Layer",
    "Pii",
    "Rebuild",
    "Reconciles",
    "Severity",
    "TableContract",
    "Violation",
]

MASKED_TYPE = LogicalType(Kind.STRING, length=64)  # HMAC-SHA-256 in hex


class Layer(Enum):
    """Which layer a table lives in."""

    SILVER = "silver"
    GOLD = "gold"


class Pii(Enum):
    """What a column tells about a person. Every class but NONE is masked on its way into silver."""

    NONE = "none"
    EMAIL = "email"
    NAME = "name"
    PHONE = "phone"
    ADDRESS = "address"
    BIRTH_DATE = "birth_date"
    NOTE = "note"


class CaseFold(Enum):
    """What happens to the letters A-Z of a text."""

    KEEP = "keep"
    LOWER = "lower"
    UPPER = "upper"


class Violation(Enum):
    """What a broken check does."""

    QUARANTINE = "quarantine"
    NULL = "null"


class Rebuild(Enum):
    """How much of a gold table is worked out anew when something that it reads has changed."""

    SCOPE = "scope"
    WHOLE = "whole"


class Severity(Enum):
    """What a failed test of a gold table does."""

    ERROR = "error"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnContract:
    """One column: its type, its cleaning rules in the order of `cleaning`, and its checks.

    Attributes:
        name: Name in silver and after.
        source_name: Name in MySQL, matched without regard to case.
        type: Type after cleaning and before masking.
        source_type: Type in MySQL; differs from `type` only where `formats` parse a text.
        nullable: Whether null is a right value after cleaning.
        pii: What the column tells about a person; masked unless NONE.
        trim: Strip `cleaning.TRIM_CHARACTERS`.
        case: Fold A-Z.
        blank_is_null: "" becomes null.
        formats: Names of `cleaning.DATE_FORMATS`, tried in order.
        accepted: The closed set of values; empty for no such check.
        pattern: A name of `cleaning.PATTERNS`; "" for no such check.
        minimum: Smallest right value, as text in the type's own form (dates `YYYY-MM-DD`); "" for none.
        maximum: Largest right value; "" for none.
        violation: What a failed check does; a null in a column that is not nullable always quarantines.
        doc: One sentence for the reader.

    """

    name: str
    source_name: str
    type: LogicalType
    source_type: LogicalType
    nullable: bool = False
    pii: Pii = Pii.NONE
    trim: bool = False
    case: CaseFold = CaseFold.KEEP
    blank_is_null: bool = False
    formats: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    pattern: str = ""
    minimum: str = ""
    maximum: str = ""
    violation: Violation = Violation.QUARANTINE
    doc: str = ""

    @property
    def stored_type(self) -> LogicalType:
        """The type in silver: the masked type for PII, else the column's own."""
        return self.type if self.pii is Pii.NONE else MASKED_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciles:
    """Which rows and sums of a source table a gold table must reproduce.

    Attributes:
        source: The silver table.
        where: Column of this gold table -> value; the gold rows that stand for one source row each.
        sums: Column of the source -> column of this gold table whose sum must be equal.
        parents: Column of the source -> silver table that must hold it as its key; rows without that parent
            (it is in quarantine) are left out on the source's side, and counted.

    """

    source: str
    where: Mapping[str, str] = field(default_factory=dict)
    sums: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldTest:
    """What must never be found in a gold table.

    Attributes:
        name: What the test says when it holds, in snake_case.
        sql: SELECT that returns the rows that break it, with their keys: over the view named like the model, which holds the
            rows just built, over the tables that the model reads, and over `scope`.
        severity: Whether the model stops, or tells it and goes on. An error suits what holds within one table; tables that
            are read at their own moments can disagree for one run.

    """

    name: str
    sql: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class TableContract:
    """One table of silver or gold.

    Attributes:
        name: Name in its layer.
        layer: Silver or gold.
        grain: One row per what, in words.
        key: Columns that name one row; never PII.
        columns: In the order of the table.
        source_name: Table name in MySQL (silver).
        tracks: Columns beside the key whose old and new values a change set carries to gold (silver).
        reads: Tables that the model's SQL reads, silver or gold (gold).
        rebuild: Whether touched groups are rebuilt, or the table as a whole: what depends on every row, like a rank (gold).
        scope: Columns whose value groups are rebuilt as a whole; a subset of the columns; () where the table is (gold).
        touched: Table read -> SQL selecting the scope values that a change set touches, over the view `changes` (gold).
        everything: SELECT of every scope value, for a build from nothing; "" to ask `touched` with all rows as changes (gold).
        distribution_key: Redshift DISTKEY; "" for even (gold).
        sort_key: Redshift SORTKEY columns (gold).
        reconciles: What this table must reproduce of its sources (gold).
        tests: What its rows are tested for before they are committed (gold).
        doc: One paragraph for the reader.

    """

    name: str
    layer: Layer
    grain: str
    key: tuple[str, ...]
    columns: tuple[ColumnContract, ...]
    source_name: str = ""
    tracks: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    rebuild: Rebuild = Rebuild.SCOPE
    scope: tuple[str, ...] = ()
    touched: Mapping[str, str] = field(default_factory=dict)
    everything: str = ""
    distribution_key: str = ""
    sort_key: tuple[str, ...] = ()
    reconciles: tuple[Reconciles, ...] = ()
    tests: tuple[GoldTest, ...] = ()
    doc: str = ""

    def column(self, name: str) -> ColumnContract:
        """The column of that name (KeyError if there is none)."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(column.name for column in self.columns)
