"""What data sets read anew, asked of everybody who knows: gold its batches, the warehouse what it holds, QuickSight its past."""

from collections.abc import Callable, Sequence
from datetime import UTC, date
from functools import cache
from typing import Any

from shoplake_core.clock import Clock
from shoplake_core.names import ResourceNames
from shoplake_warehouse.data_api_aws import Session, query
from shoplake_warehouse.ddl import STAGING_SCHEMA, quoted, table_name
from shoplake_warehouse.loader_aws import loaded_batches
from shoplake_warehouse.loading import GoldBatch, gold_batch

from shoplake_functions.iceberg_batches import table_batches
from shoplake_functions.spice_refreshes import Refresh, SpiceDataSet, planned_refresh

__all__ = ["planned_refreshes"]


def planned_refreshes(
    data_sets: Sequence[SpiceDataSet],
    *,
    names: ResourceNames,
    client: Callable[[str], Any],
    clock: Clock,
    run_id: str,
) -> list[Refresh]:
    """A refresh for each data set that has not read the warehouse as it is now.

    Args:
        data_sets: Of the environment.
        names: The environment's resources.
        client: Makes boto3 clients, by service.
        clock: Waits for the warehouse, and says what day it is.
        run_id: Begins the ingestions' ids.

    Raises:
        WarehouseStatementError: The warehouse refused a question.
        DataError: A gold table's log of batches cannot be read.

    """
    warehouse, quicksight = client("redshift-data"), client("quicksight")
    session = Session(workgroup=names.workgroup, database=names.warehouse_database)

    @cache
    def oldest(table: str, column: str) -> date | None:
        ((first, undated),) = query(warehouse, _oldest_sql(table, column), session=session, clock=clock).rows
        return None if undated or first is None else date.fromisoformat(str(first))

    batches = _batches(data_sets, names=names, client=client, clock=clock)
    today = clock.now().astimezone(UTC).date()
    planned = (
        planned_refresh(
            one,
            batches=batches,
            ingestions=_ingestions(quicksight, names.account, one.id),
            oldest=oldest,
            today=today,
            run_id=run_id,
        )
        for one in data_sets
    )
    return [refresh for refresh in planned if refresh is not None]


def _batches(
    data_sets: Sequence[SpiceDataSet], *, names: ResourceNames, client: Callable[[str], Any], clock: Clock
) -> dict[str, list[GoldBatch]]:
    """Table -> the batches that gold knows and the warehouse holds."""
    warehouse, glue, s3 = client("redshift-data"), client("glue"), client("s3")
    loaded = loaded_batches(warehouse, workgroup=names.workgroup, database=names.warehouse_database, clock=clock)
    return {
        table: [
            gold_batch(table, batch.number, batch.properties)
            for batch in table_batches(glue, s3, database=names.gold_database, table=table)
            if batch.number <= loaded[table]
        ]
        for table in sorted({table for one in data_sets for table in one.tables})
        if table in loaded
    }


def _ingestions(quicksight: Any, account: str, data_set_id: str) -> list[dict[str, Any]]:
    pages = quicksight.get_paginator("list_ingestions").paginate(AwsAccountId=account, DataSetId=data_set_id)
    return [one for page in pages for one in page["Ingestions"]]


def _oldest_sql(table: str, column: str) -> str:
    """Staging holds the rows of the batch that was loaded last, as they were (D) and as they are (I)."""
    name = quoted(column)
    return f"SELECT CAST(MIN({name}) AS DATE), COUNT(*) - COUNT({name}) FROM {table_name(STAGING_SCHEMA, table)}"
