"""The data of one environment as the console shows it: contracts, the lake's tables, the warehouse's records, reconciliations."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self, TypeVar

from shoplake_console.data_port import (
    CheckedRun,
    DataLayer,
    DataOverview,
    Problem,
    ReconciledTable,
    TableEntry,
    TablePage,
    WrittenByRun,
)

from shoplake.cloud import Cloud
from shoplake.console_contracts import ConsoleContracts
from shoplake.foreign_errors import told_error
from shoplake.lake_tables import LakeReader, LakeTable
from shoplake.quarantine_rows import Quarantine
from shoplake.views.reconciliation import finding_text
from shoplake.warehouse_records import WarehouseRecords

__all__ = ["ConsoleData"]

_T = TypeVar("_T")
_RUNS_LOOKED_AT = 20  # for the newest reconciliation
_QUARANTINE = "__quarantine"
_NO_TABLES: Mapping[str, LakeTable] = {}
_NO_COUNTS: Mapping[str, int] = {}
_NO_LOADS: Mapping[str, datetime] = {}
_NO_RUNS: tuple[CheckedRun, ...] = ()
_NOTHING_WRITTEN: tuple[WrittenByRun, ...] = ()
_NOT_RECONCILED: tuple[str, Mapping[str, Any]] = ("", {})


class _Asked:
    """Questions asked side by side; one that fails is a problem, and the page goes on without its answer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="data")
        self.problems: dict[str, Problem] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def ask(self, what: str, question: Callable[[], _T], otherwise: _T) -> Callable[[], _T]:
        """What gives the answer, waiting for it."""

        def answered() -> _T:
            try:
                return question()
            except Exception as error:
                told = told_error(error, self._folder)
                if told is None:
                    raise
                self.problems.setdefault(what, Problem(what, told.message, told.hint))
                return otherwise

        return self._pool.submit(answered).result


