"""One gold model: what changed since it was last built, the groups that touches, and the rows that differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.clock import Clock
from shoplake_core.contracts import Layer, Rebuild, TableContract
from shoplake_core.errors import ContractError, ResourceError
from shoplake_core.project import Project

from shoplake_etl.batches import Batch, batch_log, newest_batch
from shoplake_etl.change_sets import (
    OPERATION,
    as_change_set,
    change_columns,
    read_change_sets,
    write_change_set,
    write_manifest,
)
from shoplake_etl.failpoints import Failpoints, Step
from shoplake_etl.gold_rows import (
    bound_sql,
    difference,
    scope_values,
    touched_scope,
    typed_result,
    within_scope,
)
from shoplake_etl.gold_tests import tested
from shoplake_etl.layout import Lake, LayerPlace
from shoplake_etl.objects import ObjectStore
from shoplake_etl.spark_types import stored_schema
from shoplake_etl.summary import ModelSummary
from shoplake_etl.tables import IcebergTable, open_table

__all__ = ["GoldRun", "build_gold_model"]

_ACTION = "__action"


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

    """

    lake: Lake
    store: ObjectStore
    project: Project
    run_id: str
    rebuild: bool
    clock: Clock
    failpoints: Failpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One table that a model reads.

    Attributes:
        contract: Its contract.
        table: Its Iceberg table.
        newest: Its newest batch.
        pending: Batches that the model has not read, newest first.
        anew: Whether its change sets do not tell all that the model missed.

    """

    contract: TableContract
    table: IcebergTable
    newest: Batch
    pending: tuple[Batch, ...] = ()
    anew: bool = False

    def rows(self) -> DataFrame:
        """The contract's columns at the newest batch."""
        return self.table.rows(self.newest.snapshot_id).select(*self.contract.column_names)

    def changes(self) -> DataFrame | None:
        """The pending change sets; None where they changed nothing."""
        sets = [batch.changes for batch in self.pending if batch.changes]
        if not sets:
            return None
        is_silver = self.contract.layer is Layer.SILVER
        columns = change_columns(self.contract) if is_silver else self.contract.column_names
        return read_change_sets(self.table.spark, sets, self.contract, columns)


def _pending(read: IcebergTable, newest: Batch, since: int) -> tuple[tuple[Batch, ...], bool]:
    if newest.number == since:
        return (), False
    pending = []
    for batch in batch_log(read.ancestors()):
        if batch.number <= since:
            break
        pending.append(batch)
    complete = len(pending) == newest.number - since and not any(batch.full for batch in pending)
    return tuple(pending), not complete


class _ModelBatch:
    """One model's batch: what it reads, what is pending, and the steps in their order."""

    def __init__(self, spark: SparkSession, run: GoldRun, contract: TableContract) -> None:
        self.spark = spark
        self.run = run
        self.contract = contract
        place = run.lake.gold
        location = f"{place.root}/{contract.name}" if place.located else None
        name = place.table(contract.name)
        self.table = open_table(spark, name, stored_schema(contract), location=location, key=contract.key)
        self.last = newest_batch(self.table.ancestors(), table=name)
        self.reads = {name: self._read(name) for name in contract.reads}
        self.columns_changed = self.table.columns_changed()
        self.full = (
            run.rebuild or self.last is None or self.columns_changed or any(read.anew for read in self.reads.values())
        )

    def _read(self, name: str) -> _Read:
        is_gold = name in self.run.project.gold
        place: LayerPlace = self.run.lake.gold if is_gold else self.run.lake.silver
        contract = (self.run.project.gold if is_gold else self.run.project.silver)[name]
        table = IcebergTable(self.spark, place.table(name))
        newest = newest_batch(table.ancestors(), table=table.name) if table.exists() else None
        if newest is None:
            raise ResourceError(
                f"{self.contract.name} reads {name}, which was never built",
                hint="run bronze_to_silver first",
                table=name,
            )
        since = self.last.reads.get(name, 0) if self.last else 0
        pending, anew = _pending(table, newest, since) if self.last else ((), False)
        return _Read(contract=contract, table=table, newest=newest, pending=pending, anew=anew)

    @property
    def is_current(self) -> bool:
        """Whether nothing that the model reads has a batch it has not read."""
        return not self.full and not any(read.pending for read in self.reads.values())

    def scope(self) -> DataFrame | None:
        """The groups to build; None for none."""
        for name, read in self.reads.items():
            read.rows().createOrReplaceTempView(name)
        if self.full and self.contract.everything:
            return scope_values(self.spark.sql(self.contract.everything), self.contract, where="everything").distinct()
        changes: dict[str, DataFrame] = {}
        for name, read in self.reads.items():
            if self.full:
                changes[name] = read.rows().select(F.lit("I").alias(OPERATION), "*")
            elif (found := read.changes()) is not None:
                changes[name] = found
        if self.contract.rebuild is Rebuild.WHOLE:  # one group, which any change touches
            return self.spark.range(1) if changes else None
        return touched_scope(self.spark, self.contract, changes)

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

    def differing(self, scope: DataFrame) -> DataFrame:
        """What the model's SELECT over the scope changes in the table."""
        scope.createOrReplaceTempView("scope")
        settings = {name: value for name, value in self.settings().items() if name != "today"}
        sql = bound_sql(self.run.project.gold_sql[self.contract.name], settings, model=self.contract.name)
        result = typed_result(self.spark.sql(sql), self.contract)
        # a snapshot is read with the columns that it was made with: where they have changed, the newest one as it is now
        at = None if self.last is None or self.columns_changed else self.last.snapshot_id
        existing = self.table.rows(at) if self.last else None
        if not self.full and self.contract.rebuild is Rebuild.SCOPE:
            result = within_scope(result, scope, self.contract.scope)
            existing = None if existing is None else within_scope(existing, scope, self.contract.scope)
        return difference(result, existing, self.contract).localCheckpoint(eager=False)

    def commit(self, rows: DataFrame | None, counts: Mapping[str, int]) -> Batch:
        """The batch in gold, with its change set and manifest."""
        reach, name = self.run.failpoints.reach, self.contract.name
        number = (self.last.number if self.last else 0) + 1
        # a changed row stands twice in the set: as it was and as it is
        written = counts["rows"] if self.full else counts["I"] + counts["D"] + 2 * counts["U"]
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
            reads={name: read.newest.number for name, read in self.reads.items()},
        )
        if rows is None or not any(counts[action] for action in "IUD"):
            self.table.commit_nothing(batch)
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
        changed = rows.where("action is not null") if not self.full else rows.where("new is not null")
        removed = F.lit(False) if self.full else F.col("action").isin("U", "D")
        return as_change_set(
            changed,
            self.contract.column_names,
            before=F.col("old"),
            after=F.col("new"),
            removed=removed,
            added=F.col("new").isNotNull(),
        )


