"""One silver table's batch, from new bronze files to the commit that records them.

Everything written before the silver commit is harmless when it is written twice, and unseen until then.
"""

from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.bronze import table_prefix
from shoplake_core.clock import Clock
from shoplake_core.contracts import TableContract
from shoplake_core.masking import MaskingKey

from shoplake_etl.batches import Batch, newest_batch
from shoplake_etl.bronze_reader import bronze_rows
from shoplake_etl.change_sets import write_change_set
from shoplake_etl.cleaned_rows import cleaned_rows, has_pii
from shoplake_etl.consumed import Consumed, consumed_from_json, with_batch
from shoplake_etl.failpoints import Failpoints, Step
from shoplake_etl.file_columns import ReadingPlan, plan_reading
from shoplake_etl.footers import read_footers
from shoplake_etl.ghosts import ghost_rows
from shoplake_etl.layout import Lake
from shoplake_etl.masking import masking_pads
from shoplake_etl.new_files import NewFiles, find_new_files
from shoplake_etl.objects import ObjectStore
from shoplake_etl.silver_checks import count_changes, refuse_faults
from shoplake_etl.silver_tables import (
    ACTION,
    SilverTables,
    changed_rows,
    merge_source,
    open_silver_tables,
    refused_rows,
    tombstone_rows,
)
from shoplake_etl.summary import TableSummary
from shoplake_etl.tombstones import purge_tombstones
from shoplake_etl.verdicts import Verdict, newest_tombstones, stored_rows, with_verdicts