class ConsoleData:
    """A `DataSource` over Glue, S3 and the Redshift Data API.

    Args:
        cloud: The environment.
        records: Of its warehouse.
        contracts: What the project says of its tables.

    """

    def __init__(self, cloud: Cloud, records: WarehouseRecords, contracts: ConsoleContracts) -> None:
        self._cloud = cloud
        self._records = records
        self._contracts = contracts
        self._lake = LakeReader(cloud.aws.client("glue"), cloud.aws.client("s3"))
        self._reader, self._executions = cloud.run_reader, cloud.executions

    @cached_property
    def _quarantine(self) -> Quarantine:
        return Quarantine(self._cloud)

    def names(self, layer: DataLayer) -> Sequence[str]:
        """The tables of a layer, by the contracts."""
        return self._contracts.names(layer)

    def overview(self) -> DataOverview:
        """Every table."""
        names, project = self._cloud.names, self._cloud.workspace.project
        with _Asked(self._cloud.workspace.state_folder) as asked:
            silver = asked.ask("Silver", lambda: self._lake.tables(names.silver_database), _NO_TABLES)
            gold = asked.ask("Gold", lambda: self._lake.tables(names.gold_database), _NO_TABLES)
            bronze = {
                name: asked.ask("Bronze", partial(self._bronze, name), TableEntry(layer=DataLayer.BRONZE, name=name))
                for name in self.names(DataLayer.BRONZE)
            }
            counts = asked.ask("The warehouse", self._records.counts, _NO_COUNTS)
            loads = asked.ask("The warehouse", self._records.loads, _NO_LOADS)
            runs = asked.ask("The warehouse", self._records.runs, _NO_RUNS)
            newest = asked.ask("The last reconciliation", self._newest_reconciliation, _NOT_RECONCILED)
            tables = [
                *(answer() for answer in bronze.values()),
                *(self._silver_entry(name, silver()) for name in project.silver),
                *(
                    replace(
                        _entry(self._contracts.entry(DataLayer.GOLD, name), gold().get(name)),
                        **_there(counts(), loads(), name),
                    )
                    for name in project.gold
                ),
            ]
            run_id, document = newest()
            return DataOverview(
                tables=tables,
                reconciled_run=run_id,
                reconciled_at=datetime.fromisoformat(document["cut"]["taken_at"]) if document else None,
                reconciled=[_reconciled(one) for one in document.get("tables", ())],
                runs=runs(),
                problems=tuple(asked.problems.values()),
            )

    def table(self, layer: DataLayer, name: str) -> TablePage:
        """One table (KeyError if there is none of that name)."""
        page = self._contracts.page(layer, name)
        with _Asked(self._cloud.workspace.state_folder) as asked:
            if layer is DataLayer.BRONZE:
                found = asked.ask("Bronze", lambda: self._bronze(name), page.entry)()
                return replace(page, entry=found, problems=tuple(asked.problems.values()))
            names = self._cloud.names
            database = names.silver_database if layer is DataLayer.SILVER else names.gold_database
            lake = asked.ask("The lake", lambda: self._lake.tables(database), _NO_TABLES)
            written = asked.ask("The warehouse", lambda: self._records.written(layer, name), _NOTHING_WRITTEN)
            if layer is DataLayer.SILVER:
                contract = self._cloud.workspace.project.silver[name]
                refused = asked.ask("Quarantine", lambda: self._quarantine.refused(contract), None)()
                entry = self._silver_entry(name, lake())
                if refused is not None:
                    page = replace(page, refused=refused.rows, reasons=refused.reasons)
            else:
                counts = asked.ask("The warehouse", lambda: self._records.counts(name), _NO_COUNTS)
                loads = asked.ask("The warehouse", self._records.loads, _NO_LOADS)
                entry = replace(_entry(page.entry, lake().get(name)), **_there(counts(), loads(), name))
            return replace(
                page,
                entry=entry,
                written=written(),
                batches=lake()[name].batches if name in lake() else (),
                problems=tuple(asked.problems.values()),
            )

    def _bronze(self, name: str) -> TableEntry:
        files = self._lake.bronze(
            self._cloud.names.bronze_bucket, self._cloud.workspace.project.config.source_schema, name
        )
        return TableEntry(
            layer=DataLayer.BRONZE,
            name=name,
            changed_at=files.newest_at,
            files=files.files,
            loads=files.loads,
            size_bytes=files.size_bytes,
            is_more=files.is_more,
        )

    def _silver_entry(self, name: str, lake: Mapping[str, LakeTable]) -> TableEntry:
        refused = lake[name + _QUARANTINE].rows if name + _QUARANTINE in lake else (0 if name in lake else None)
        return replace(_entry(self._contracts.entry(DataLayer.SILVER, name), lake.get(name)), refused=refused)

    def _newest_reconciliation(self) -> tuple[str, Mapping[str, Any]]:
        for run in self._executions.listed(_RUNS_LOOKED_AT):
            document = None if run.is_running else self._reader.summary(run.run_id, "reconcile")
            if document:
                return run.run_id, document
        return _NOT_RECONCILED


def _entry(entry: TableEntry, found: LakeTable | None) -> TableEntry:
    if found is None:
        return entry
    newest = found.batches[0] if found.batches else None
    return replace(
        entry,
        rows=found.rows,
        changed_at=newest.at if newest else None,
        run_id=newest.run_id if newest else "",
        batches=newest.number if newest else 0,
    )


def _there(counts: Mapping[str, int], loads: Mapping[str, datetime], name: str) -> dict[str, Any]:
    return {"warehouse_rows": counts.get(name), "loaded_at": loads.get(name)}


def _reconciled(document: Mapping[str, Any]) -> ReconciledTable:
    return ReconciledTable(
        table=document["table"],
        rows={layer: numbers["rows"] for layer, numbers in document["layers"].items()},
        refused=document["rows_in_quarantine"],
        orphans=document["orphans"],
        in_flight=document["rows_in_flight"],
        agree=document["agree"],
        findings=tuple(map(finding_text, document["findings"])),
    )
