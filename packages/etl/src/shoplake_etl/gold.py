"""One gold model: what changed since it was last built, the groups that touches, and the rows that differ."""

from dataclasses import dataclass
from datetime import date
from uuid import uuid4
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.clock import Clock
from shoplake_core.contracts import Layer, Rebuild, TableContract
from shoplake_core.errors import ContractError
from shoplake_core.project import Project

from shoplake_etl.batches import Batch, newest_batch
from shoplake_etl.change_sets import (
    OPERATION,
    as_change_set,
    change_columns,
    read_change_sets,
    write_change_set,
    write_manifest,
)
from shoplake_etl.failpoints import Failpoints, Step
from shoplake_etl.gold_backfill import Backfill, BackfillKind
from shoplake_etl.gold_measured import Measured, measured
from shoplake_etl.gold_reads import GoldSession, ReadTable, ReadTables
from shoplake_etl.gold_rows import (
    bound_sql,
    difference,
    held_scope,
    scope_values,
    touched_scope,
    typed_result,
    within_scope,
)
from shoplake_etl.gold_tests import GoldTests
from shoplake_etl.layout import Lake
from shoplake_etl.objects import ObjectStore
from shoplake_etl.spark_types import stored_schema
from shoplake_etl.summary import ModelSummary
from shoplake_etl.tables import open_table

__all__ = ["GoldRun", "build_gold_model"]

