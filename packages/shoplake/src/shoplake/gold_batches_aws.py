"""The batches that gold's tables hold, read from their Iceberg snapshots: what the warehouse has to copy."""

from collections.abc import Iterable

from shoplake_reconciliation.iceberg_tables_aws import open_table
from shoplake_reconciliation.objects_aws import AwsTargets
from shoplake_warehouse.loading import GoldBatch, gold_batch

__all__ = ["gold_batches"]


def gold_batches(targets: AwsTargets, database: str, tables: Iterable[str]) -> dict[str, list[GoldBatch]]:
    """Gold table -> its batches, oldest first; a table that was never built is missing."""
    found: dict[str, list[GoldBatch]] = {}
    for name in tables:
        table = open_table(targets, database, name)
        if table is None:
            continue
        newest_first = [gold_batch(name, batch.number, batch.properties) for batch in table.batches()]
        found[name] = newest_first[::-1]
    return found
