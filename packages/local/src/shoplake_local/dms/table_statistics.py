"""How the tables of a task stand: from what its replicator says to DMS's states and counters. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shoplake_local.dms.replicator_process import ReplicatorReport

__all__ = ["table_failures", "table_statistics", "task_statistics"]

_BEFORE, _LOADING, _COMPLETED = "Before load", "Full load", "Table completed"
_ERROR, _RELOADING = "Table error", "Table is being reloaded"


def table_statistics(report: ReplicatorReport, reloads: Mapping[str, str]) -> list[dict[str, Any]]:
    """DMS's TableStatistics, by schema and table.

    Args:
        report: What the replicator says.
        reloads: `schema.table` -> the epoch that the table had when its reload was asked for.

    """
    waiting = [name for name, table in sorted(report.tables.items()) if table["state"] == "loading"]
    # tables are loaded one after another, in the order of their names
    at_work = waiting[0] if waiting and report.state == "loading" else ""
    return [_statistics(name, report, reloads, at_work) for name in sorted(report.tables)]


def task_statistics(tables: list[dict[str, Any]]) -> dict[str, int]:
    """The counters of DMS's ReplicationTaskStats."""
    states = [table["TableState"] for table in tables]
    done = sum(state in {_COMPLETED, _ERROR} for state in states)
    return {
        "FullLoadProgressPercent": 100 * done // len(states) if states else 0,
        "TablesLoaded": states.count(_COMPLETED),
        "TablesLoading": states.count(_LOADING) + states.count(_RELOADING),
        "TablesQueued": states.count(_BEFORE),
        "TablesErrored": states.count(_ERROR),
    }


def table_failures(report: ReplicatorReport) -> str:
    """Why tables are in error, "" where none is."""
    reasons = [f"{name}: {table['reason']}" for name, table in sorted(report.tables.items()) if table.get("reason")]
    return "; ".join(reasons)


def _statistics(name: str, report: ReplicatorReport, reloads: Mapping[str, str], at_work: str) -> dict[str, Any]:
    table = report.tables[name]
    schema, _, own_name = name.partition(".")
    reloaded = name in reloads and table["epoch"] != reloads[name]
    statistics = {
        "SchemaName": schema,
        "TableName": own_name,
        "Inserts": table["inserts"],
        "Updates": table["updates"],
        "Deletes": table["deletes"],
        "Ddls": 0,
        "AppliedInserts": table["inserts"],
        "AppliedUpdates": table["updates"],
        "AppliedDeletes": table["deletes"],
        "AppliedDdls": 0,
        "FullLoadRows": table["loaded_rows"],
        "FullLoadCondtnlChkFailedRows": 0,
        "FullLoadErrorRows": 0,
        "FullLoadReloaded": reloaded,
        "TableState": _state(name, report, reloads, at_work),
        "ValidationState": "Not enabled",
    }
    if report.updated_at:
        statistics["LastUpdateTime"] = datetime.fromisoformat(report.updated_at)
    return statistics


def _state(name: str, report: ReplicatorReport, reloads: Mapping[str, str], at_work: str) -> str:
    table = report.tables[name]
    if name in report.asked_reloads:
        return _RELOADING
    if table["state"] == "stopped":
        return _ERROR
    if table["state"] == "ok":
        # the wish is served, and the load has not been told of yet
        return _RELOADING if reloads.get(name) == table["epoch"] else _COMPLETED
    if table["epoch"]:
        return _RELOADING
    return _LOADING if name == at_work else _BEFORE