_ACTION = "__action"
_ROWS_FOR_ONE_TASK = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldRun:
    """What all models of a run share.

    Attributes:
        lake: Where the layers lie.
        store: Objects.
        project: Contracts, SQL and the store's settings.
        run_id: This run.
        rebuild: Whether every model is built anew.
        clock: For durations.
        failpoints: Where a test ends the run.
        backfill_from: The first day that every model rebuilds, whether anything changed or not; None for no backfill.

    """

    lake: Lake
    store: ObjectStore
    project: Project
    run_id: str
    rebuild: bool
    clock: Clock
    failpoints: Failpoints
    backfill_from: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One table that a model reads.

    Attributes:
        table: The table.
        pending: Its batches that the model has not read, newest first.
        anew: Whether their change sets do not tell all that the model missed.

    """

    table: ReadTable
    pending: tuple[Batch, ...] = ()
    anew: bool = False

    def changes(self, spark: SparkSession) -> DataFrame | None:
        """The pending change sets; None where they changed nothing."""
        sets = [batch.changes for batch in self.pending if batch.changes]
        if not sets:
            return None
        contract = self.table.contract
        columns = change_columns(contract) if contract.layer is Layer.SILVER else contract.column_names
        return read_change_sets(spark, sets, contract, columns)


class _ModelBatch:
    """One model's batch: what it reads, what is pending, and the steps in their order."""

    def __init__(self, session: GoldSession, run: GoldRun, contract: TableContract, tables: ReadTables) -> None:
        self.session, self.spark = session, session.spark
        self.run = run
        self.contract = contract
        place = run.lake.gold
        location = f"{place.root}/{contract.name}" if place.located else None
        name = place.table(contract.name)
        self.loaded = open_table(self.spark, name, stored_schema(contract), location=location, key=contract.key)
        self.table = self.loaded.table
        self.last = newest_batch(self.loaded.ancestors(), table=name)
        self.reads = {name: self._read(tables.table(self.spark, name, reader=contract.name)) for name in contract.reads}
        self.columns_changed = self.loaded.columns_changed()
        self.full = (
            run.rebuild or self.last is None or self.columns_changed or any(read.anew for read in self.reads.values())
        )

        self.backfill = None
        if run.backfill_from is not None and not self.full:  # a model that is built anew has every day
            zone = run.project.config.store_time_zone
            self.backfill = Backfill(contract=contract, day=run.backfill_from, time_zone=zone)

    def _read(self, table: ReadTable) -> _Read:
        if self.last is None:
            return _Read(table=table)
        pending, anew = table.since(self.last.reads.get(table.contract.name, 0))
        return _Read(table=table, pending=pending, anew=anew)

    @property
    def is_current(self) -> bool:
        """Whether nothing that the model reads has a batch it has not read, and no day is to be rebuilt."""
        return not self.full and self.backfill is None and not any(read.pending for read in self.reads.values())

    @property
    def is_whole(self) -> bool:
        """Whether the SELECT gives every row that the model is to hold, and not those of some groups."""
        backfilled = self.backfill is not None and self.backfill.kind is BackfillKind.WHOLE
        return self.full or backfilled or self.contract.rebuild is Rebuild.WHOLE

    @property
    def is_small(self) -> bool:
        """Whether one task is the quickest for the model's rows: whatever is then asked of them needs no shuffle."""
        return max(read.table.row_count for read in self.reads.values()) <= _ROWS_FOR_ONE_TASK

    def scope(self) -> DataFrame | None:
        """The groups to build; None for none."""
        for name, read in self.reads.items():
            self.session.rows(read.table).createOrReplaceTempView(name)
        if self.full:
            return self._every_group()
        changes = {name: found for name, read in self.reads.items() if (found := read.changes(self.spark)) is not None}
        if self.contract.rebuild is Rebuild.WHOLE:  # one group, which any change touches
            return self.spark.sql("select 0 as one") if changes or self.backfill else None
        scope = touched_scope(self.spark, self.contract, changes)
        if self.backfill is None:
            return scope
        every = self._every_group()
        if every is None:
            return None
        backfilled = self._backfilled(self.backfill, every)
        return (backfilled if scope is None else backfilled.unionByName(scope)).distinct()

    def _every_group(self) -> DataFrame | None:
        """Every group that the tables read give; None where the contract does not tell."""
        if self.contract.rebuild is Rebuild.WHOLE:
            return self.spark.sql("select 0 as one")
        if self.contract.everything:
            return scope_values(self.spark.sql(self.contract.everything), self.contract, where="everything").distinct()
        return touched_scope(self.spark, self.contract, {name: self._all_as_changes(name) for name in self.reads})

    def _all_as_changes(self, name: str) -> DataFrame:
        return self.session.rows(self.reads[name].table).select(F.lit("I").alias(OPERATION), "*")

    def _backfilled(self, backfill: Backfill, every: DataFrame) -> DataFrame:
        """The groups that hold a row of the day or later, as the model is, as its SELECT would make it now, or in what it
        reads; every group of a model without event dates.
        """
        existing = self._existing()
        if backfill.kind is BackfillKind.WHOLE:
            return every if existing is None else every.unionByName(existing.select(*self.contract.scope))
        if backfill.kind is BackfillKind.DATES:
            found = backfill.scope_of(every)
        else:
            every.createOrReplaceTempView("scope")
            found = backfill.scope_of(self._selected())
        if existing is not None:
            found = found.unionByName(backfill.scope_of(existing))
        contracts = {name: read.table.contract for name, read in self.reads.items()}
        fed = {
            name: backfill.rows_from_day(self._all_as_changes(name), contracts[name])
            for name in backfill.reads_to_touch(contracts)
        }
        touched = touched_scope(self.spark, self.contract, fed)
        return found if touched is None else found.unionByName(touched)

    def settings(self) -> dict[str, str]:
        """What SQL may name as `${name}`; `today` is the store's day of the run, for tests only: a model that read it would
        not be the same when it is built again.
        """
        config = self.run.project.config
        today = self.run.clock.now().astimezone(ZoneInfo(config.store_time_zone)).date()
        return {
            "store_time_zone": config.store_time_zone,
            "store_currency": config.store_currency,
            "today": today.isoformat(),
        }

    def _selected(self) -> DataFrame:
        """What the model's SELECT gives for the groups in the view `scope`."""
        settings = {name: value for name, value in self.settings().items() if name != "today"}
        sql = bound_sql(self.run.project.gold_sql[self.contract.name], settings, model=self.contract.name)
        return typed_result(self.spark.sql(sql), self.contract)

    def _existing(self) -> DataFrame | None:
        """What the model holds; None before its first batch."""
        # a snapshot is read with the columns that it was made with: where they have changed, the newest one as it is now
        at = None if self.last is None or self.columns_changed else self.last.snapshot_id
        return self.table.rows(at) if self.last else None

    def differing(self, scope: DataFrame) -> DataFrame:
        """What the model's SELECT over the scope changes in the table."""
        scope.createOrReplaceTempView("scope")
        result, existing = self._selected(), self._existing()
        if not self.is_whole:
            result = within_scope(result, scope, self.contract.scope)
            existing = None if existing is None else within_scope(existing, scope, self.contract.scope)
        rows = difference(result, existing, self.contract)
        if self.is_small:
            rows = rows.coalesce(1)
        return rows.localCheckpoint(eager=False)

    def commit(self, rows: DataFrame | None, found: Measured) -> Batch:
        """The batch in gold, with its change set and manifest."""
        reach, name = self.run.failpoints.reach, self.contract.name
        number = (self.last.number if self.last else 0) + 1
        written = found.rows if self.full else found.changed
        changes = ""
        reach(Step.BEFORE_GOLD_CHANGE_SET, name)
        if rows is not None and written:
            changes = self.run.lake.gold.change_set(name, number, uuid4().hex[:8])
            write_change_set(self._change_set(rows), changes, rows=written)
            reach(Step.AFTER_GOLD_CHANGE_SET, name)
            write_manifest(self.run.store, changes)
        reach(Step.AFTER_GOLD_MANIFEST, name)
        batch = Batch(
            number=number,
            run_id=self.run.run_id,
            changes=changes,
            rows=written,
            full=self.full,
            reads={name: read.table.newest.number for name, read in self.reads.items()},
        )
        if rows is None or not found.changed:
            self.loaded.mark(batch.properties())  # what was read is recorded, though no row changed
        elif self.last is None:
            self.table.append(rows.where("action = 'I'").select("new.*"), batch)
        elif self.contract.rebuild is Rebuild.WHOLE:  # all of it is at hand: cheaper than a merge, and the same
            self.table.overwrite(rows.where("new is not null").select("new.*"), batch.properties())
        else:
            row = F.coalesce("new", "old")
            source = rows.where("action is not null").select(
                F.col("action").alias(_ACTION), *(row[column].alias(column) for column in self.contract.column_names)
            )
            self.table.merge(source, action=_ACTION, key=self.contract.key, batch=batch)
        reach(Step.AFTER_GOLD_COMMIT, name)
        return batch

    def _change_set(self, rows: DataFrame) -> DataFrame:
        if self.full:
            return rows.where("new is not null").select(F.lit("I").alias(OPERATION), "new.*")
        return as_change_set(
            rows.where("action is not null"),
            self.contract.column_names,
            before=F.col("old"),
            after=F.col("new"),
            removed=F.col("action").isin("U", "D"),
            added=F.col("new").isNotNull(),
        )

    def views(self) -> tuple[str, ...]:
        """The views that the model's SQL may name."""
        return (*self.contract.reads, self.contract.name, "scope", "changes")