def _counts(rows: DataFrame, contract: TableContract) -> dict[str, int]:
    found = rows.agg(
        *(F.count_if(F.col("action") == action).alias(action) for action in "IUD"),
        F.count("new").alias("rows"),
        F.count_if(F.col("copies") > 1).alias("copies"),
        F.count_if("has_null").alias("nulls"),
    ).first()
    counts = {name: int(found[name]) if found else 0 for name in ("I", "U", "D", "rows", "copies", "nulls")}
    for name, what in (
        ("copies", "come twice under one key"),
        ("nulls", "hold a null in a column that is not nullable"),
    ):
        if counts[name]:
            condition = "copies > 1" if name == "copies" else "has_null"
            first = (
                rows.where(condition)
                .select(F.to_json(F.struct(*(f"new.{k}" for k in contract.key))).alias("key"))
                .first()
            )
            raise ContractError(
                f"gold/{contract.name}.sql: {counts[name]} rows {what}, such as {first['key'] if first else '?'}",
                hint=f"mend the SELECT, or the key and nullable of contracts/gold/{contract.name}.toml",
                table=contract.name,
                rows=counts[name],
            )
    return counts


def build_gold_model(spark: SparkSession, run: GoldRun, contract: TableContract) -> ModelSummary:
    """The summary of the model's batch, after following every batch of the tables it reads.

    Args:
        spark: A session of the model's own: views and snapshot properties must not meet another model's.
        run: What all models share.
        contract: The gold contract.

    Raises:
        ContractError: The SQL does not give the contract's columns, a key comes twice, or a null stands where none may.
        DataError: A test of the contract found rows. Nothing of the batch was committed.
        ResourceError: A table that it reads was never built, or a store or the catalogue failed.

    """
    started = run.clock.monotonic_seconds()
    model = _ModelBatch(spark, run, contract)

    def seconds() -> float:
        return round(run.clock.monotonic_seconds() - started, 3)

    if model.is_current:
        return ModelSummary(batch=model.last.number if model.last else 0, seconds=seconds())
    scope = model.scope()
    if scope is None and model.full:
        raise ContractError(
            f"contracts/gold/{contract.name}.toml has no [touched]: nothing tells which groups to build",
            hint="write one SELECT of the scope's columns for each table read",
            table=contract.name,
        )
    groups = 0
    rows, counts, warnings = None, dict.fromkeys(("I", "U", "D", "rows"), 0), {}
    if scope is not None:
        scope = scope.localCheckpoint(eager=False)
        groups = scope.count()
    if scope is not None and (groups or model.full):
        rows = model.differing(scope)
        counts = _counts(rows, contract)
        warnings = tested(spark, contract, rows, model.settings())
    batch = model.commit(rows, counts)
    return ModelSummary(
        scope=groups,
        inserted=counts["I"],
        updated=counts["U"],
        deleted=counts["D"],
        batch=batch.number,
        full=batch.full,
        seconds=seconds(),
        warnings=warnings,
    )
