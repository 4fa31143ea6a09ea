"""Gold's side: one Iceberg table of gold at the grain of a source table, and which batches of its sources it has read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, EqualTo
from shoplake_core.contracts import Reconciles, TableContract
from shoplake_core.logical_types import Kind
from shoplake_core.names import ResourceNames

from shoplake_reconciliation.groups import Grain, grouped
from shoplake_reconciliation.iceberg_tables_aws import Batch, IcebergTable, open_table
from shoplake_reconciliation.objects_aws import AwsTargets

__all__ = ["GoldTable", "batch_read", "open_gold"]


def _filter(contract: TableContract, where: Mapping[str, str]) -> BooleanExpression:
    result: BooleanExpression = AlwaysTrue()
    equal_to: Any = EqualTo  # pyiceberg's stubs know the keyword form of its own models only
    for name, text in where.items():
        kind = contract.column(name).type
        value: str | bool | int = text
        if kind.kind is Kind.BOOLEAN:
            value = str(text).lower() == "true"
        elif kind.is_integer:
            value = int(text)
        result = And(result, equal_to(name, value))
    return result


@dataclass(frozen=True, slots=True)
class GoldTable:
    """One gold table, pinned."""

    contract: TableContract
    gold: IcebergTable

    def newest_batch(self) -> Batch | None:
        """The newest batch."""
        return self.gold.newest_batch()

    def groups(self, reconciles: Reconciles, grain: Grain, batch: Batch) -> pa.Table:
        """The rows that stand for the source's rows, as that batch left them, at the grain."""
        names = list(dict.fromkeys([*grain.columns, *grain.sums.values()])) or [self.contract.key[0]]
        rows = self.gold.rows(names, snapshot_id=batch.snapshot_id, row_filter=_filter(self.contract, reconciles.where))
        for name in grain.columns:
            kind = grain.schema.field(name).type
            if rows.schema.field(name).type != kind:
                rows = rows.set_column(rows.column_names.index(name), name, rows[name].cast(kind))
        return grouped(rows, grain, grain.sums)


def open_gold(targets: AwsTargets, names: ResourceNames, contract: TableContract) -> GoldTable | None:
    """The contract's gold table, pinned; None where there is none yet."""
    gold = open_table(targets, names.gold_database, contract.name)
    return None if gold is None else GoldTable(contract, gold)


def batch_read(tables: Mapping[str, GoldTable], batch: Batch, source: str) -> int | None:
    """The batch of silver table `source` that a gold batch saw, itself or through the gold tables it read.

    Args:
        tables: Gold tables by name.
        batch: The gold batch.
        source: A silver table.

    """
    reads = batch.reads
    if source in reads:
        return reads[source]
    for name, number in reads.items():
        between = tables[name].gold.batch(number) if name in tables else None
        found = batch_read(tables, between, source) if between else None
        if found is not None:
            return found
    return None