def build_gold_model(session: GoldSession, run: GoldRun, contract: TableContract, tables: ReadTables) -> ModelSummary:
    """The summary of the model's batch, after following every batch of the tables it reads.

    Args:
        session: A session that builds no other model meanwhile.
        run: What all models share.
        contract: The gold contract.
        tables: What the run's models read.

    Raises:
        ContractError: The SQL does not give the contract's columns, a key comes twice, or a null stands where none may.
        DataError: A test of the contract found rows. Nothing of the batch was committed.
        ResourceError: A table that it reads was never built, or a store or the catalogue failed.

    """
    started = run.clock.monotonic_seconds()
    model = _ModelBatch(session, run, contract, tables)

    def seconds() -> float:
        return round(run.clock.monotonic_seconds() - started, 3)

    if model.is_current:
        return ModelSummary(batch=model.last.number if model.last else 0, seconds=seconds())
    groups, rows, found, warnings = 0, None, Measured(), {}
    try:
        scope = model.scope()
        if scope is None and (model.full or model.backfill):
            raise ContractError(
                f"contracts/gold/{contract.name}.toml has no [touched]: nothing tells which groups to build",
                hint="write one SELECT of the scope's columns for each table read",
                table=contract.name,
            )
        if scope is not None:
            scope, groups = held_scope(scope, small=not (model.full or model.backfill))
        if scope is not None and (groups or model.full):
            rows = model.differing(scope)
            tests = GoldTests(session.spark, contract, rows, model.settings())
            found = measured(rows, contract, tests)
            warnings = tests.judged(found.broken)
        batch = model.commit(rows, found)
    finally:
        session.forget(model.views())
    return ModelSummary(
        scope=groups,
        inserted=found.inserted,
        updated=found.updated,
        deleted=found.deleted,
        batch=batch.number,
        full=batch.full,
        backfill=model.backfill.kind.value if model.backfill else "",
        seconds=seconds(),
        warnings=warnings,
    )
