"""What a job tells of its run: one JSON object (docs/data-format.md section 6)."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from shoplake_core.errors import ShoplakeError

__all__ = ["ModelSummary", "RunSummary", "TableError", "TableSummary", "failed_tables", "table_error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSummary:
    """One silver table. read = applied + superseded + redelivered + quarantined."""

    files: int = 0
    read: int = 0
    applied: int = 0
    superseded: int = 0
    redelivered: int = 0
    quarantined: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    ghosts: int = 0
    batch: int = 0
    seconds: float = 0.0
    warnings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """One gold table.

    Attributes:
        scope: Groups that were rebuilt.
        inserted: Rows that are new.
        updated: Rows that are other than they were.
        deleted: Rows that are gone.
        batch: Number of the batch.
        full: Whether the table was built anew.
        backfill: What of it a backfill rebuilt: "dates", "keys" or "whole"; "" for none.
        seconds: How long it took.
        warnings: The tests of severity "warn" that found rows.

    """

    scope: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    batch: int = 0
    full: bool = False
    backfill: str = ""
    seconds: float = 0.0
    warnings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableError:
    """Why a table was not done."""

    code: str
    message: str
    hint: str


def table_error(error: ShoplakeError) -> TableError:
    """The error as a summary tells it."""
    return TableError(error.code, error.message, error.hint)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run of one job."""

    job: str
    run_id: str
    tables: Mapping[str, TableSummary | ModelSummary | TableError]

    @property
    def failed(self) -> tuple[str, ...]:
        """Tables that were not done."""
        return tuple(name for name, table in self.tables.items() if isinstance(table, TableError))

    def to_json(self) -> str:
        """One line."""
        tables: dict[str, Any] = {}
        for name, table in self.tables.items():
            if isinstance(table, TableError):
                tables[name] = {"error": asdict(table)}
                continue
            tables[name] = asdict(table)
            for rare in ("warnings", "backfill"):
                if not tables[name].get(rare, True):
                    del tables[name][rare]
        return json.dumps({"schema_version": 1, "job": self.job, "run_id": self.run_id, "tables": tables})


def failed_tables(text: str) -> frozenset[str]:
    """The tables that failed, by a summary's JSON."""
    return frozenset(name for name, table in json.loads(text)["tables"].items() if "error" in table)
