"""Silver's side: one table's rows, tombstones and consumed record, as they stood when they were opened."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from shoplake_core.contracts import TableContract
from shoplake_core.errors import DataError
from shoplake_core.names import ResourceNames

from shoplake_reconciliation.iceberg_tables_aws import Batch, IcebergTable, open_table
from shoplake_reconciliation.in_flight import StoredTable
from shoplake_reconciliation.objects_aws import AwsTargets
from shoplake_reconciliation.stored_types import stored_schema

__all__ = ["Consumed", "SilverTable", "open_silver"]

_ORDER_FIELDS: list[Any] = [pa.field("_sequence", pa.string()), pa.field("_committed_at", pa.timestamp("us", tz="UTC"))]


@dataclass(frozen=True, slots=True)
class Consumed:
    """What silver has read of bronze.

    Attributes:
        watermark: Name of the newest change file; "" for none.
        files: Names of the change files read, back to one day before the watermark, with their ETags.
        epochs: Epochs whose load was read whole.

    """

    watermark: str = ""
    files: dict[str, str] = field(default_factory=dict)
    epochs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SilverTable:
    """One silver table and its tombstones, pinned."""

    contract: TableContract
    targets: AwsTargets
    silver: IcebergTable
    tombstones: IcebergTable | None

    def newest_batch(self) -> Batch | None:
        """The newest batch."""
        return self.silver.newest_batch()

    def consumed(self) -> Consumed:
        """The record of the newest batch."""
        batch = self.newest_batch()
        if batch is None:
            return Consumed()
        url = batch.properties.get("shoplake.consumed", "")
        if not url:
            raise DataError(
                f"batch {batch.number} of {self.silver.name} names no consumed record",
                hint=f"rebuild {self.silver.name}",
                table=self.contract.name,
            )
        expected = batch.properties.get("shoplake.consumed-sha256", "")
        data = json.loads(self.targets.objects.content_of_url(url, expected))
        return Consumed(data.get("watermark") or "", dict(data["files"]), frozenset(data.get("epochs", ())))

    def stored(self, *, with_order: bool = True) -> StoredTable:
        """Rows and tombstones; the order columns of the rows are null where nobody needs them."""
        columns = stored_schema(self.contract)
        if with_order:
            schema = pa.schema([*columns, *_ORDER_FIELDS])
            rows = self.silver.typed_rows(schema)
        else:
            rows = self.silver.typed_rows(columns)
            for order in _ORDER_FIELDS:
                rows = rows.append_column(order, pa.nulls(rows.num_rows, order.type))
        keys = [columns.field(name) for name in self.contract.key]
        schema = pa.schema([*keys, pa.field("reason", pa.string()), *_ORDER_FIELDS])
        tombstones = self.tombstones.typed_rows(schema) if self.tombstones else schema.empty_table()
        return StoredTable(rows, tombstones, self.consumed().epochs)

    def rows_at(self, columns: Sequence[str], batch: Batch) -> pa.Table:
        """Some columns of the rows as that batch left them, in silver's types."""
        schema = stored_schema(self.contract)
        wanted = pa.schema([schema.field(name) for name in columns])
        return self.silver.typed_rows(wanted, snapshot_id=batch.snapshot_id)


def open_silver(targets: AwsTargets, names: ResourceNames, contract: TableContract) -> SilverTable | None:
    """The contract's silver table, pinned; None where there is none yet."""
    tombstones = open_table(targets, names.silver_database, f"{contract.name}__tombstones")
    silver = open_table(targets, names.silver_database, contract.name)
    return None if silver is None else SilverTable(contract, targets, silver, tombstones)
