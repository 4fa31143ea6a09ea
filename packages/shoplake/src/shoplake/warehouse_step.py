"""Gold's new batches into the warehouse, through the Redshift Data API."""

from collections.abc import Callable
from typing import Any

from shoplake_warehouse.change_files_aws import manifest_reader
from shoplake_warehouse.loader_aws import load_gold

from shoplake.gold_batches_aws import gold_batches
from shoplake.laptop import WAREHOUSE_WORKGROUP, Laptop

__all__ = ["load_warehouse"]

_COPY_ROLE = "default"  # the namespace's default role on AWS; the local warehouse reads with its own key


def load_warehouse(laptop: Laptop, *, run_id: str, on_progress: Callable[[str], None]) -> dict[str, Any]:
    """Table -> batch, batches and rows that this run brought; and the totals.

    Raises:
        WarehouseLoadError: A table failed; the others were loaded.

    """
    contracts = laptop.workspace.project.gold
    loaded = load_gold(
        laptop.redshift_data,
        contracts=contracts,
        batches=gold_batches(laptop.targets, laptop.names.gold_database, contracts),
        run_id=run_id,
        iam_role=_COPY_ROLE,
        workgroup=WAREHOUSE_WORKGROUP,
        database=laptop.warehouse.database,
        clock=laptop.clock,
        on_progress=on_progress,
        manifests=manifest_reader(laptop.object_store),
    )
    tables = {
        name: {
            "batch": table.batch,
            "batches": len(table.loaded),
            "rows": table.rows,
            "seconds": round(table.seconds, 2),
        }
        for name, table in loaded.items()
    }
    return {
        "tables": tables,
        "batches": sum(len(table.loaded) for table in loaded.values()),
        "rows": sum(table.rows for table in loaded.values()),
    }
