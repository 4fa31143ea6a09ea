"""The result of a reconciliation, as a value and as JSON. Drawing it is the command's part."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from shoplake_reconciliation.findings import Finding, number_text

__all__ = ["FORMULA", "Cut", "LayerNumbers", "ReconcileReport", "TableReport"]

FORMULA = (
    "MySQL after the contract's rules = silver at the cut + keys in quarantine; "
    "silver - orphans = gold = warehouse, where a gold contract reconciles the table"
)


@dataclass(frozen=True, slots=True)
class Cut:
    """The state of MySQL that everything was compared with.

    Attributes:
        position: `file:position` in the binlog.
        taken_at: The source's clock at the snapshot.
        sequence: The greatest `_sequence` that belongs to the cut; "" where the tables' loads know none.
        promise: "exact", or "by time" where a table's changes carry no position (DMS without stream positions).

    """

    position: str
    taken_at: datetime
    sequence: str
    promise: str = "exact"

    def as_json(self) -> dict[str, Any]:
        """The cut as JSON values."""
        return {
            "position": self.position,
            "taken_at": self.taken_at.isoformat(),
            "sequence": self.sequence,
            "promise": self.promise,
        }


@dataclass(frozen=True, slots=True)
class LayerNumbers:
    """What one layer holds of one table.

    Attributes:
        rows: Number of rows.
        sums: Column of the source table -> exact sum.
        table: Name of the table where it is not the source table's own.
        expected: The numbers that it is compared with, where they are not another layer's own.
        batch: The batch of the layer's table; None where it has none.

    """

    rows: int
    sums: Mapping[str, Decimal]
    table: str = ""
    expected: "LayerNumbers | None" = None
    batch: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The numbers as JSON values; sums are texts, so that no reader rounds them."""
        data: dict[str, Any] = {"rows": self.rows, "sums": {name: number_text(v) for name, v in self.sums.items()}}
        if self.table:
            data = {"table": self.table} | data
        if self.expected is not None:
            data["expected"] = self.expected.as_json()
        if self.batch is not None:
            data["batch"] = self.batch
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReport:
    """One source table through all layers.

    Attributes:
        table: Its name in silver.
        rows_in_flight: Keys that a change between what silver consumed and the cut concerns.
        rows_in_quarantine: Keys in quarantine at the cut, within the checked ranges.
        orphans: Silver rows that gold leaves out because their parent is absent from silver.
        layers: mysql, silver, gold, warehouse -> numbers; layers without counterpart are absent. `mysql` counts every
            row, its sums are over the rows that the rules accept; `silver` is what it holds now.
        silver_at_cut: Silver once it has consumed the changes in flight: what MySQL is compared with; in JSON
            it stands within `silver` as `at_cut`.
        ranges_checked: How many key ranges of MySQL were compared.
        ranges: How many there are.
        findings: Every difference.
        notes: What is no difference and should be known, such as a layer that is a batch behind.

    """

    table: str
    rows_in_flight: int = 0
    rows_in_quarantine: int = 0
    orphans: int = 0
    layers: Mapping[str, LayerNumbers] = field(default_factory=dict)
    silver_at_cut: LayerNumbers | None = None
    ranges_checked: int = 0
    ranges: int = 0
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def agree(self) -> bool:
        """Whether all layers agree."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The table as JSON values."""
        layers = {name: numbers.as_json() for name, numbers in self.layers.items()}
        if self.silver_at_cut is not None and "silver" in layers:
            layers["silver"]["at_cut"] = self.silver_at_cut.as_json()
        return {
            "table": self.table,
            "agree": self.agree,
            "rows_in_flight": self.rows_in_flight,
            "rows_in_quarantine": self.rows_in_quarantine,
            "orphans": self.orphans,
            "ranges": {"checked": self.ranges_checked, "of": self.ranges},
            "layers": layers,
            "findings": [finding.as_json() for finding in self.findings],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """Whether MySQL = silver = gold = warehouse at the cut, table by table."""

    cut: Cut
    tables: tuple[TableReport, ...]

    @property
    def agree(self) -> bool:
        """Whether every table agrees."""
        return all(table.agree for table in self.tables)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "schema_version": 1,
            "agree": self.agree,
            "cut": self.cut.as_json(),
            "tables": [table.as_json() for table in self.tables],
            "formula": FORMULA,
        }

    def to_json(self) -> str:
        """The report's text."""
        return json.dumps(self.as_json(), indent=2)