__all__ = ["SilverRun", "build_silver_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SilverRun:
    """What all tables of a run share.

    Attributes:
        lake: Where the layers lie.
        store: Objects.
        source_schema: The MySQL schema.
        run_id: This run.
        masking_key: Needed by tables with PII.
        tombstone_days: How long deletes are remembered.
        clock: For durations and the tombstones' age.
        failpoints: Where a test ends the run.

    """

    lake: Lake
    store: ObjectStore
    source_schema: str
    run_id: str
    masking_key: MaskingKey
    tombstone_days: int
    clock: Clock
    failpoints: Failpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """A batch's changes with verdicts, cached and counted."""

    changes: DataFrame
    ghosts: DataFrame | None
    counts: dict[str, int]
    ghost_rows: int
    ghost_tombstones: int

    @property
    def differing(self) -> int:
        """Silver rows whose contract columns change."""
        return self.counts["differs"] + self.ghost_rows

    @property
    def actions(self) -> int:
        """Silver rows that are written or deleted."""
        return sum(self.counts[name] for name in ("inserted", "updated", "deleted")) + self.ghost_rows


class _TableBatch:
    """One table's batch: what was taken so far, what is new, and the steps in their order."""

    def __init__(self, run: SilverRun, contract: TableContract, tables: SilverTables) -> None:
        self.run = run
        self.contract = contract
        self.tables = tables
        self.folder = table_prefix(run.source_schema, contract.source_name)
        self.last = newest_batch(tables.silver.ancestors(), table=tables.silver.name)
        self.consumed = self._consumed()
        self.new: NewFiles = find_new_files(
            run.store,
            bronze=run.lake.bronze,
            schema=run.source_schema,
            table=contract.source_name,
            consumed=self.consumed,
        )

    def _consumed(self) -> Consumed:
        if self.last is None:
            return Consumed()
        content = self.run.store.read(self.last.consumed)
        return consumed_from_json(content, expected_sha256=self.last.consumed_sha256, url=self.last.consumed)

    def record_columns(self, last: Batch) -> None:
        """A batch without changes: whoever reads silver at its newest batch sees the columns that the contract has now."""
        batch = Batch(
            number=last.number + 1,
            run_id=self.run.run_id,
            changes="",
            full=False,
            consumed=last.consumed,
            consumed_sha256=last.consumed_sha256,
        )
        self.tables.silver.commit_nothing(batch)
        self.last = batch

    def judge(self, plan: ReadingPlan, rows_in_files: int) -> _Outcome:
        """The outcome of every change; nothing is written yet.

        The changes are kept by a local checkpoint, not a cache: Spark would empty a cache that reads a table as soon as
        that table is written, and tombstones are.
        """
        spark, epochs = self.tables.silver.spark, self.new.epochs
        pads = masking_pads(spark, self.run.masking_key) if has_pii(self.contract) else None
        rows = bronze_rows(spark, self.run.store, plan, contract=self.contract, folder=self.folder)
        cleaned = cleaned_rows(rows, contract=self.contract, epochs=epochs, pads=pads)
        gone = self.tables.tombstones.rows() if self.tables.tombstones.has_snapshot() else None
        changes = with_verdicts(
            cleaned,
            contract=self.contract,
            newest_epoch=self.new.newest_epoch,
            stored=stored_rows(self.tables.silver.rows(), self.contract, epochs) if self.last else None,
            tombstones=None if gone is None else newest_tombstones(gone, self.contract, epochs),
        ).localCheckpoint(eager=False)
        counts = count_changes(changes)
        refuse_faults(changes, counts, table=self.contract.name, rows_in_files=rows_in_files)
        if self.last is None or not self.new.new_epochs:
            return _Outcome(changes=changes, ghosts=None, counts=counts, ghost_rows=0, ghost_tombstones=0)
        ghosts = ghost_rows(
            silver=self.tables.silver.rows(), tombstones=gone, changes=changes, contract=self.contract, epochs=epochs
        ).localCheckpoint(eager=False)
        found = ghosts.agg(F.count("stored_row").alias("rows"), F.count("*").alias("keys")).first()
        rows_gone, keys_gone = (int(found["rows"]), int(found["keys"])) if found else (0, 0)
        return _Outcome(
            changes=changes,
            ghosts=ghosts if keys_gone else None,
            counts=counts,
            ghost_rows=rows_gone,
            ghost_tombstones=keys_gone,
        )

    def remember(self, outcome: _Outcome) -> None:
        """Tombstones and quarantine, before silver."""
        reach, name = self.run.failpoints.reach, self.contract.name
        reach(Step.BEFORE_TOMBSTONES, name)
        if outcome.counts["tombstones"] + outcome.ghost_tombstones:
            self.tables.tombstones.append(tombstone_rows(outcome.changes, outcome.ghosts))
            now = self.run.clock.now()
            purge_tombstones(self.tables, self.contract, self.new.epochs, now=now, keep_days=self.run.tombstone_days)
        reach(Step.AFTER_TOMBSTONES, name)
        if outcome.counts[Verdict.QUARANTINED.value]:
            known = self.tables.quarantine.rows() if self.tables.quarantine.has_snapshot() else None
            files = [self.folder + file.name for file in self.new.files]
            self.tables.quarantine.append(refused_rows(outcome.changes, known, files, self.run.run_id))
        reach(Step.AFTER_QUARANTINE, name)

    def commit(self, outcome: _Outcome) -> Batch:
        """The batch in silver, with its change set and consumed record."""
        reach, name, silver = self.run.failpoints.reach, self.contract.name, self.tables.silver
        number, suffix, full = (self.last.number if self.last else 0) + 1, uuid4().hex[:8], self.last is None
        changes = ""
        if outcome.differing and not full:  # a full batch needs no set: whoever reads it takes the table
            changes = self.run.lake.silver.change_set(name, number, suffix)
            rows = changed_rows(outcome.changes, outcome.ghosts, self.contract)
            write_change_set(rows, changes, rows=outcome.differing)
        reach(Step.AFTER_CHANGE_SET, name)
        record = with_batch(
            self.consumed,
            changes={file.name: file.etag for file in self.new.changes},
            epochs=[epoch.epoch for epoch in self.new.new_epochs],
        ).to_json()
        consumed = self.run.lake.silver.consumed(name, number, suffix)
        self.run.store.write(consumed, record)
        reach(Step.AFTER_CONSUMED_RECORD, name)
        batch = Batch(
            number=number,
            run_id=self.run.run_id,
            changes=changes,
            full=full,
            consumed=consumed,
            consumed_sha256=sha256(record).hexdigest(),
        )
        source = merge_source(outcome.changes, outcome.ghosts, self.contract, self.run.run_id)
        if not outcome.actions:
            silver.commit_nothing(batch)
        elif full:
            silver.append(source.drop(ACTION), batch)
        else:
            silver.merge(source, action=ACTION, key=self.contract.key, batch=batch)
        reach(Step.AFTER_SILVER_COMMIT, name)
        return batch


def _warnings(new: NewFiles, plan: ReadingPlan) -> dict[str, object]:
    found = {
        "skipped_objects": new.skipped,
        "unknown_columns": list(plan.unknown_columns),
        "missing_columns": list(plan.missing_columns),
    }
    return {name: value for name, value in found.items() if value}


def build_silver_table(spark: SparkSession, run: SilverRun, contract: TableContract) -> TableSummary:
    """The summary of the table's batch, after taking everything that is new in bronze.

    Args:
        spark: A session of the table's own: its snapshot properties must not meet another table's.
        run: What all tables share.
        contract: The silver contract.

    Raises:
        DataError: The changes cannot be carried on exactly; nothing of the table has changed.
        ContractError: Files or table do not match the contract.
        ResourceError: There is no complete load yet, or a store or the catalogue failed.

    """
    started = run.clock.monotonic_seconds()
    tables = open_silver_tables(spark, run.lake.silver, contract)
    batch = _TableBatch(run, contract, tables)

    def seconds() -> float:
        return round(run.clock.monotonic_seconds() - started, 3)

    if batch.new.is_empty:
        if batch.last and tables.silver.columns_changed():
            batch.record_columns(batch.last)
        warnings = {"skipped_objects": batch.new.skipped} if batch.new.skipped else {}
        return TableSummary(batch=batch.last.number if batch.last else 0, seconds=seconds(), warnings=warnings)
    facts = read_footers(run.store, batch.new.files)
    plan = plan_reading(contract, facts)
    outcome = batch.judge(plan, sum(file.rows for file in facts))
    batch.remember(outcome)
    committed = batch.commit(outcome)
    counts = outcome.counts
    return TableSummary(
        files=len(facts),
        read=counts["read"],
        applied=counts["applied"],
        superseded=counts["superseded"],
        redelivered=counts["redelivered"],
        quarantined=counts["quarantined"],
        inserted=counts["inserted"],
        updated=counts["updated"],
        deleted=counts["deleted"],
        ghosts=outcome.ghost_rows,
        batch=committed.number,
        seconds=seconds(),
        warnings=_warnings(batch.new, plan),
    )
