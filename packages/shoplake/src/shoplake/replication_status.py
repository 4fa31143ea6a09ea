"""How replication is, as the DMS task tells of itself."""

from collections.abc import Callable, Mapping
from typing import Any

from shoplake_core.clock import Clock
from shoplake_core.errors import DataError, ResourceError

from shoplake.cloud import Cloud

__all__ = ["ReplicationError", "reload_table", "replication_document", "table_statistics", "why_replication_stopped"]

_POLL_SECONDS = 0.5
_COUNTS = {"loaded_rows": "FullLoadRows", "inserts": "Inserts", "updates": "Updates", "deletes": "Deletes"}
_DONE = "Table completed"
_IN_ERROR = frozenset({"Table error", "Table cancelled", "Table does not exist"})


class ReplicationError(DataError):
    """Replication stopped, or stopped for a table."""

    code = "REPLICATION"


def table_statistics(cloud: Cloud, task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every captured table of the task, as DMS tells of it."""
    dms: Any = cloud.aws.client("dms")
    pages = dms.get_paginator("describe_table_statistics").paginate(ReplicationTaskArn=task["ReplicationTaskArn"])
    return [table for page in pages for table in page["TableStatistics"]]


def replication_document(cloud: Cloud) -> dict[str, Any] | None:
    """The task and its tables, as JSON values; None where it is not provisioned."""
    task = cloud.replication_task()
    if task is None:
        return None
    tables = {
        f"{table['SchemaName']}.{table['TableName']}": {"state": table["TableState"]}
        | {name: table.get(member, 0) for name, member in _COUNTS.items()}
        for table in (table_statistics(cloud, task) if task["Status"] != "ready" else [])
    }
    return {
        "state": task["Status"],
        "position": task.get("RecoveryCheckpoint", ""),
        "message": task.get("LastFailureMessage", ""),
        "tables": tables,
    }


def why_replication_stopped(cloud: Cloud) -> str:
    """What the task says of its last failure; "" where it says nothing."""
    task = cloud.replication_task()
    return str(task.get("LastFailureMessage", "")) if task else ""


def reload_table(
    cloud: Cloud, schema: str, table: str, *, clock: Clock, timeout_seconds: float, on_rows: Callable[[int], None]
) -> int:
    """Rows of the table, once it was loaded anew.

    Raises:
        ResourceError: There is no task, it does not run, or the time is up.
        ReplicationError: The load failed.

    """
    task = cloud.replication_task()
    if task is None or task["Status"] != "running":
        state = "not there" if task is None else task["Status"]
        raise ResourceError(f"the replication task is {state}: only a running one loads a table", hint="shoplake run")
    cloud.aws.client("dms").reload_tables(
        ReplicationTaskArn=task["ReplicationTaskArn"],
        TablesToReload=[{"SchemaName": schema, "TableName": table}],
        ReloadOption="data-reload",
    )
    until = clock.monotonic_seconds() + timeout_seconds
    while True:
        found = next(
            (one for one in table_statistics(cloud, task) if (one["SchemaName"], one["TableName"]) == (schema, table)),
            None,
        )
        if found is not None:
            on_rows(int(found.get("FullLoadRows", 0)))
            if found["TableState"] == _DONE:
                return int(found.get("FullLoadRows", 0))
            if found["TableState"] in _IN_ERROR:
                raise ReplicationError(
                    f"reload of {schema}.{table} failed: {why_replication_stopped(cloud) or found['TableState']}",
                    hint="mend the cause and reload it again",
                )
        if clock.monotonic_seconds() > until:
            raise ResourceError(
                f"the load of {schema}.{table} is not done after {timeout_seconds:g} s", hint="shoplake status shows it"
            )
        clock.sleep(_POLL_SECONDS)
