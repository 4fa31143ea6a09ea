"""What the warehouse holds of gold, and what it recorded of runs, as the console shows it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shoplake_console.data_port import CheckedRun, DataLayer, WrittenByRun
from shoplake_core.errors import ShoplakeError

from shoplake.console_warehouse import ConsoleWarehouse

__all__ = ["WarehouseRecords"]

_RUNS_SHOWN = 12

_RUNS_SQL = """
SELECT r."run_id", r."status", r."started_at", r."duration_seconds", r."failed_state",
       count(c."check_name") AS checks, coalesce(sum(c."findings"), 0) AS findings
FROM shoplake."runs" AS r
LEFT JOIN shoplake."run_checks" AS c ON c."run_id" = r."run_id"
GROUP BY 1, 2, 3, 4, 5
ORDER BY r."started_at" DESC
LIMIT CAST(:count AS integer)
"""
_LOADS_SQL = 'SELECT "table_name", max("loaded_at") AS loaded_at FROM shoplake."loads" GROUP BY 1'
_WRITTEN_SQL = """
SELECT t."run_id", t."finished_at", t."rows_written", t."rows_quarantined", t."duration_seconds",
       (SELECT sum(c."findings") FROM shoplake."run_checks" AS c
        WHERE c."run_id" = t."run_id" AND c."table_name" = t."table_name") AS findings
FROM shoplake."run_tables" AS t
WHERE t."layer" = CAST(:layer AS varchar(20)) AND t."table_name" = CAST(:table AS varchar(256))
ORDER BY t."finished_at" DESC
LIMIT CAST(:count AS integer)
"""


@dataclass(frozen=True)
class WarehouseRecords:
    """Reads one environment's warehouse. Each call raises ResourceError where that does not answer.

    Attributes:
        warehouse: It.
        gold: Names of the project's gold tables.

    """

    warehouse: ConsoleWarehouse
    gold: Collection[str]

    def counts(self, only: str = "") -> dict[str, int]:
        """Gold table -> rows in the warehouse, in one statement; tables that are not there are left out."""
        there = {
            row["table_name"]
            for row in self.warehouse.rows(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'gold'",
                what="the list of tables",
            )
        }
        wanted = [name for name in self.gold if name in there and only in {"", name}]
        if not wanted:
            return {}
        sql = "\nUNION ALL\n".join(
            f"SELECT CAST('{name}' AS varchar(256)) AS t, count(*) AS n FROM gold.\"{name}\"" for name in wanted
        )  # names of contracts, which hold nothing but letters, digits and _
        return {str(row["t"]): int(row["n"]) for row in self.warehouse.rows(sql, what="the row counts")}

    def loads(self) -> dict[str, datetime]:
        """Gold table -> when its newest batch was loaded."""
        return {str(row["table_name"]): row["loaded_at"] for row in self._recorded(_LOADS_SQL, {}, what="the loads")}

    def runs(self) -> tuple[CheckedRun, ...]:
        """The newest runs, newest first."""
        return tuple(
            CheckedRun(
                run_id=row["run_id"],
                status=row["status"],
                started_at=row["started_at"],
                seconds=row["duration_seconds"],
                failed_state=row["failed_state"] or "",
                checks=int(row["checks"]),
                findings=int(row["findings"]),
            )
            for row in self._recorded(_RUNS_SQL, {"count": str(_RUNS_SHOWN)}, what="the runs")
        )

    def written(self, layer: DataLayer, name: str) -> tuple[WrittenByRun, ...]:
        """What the newest runs wrote of a table, newest first."""
        given = {"layer": layer.value, "table": name, "count": str(_RUNS_SHOWN)}
        return tuple(
            WrittenByRun(
                run_id=row["run_id"],
                finished_at=row["finished_at"],
                written=int(row["rows_written"]),
                refused=int(row["rows_quarantined"]),
                seconds=int(row["duration_seconds"]),
                findings=None if row["findings"] is None else int(row["findings"]),
            )
            for row in self._recorded(_WRITTEN_SQL, given, what="the runs' records")
        )

    def _recorded(self, sql: str, parameters: Mapping[str, str], *, what: str) -> Sequence[Mapping[str, Any]]:
        """Rows of the schema `shoplake`; none before the first run has made its tables."""
        try:
            return self.warehouse.rows(sql, parameters, what=what)
        except ShoplakeError as error:
            if "does not exist" in error.message:
                return ()
            raise
