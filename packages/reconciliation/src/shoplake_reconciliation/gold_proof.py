"""silver - orphans = gold = warehouse for one source table and the gold table that reconciles it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pyarrow as pa
from shoplake_core.contracts import Reconciles, TableContract

from shoplake_reconciliation.arrow import as_arrow
from shoplake_reconciliation.findings import Finding, FindingKind, SumDifference
from shoplake_reconciliation.gold_side_aws import GoldTable, batch_read
from shoplake_reconciliation.groups import (
    ROWS,
    Grain,
    compared_groups,
    grain_of,
    group_ranges,
    group_side,
    grouped,
    side_rows,
    side_sums,
    weighted_sums,
)
from shoplake_reconciliation.iceberg_tables_aws import Batch
from shoplake_reconciliation.key_matching import key_codes
from shoplake_reconciliation.key_ranges import KeyRanges, TableSide, added_sums
from shoplake_reconciliation.report import LayerNumbers
from shoplake_reconciliation.silver_side_aws import SilverTable
from shoplake_reconciliation.warehouse_side import Query, WarehouseRange, WarehouseTable, loaded_batch

__all__ = ["GoldProof", "GoldProver"]

_MOST_RANGES_FETCHED = 20


@dataclass(frozen=True, slots=True)
class GoldProof:
    """How silver, gold and the warehouse compare.

    Attributes:
        findings: Every difference.
        notes: Layers that are a batch behind, and were compared at their own batch.
        orphans: Silver rows left out because their parent is absent.
        layers: gold and warehouse, where they could be read.

    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    orphans: int = 0
    layers: Mapping[str, LayerNumbers] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GoldProver:
    """Compares source tables with gold and the warehouse.

    Attributes:
        silver: Silver tables by name, pinned: the sources and their parents.
        gold: Gold tables by name, pinned.
        query: Runs a SELECT in the warehouse; None to leave it out.

    """

    silver: Mapping[str, SilverTable]
    gold: Mapping[str, GoldTable]
    query: Query | None

    def proved(self, source: TableContract, gold: TableContract, reconciles: Reconciles) -> GoldProof:
        """The comparison of one source table with the gold table that reconciles it, and of that with the warehouse.

        Each layer is compared at the batches that it has read; a layer that is behind is said to be, and is no failure
        of its numbers.
        """
        table = self.gold.get(gold.name)
        batch = table.newest_batch() if table else None
        if table is None or batch is None:
            return GoldProof((_missing(source, "silver", "gold", f"gold table {gold.name} holds no batch yet"),))
        grain = grain_of(source, gold, reconciles)
        expected, orphans, notes, findings = self._source_groups(source, gold, reconciles, grain, batch)
        found = table.groups(reconciles, grain, batch)
        layers: dict[str, LayerNumbers] = {}
        if expected is not None:
            ranges = group_ranges(expected, grain)
            sides = group_side(expected, grain, ranges), group_side(found, grain, ranges)
            findings += compared_groups(source.name, ("silver", "gold"), grain, ranges, sides)
            layers["gold"] = LayerNumbers(
                side_rows(sides[1]),
                side_sums(sides[1]),
                table=gold.name,
                expected=LayerNumbers(side_rows(sides[0]), side_sums(sides[0])),
                batch=batch.number,
            )
        if self.query is not None:
            proof = _WarehouseProver(self.query, source, table, reconciles, grain).proved(batch, found)
            findings += proof.findings
            notes += proof.notes
            layers |= proof.layers
        return GoldProof(tuple(findings), tuple(notes), orphans, layers)

    def _source_groups(
        self, source: TableContract, gold: TableContract, reconciles: Reconciles, grain: Grain, batch: Batch
    ) -> tuple[pa.Table | None, int, list[str], list[Finding]]:
        """Silver at the batch that gold read: its groups without orphans, how many those were, notes, findings."""
        notes: list[str] = []
        columns = list(dict.fromkeys([*grain.columns, *grain.sums, *reconciles.parents])) or [source.key[0]]
        rows = self._rows_read(source.name, columns, gold, batch, notes)
        if rows is None:
            return None, 0, notes, [_unproven(source, gold, source.name)]
        present = np.ones(rows.num_rows, bool)
        for column, parent in reconciles.parents.items():
            key = self.silver[parent].contract.key[0] if parent in self.silver else ""
            parents = self._rows_read(parent, [key], gold, batch, notes) if key else None
            if parents is None:
                return None, 0, notes, [_unproven(source, gold, parent)]
            children = pa.table({key: rows[column].cast(parents.schema.field(key).type)})
            codes, parent_codes = key_codes(children, parents)
            present &= np.isin(codes, parent_codes)
        orphans = int((~present).sum())
        sums = {name: name for name in grain.sums}
        return grouped(rows.filter(as_arrow(present)) if orphans else rows, grain, sums), orphans, notes, []

    def _rows_read(
        self, name: str, columns: list[str], gold: TableContract, batch: Batch, notes: list[str]
    ) -> pa.Table | None:
        """Some columns of a silver table as the gold batch saw it; None where that state is gone."""
        table = self.silver.get(name)
        newest = table.newest_batch() if table else None
        if table is None or newest is None:
            return None
        number = batch_read(self.gold, batch, name)
        if number is None:
            return None
        read = newest if number == newest.number else table.silver.batch(number)
        if read is None:
            return None
        if number != newest.number:
            note = f"silver {name} is at batch {newest.number} and gold {gold.name} has read batch {number}: compared at {number}"
            if note not in notes:
                notes.append(note)
        return table.rows_at(columns, read)


