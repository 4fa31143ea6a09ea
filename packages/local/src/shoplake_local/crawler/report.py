"""What a crawl found and did."""

from dataclasses import dataclass
from enum import Enum

from shoplake_local.crawler.bronze_listing import Skipped

__all__ = ["CrawlReport", "CrawledTable", "Outcome"]


class Outcome(Enum):
    """What became of a catalogue table."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CrawledTable:
    """One table root.

    Attributes:
        name: Its name in the Data Catalog.
        location: `s3://` URL of the root.
        outcome: FAILED leaves the catalogue's table as it was, and the same files are read by the next crawl.
        new_files: Files read.
        added_columns: Columns that the table did not have.
        widened_columns: "column: old type -> new type".
        faults: Why it failed.

    """

    name: str
    location: str
    outcome: Outcome
    new_files: int = 0
    added_columns: tuple[str, ...] = ()
    widened_columns: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """All roots of a crawl, in the order of their names, and the objects that are no data."""

    tables: tuple[CrawledTable, ...]
    skipped: Skipped

    @property
    def faults(self) -> tuple[str, ...]:
        """Every fault, with its table."""
        return tuple(f"{table.name}: {fault}" for table in self.tables for fault in table.faults)

    def of(self, outcome: Outcome) -> tuple[str, ...]:
        """Names of the tables with that outcome."""
        return tuple(table.name for table in self.tables if table.outcome is outcome)
