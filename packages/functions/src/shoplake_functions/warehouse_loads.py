"""The next loads of the warehouse, as statements that the state machine hands to the Data API: one transaction a load."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.clock import Clock
from shoplake_core.contracts import TableContract
from shoplake_core.names import ResourceNames
from shoplake_warehouse.loader_aws import prepared_batches
from shoplake_warehouse.loading import BatchLoad, gold_batch, plan_table_load

from shoplake_functions.iceberg_batches import table_batches

__all__ = ["MAX_LOADS", "WarehouseLoads", "next_warehouse_loads"]

MAX_LOADS = 20
_COPY_ROLE = "default"  # the namespace's default role


@dataclass(frozen=True, slots=True)
class WarehouseLoads:
    """The loads to run now, side by side if one likes, and whether more will follow once they are done."""

    loads: tuple[BatchLoad, ...]
    more: bool

    def as_json(self) -> dict[str, Any]:
        """The function's answer."""
        loads = [
            {
                "table": load.batch.table,
                "batch": load.batch.batch,
                "rows": load.batch.rows,
                "sqls": list(load.statements),
            }
            for load in self.loads
        ]
        return {"loads": loads, "more": self.more}


def next_warehouse_loads(
    contracts: Mapping[str, TableContract],
    *,
    names: ResourceNames,
    glue: Any,
    s3: Any,
    redshift_data: Any,
    clock: Clock,
    run_id: str,
) -> WarehouseLoads:
    """At most `MAX_LOADS` loads, each of another table: its oldest batch that is not loaded yet.

    A rebuilt model needs no word here: its new batch is full, and planning begins at the newest full one. Schemas,
    tables and procedures are brought to the contracts first.

    Args:
        contracts: Gold contracts by name, in reading order.
        names: The environment's resources.
        glue: A boto3 Glue client.
        s3: A boto3 S3 client.
        redshift_data: A boto3 `redshift-data` client.
        clock: Waits for the warehouse.
        run_id: Recorded with each batch.

    Raises:
        WarehouseShapeError, WarehouseStatementError: The warehouse could not be prepared.
        WarehouseAheadError, WarehouseGapError: Gold's batches do not follow the warehouse's.

    """
    loaded = prepared_batches(
        redshift_data, contracts=contracts, workgroup=names.workgroup, database=names.warehouse_database, clock=clock
    )
    planned: list[list[BatchLoad]] = []
    for name, contract in contracts.items():
        batches = table_batches(glue, s3, database=names.gold_database, table=name)
        loads = plan_table_load(
            contract,
            [gold_batch(name, batch.number, batch.properties) for batch in batches],
            loaded_batch=loaded.get(name, 0),
            run_id=run_id,
            iam_role=_COPY_ROLE,
        )
        if loads:
            planned.append(list(loads))
    now = tuple(loads[0] for loads in planned[:MAX_LOADS])
    return WarehouseLoads(now, more=sum(map(len, planned)) > len(now))