@dataclass(frozen=True, slots=True)
class _WarehouseProver:
    """Compares a gold table with its copy in the warehouse."""

    query: Query
    source: TableContract
    gold: GoldTable
    reconciles: Reconciles
    grain: Grain

    def proved(self, newest: Batch, newest_groups: pa.Table) -> GoldProof:
        """The comparison at the batch that the warehouse has loaded."""
        name = self.gold.contract.name
        number = loaded_batch(self.query, name)
        if number is None:
            return GoldProof(
                (_missing(self.source, "gold", "warehouse", f"the warehouse has loaded no batch of {name}"),)
            )
        notes: tuple[str, ...] = ()
        groups = newest_groups
        if number != newest.number:
            notes = (f"gold {name} is at batch {newest.number} and the warehouse has loaded batch {number}",)
            loaded = self.gold.gold.batch(number)
            if loaded is None:
                message = f"{notes[0]}, whose snapshot is gone: run the load again, then reconcile"
                return GoldProof((_unproven_layer(self.source, "gold", "warehouse", message),), notes)
            groups = self.gold.groups(self.reconciles, self.grain, loaded)
        ranges = group_ranges(groups, self.grain)
        expected = group_side(groups, self.grain, ranges)
        table = WarehouseTable(self.query, self.gold.contract, self.reconciles, self.grain)
        found = table.range_numbers(ranges)
        names = [ROWS, *self.grain.sums]
        totals = added_sums([dict.fromkeys(names, Decimal(0)), *(numbers.sums for numbers in found.values())])
        layer = LayerNumbers(int(totals.pop(ROWS)), totals, table=f"gold.{name}", batch=number)
        findings = self._findings(table, ranges, groups, expected, found)
        return GoldProof(tuple(findings), notes, 0, {"warehouse": layer})

    def _findings(
        self,
        table: WarehouseTable,
        ranges: KeyRanges,
        groups: pa.Table,
        expected: TableSide,
        found: Mapping[int, WarehouseRange],
    ) -> list[Finding]:
        nothing = WarehouseRange(
            dict.fromkeys([ROWS, *self.grain.sums], Decimal(0)), dict.fromkeys(table.weighted, Decimal(0))
        )
        weighted = weighted_sums(groups, self.grain, ranges)
        differing = [
            number
            for number, numbers in enumerate(expected.numbers)
            if dict(numbers.sums) != dict(found.get(number, nothing).sums)
            or any(weighted[number][name] != value for name, value in found.get(number, nothing).weighted.items())
        ]
        findings: list[Finding] = []
        for place, number in enumerate(differing):
            fetched = (
                table.groups(ranges.range_at(number)) if place < _MOST_RANGES_FETCHED and self.grain.columns else None
            )
            named: list[Finding] = []
            if fetched is not None:
                one = KeyRanges(ranges.column, ranges.cuts, (number,))
                sides = group_side(groups, self.grain, one), group_side(fetched, self.grain, one)
                named = compared_groups(self.source.name, ("gold", "warehouse"), self.grain, one, sides)
            numbers = expected.numbers[number].sums, found.get(number, nothing).sums
            findings += named or [self._of_range(ranges, number, *numbers)]
        return findings

    def _of_range(
        self, ranges: KeyRanges, number: int, expected: Mapping[str, Decimal], found: Mapping[str, Decimal]
    ) -> Finding:
        """The finding of a range whose keys were not fetched."""
        rows = int(expected[ROWS]), int(found[ROWS])
        kind = FindingKind.WRONG
        if rows[0] != rows[1]:
            kind = FindingKind.LOST if rows[1] < rows[0] else FindingKind.GHOST
        return Finding(
            kind=kind,
            table=self.source.name,
            expected_in="gold",
            found_in="warehouse",
            key_range=ranges.range_at(number) if self.grain.columns else None,
            expected_rows=rows[0],
            found_rows=rows[1],
            message="" if dict(expected) != dict(found) else "the sums are equal and amounts stand at the wrong keys",
            sums=tuple(
                SumDifference(name, expected[name], found[name])
                for name in self.grain.sums
                if expected[name] != found[name]
            ),
        )


def _missing(source: TableContract, expected_in: str, found_in: str, message: str) -> Finding:
    return Finding(
        kind=FindingKind.MISSING, table=source.name, expected_in=expected_in, found_in=found_in, message=message
    )


def _unproven_layer(source: TableContract, expected_in: str, found_in: str, message: str) -> Finding:
    return Finding(
        kind=FindingKind.UNPROVEN, table=source.name, expected_in=expected_in, found_in=found_in, message=message
    )


def _unproven(source: TableContract, gold: TableContract, table: str) -> Finding:
    return _unproven_layer(
        source,
        "silver",
        "gold",
        f"gold {gold.name} does not say which batch of silver {table} it read, or that state has expired: "
        "run silver to gold once more, then reconcile",
    )
