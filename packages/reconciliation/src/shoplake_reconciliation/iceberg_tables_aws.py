"""Iceberg tables of the catalogue as they stood when they were opened, and their batch log in the snapshots' properties."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyiceberg.exceptions import NoSuchIcebergTableError, NoSuchTableError
from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot
from shoplake_core.errors import DataError

from shoplake_reconciliation.objects_aws import AwsTargets

__all__ = ["Batch", "IcebergTable", "open_table"]


@dataclass(frozen=True, slots=True)
class Batch:
    """One commit of a run on a table.

    Attributes:
        number: `shoplake.batch`.
        snapshot_id: Iceberg's name of it.
        properties: The snapshot's properties.

    """

    number: int
    snapshot_id: int
    properties: Mapping[str, str]

    @property
    def reads(self) -> Mapping[str, int]:
        """Table -> the newest batch of it that this commit saw (gold)."""
        return {name: int(number) for name, number in json.loads(self.properties.get("shoplake.reads", "{}")).items()}


@dataclass(frozen=True, slots=True)
class IcebergTable:
    """One table, pinned at the snapshot that was current when it was opened."""

    name: str
    table: Table

    def batches(self) -> Iterator[Batch]:
        """The table's batches, newest first; maintenance is passed over."""
        snapshot: Snapshot | None = self.table.metadata.current_snapshot()
        while snapshot is not None:
            properties = dict(snapshot.summary.additional_properties) if snapshot.summary else {}
            if "shoplake.batch" in properties:
                yield Batch(int(properties["shoplake.batch"]), snapshot.snapshot_id, properties)
            parent = snapshot.parent_snapshot_id
            snapshot = None if parent is None else self.table.metadata.snapshot_by_id(parent)

    def newest_batch(self) -> Batch | None:
        """The newest batch; None for a table that no run has written.

        Raises:
            DataError: The table has rows and no batch.

        """
        newest = next(self.batches(), None)
        if newest is None and self.table.metadata.current_snapshot() is not None:
            raise DataError(
                f"table {self.name} has snapshots and none of them carries shoplake.batch",
                hint=f"rebuild it: somebody else wrote {self.name}",
                table=self.name,
            )
        return newest

    def batch(self, number: int) -> Batch | None:
        """The batch of that number; None where its snapshot has expired."""
        return next((batch for batch in self.batches() if batch.number == number), None)

    def typed_rows(self, schema: pa.Schema, *, snapshot_id: int | None = None) -> pa.Table:
        """The columns of `schema` of every row, in its types.

        Raises:
            DataError: The table lacks a column, or holds it in a type that does not fit.

        """
        rows = self.rows(schema.names, snapshot_id=snapshot_id)
        try:
            return rows.cast(schema)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            differing = [
                f"{f.name} {rows.schema.field(f.name).type}, not {f.type}"
                for f in schema
                if rows.schema.field(f.name).type != f.type
            ]
            raise DataError(
                f"table {self.name} holds other types than its contract says: {'; '.join(differing)}",
                hint=f"rebuild {self.name}, or correct the contract",
                table=self.name,
            ) from error

    def rows(
        self,
        columns: Sequence[str],
        *,
        snapshot_id: int | None = None,
        row_filter: BooleanExpression | None = None,
    ) -> pa.Table:
        """Some columns of every row, in the given order.

        Args:
            columns: Their names.
            snapshot_id: An older state; None for the one that was current at opening.
            row_filter: Which rows; None for all.

        Raises:
            DataError: The table lacks a column.

        """
        known = {field.name for field in self.table.schema().fields}
        missing = [name for name in columns if name not in known]
        if missing:
            raise DataError(
                f"table {self.name} has no column {', '.join(missing)}, which its contract names",
                hint="run the job that writes it once more, or rebuild the table",
                table=self.name,
                columns=missing,
            )
        scan = self.table.scan(
            row_filter=row_filter or AlwaysTrue(), selected_fields=tuple(columns), snapshot_id=snapshot_id
        )
        return scan.to_arrow().select(list(columns))


def open_table(targets: AwsTargets, database: str, name: str) -> IcebergTable | None:
    """The table pinned at its current snapshot; None where the catalogue has no such Iceberg table."""
    try:
        table: Any = targets.catalog.load_table((database, name))
    except (NoSuchTableError, NoSuchIcebergTableError):
        return None
    return IcebergTable(f"{database}.{name}", table)
