"""What becomes of each change: applied, superseded, redelivered, quarantined, or a clash that stops the table."""

from collections.abc import Sequence
from enum import Enum

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.bronze import EpochRecord
from shoplake_core.contracts import TableContract

from shoplake_etl.order import change_order, epoch_of

__all__ = ["Reason", "Verdict", "newest_tombstones", "same_key", "stored_rows", "with_verdicts"]


class Verdict(Enum):
    """What becomes of one change."""

    APPLIED = "applied"
    SUPERSEDED = "superseded"
    REDELIVERED = "redelivered"
    QUARANTINED = "quarantined"
    CLASH = "clash"


class Reason(Enum):
    """Why a key left silver."""

    DELETED = "deleted"
    QUARANTINED = "quarantined"


def same_key(left: Column, right: Column, key: Sequence[str]) -> Column:
    """Whether two key structs are equal, column by column, so that Spark may hash-join them."""
    condition = F.lit(True)
    for name in key:
        condition = condition & (left[name] == right[name])
    return condition


def stored_rows(silver: DataFrame, contract: TableContract, epochs: Sequence[EpochRecord]) -> DataFrame:
    """Silver rows as `stored_key`, `stored_row`, `stored_order` under the epochs known now; one row per live key."""
    return silver.select(
        F.struct(*contract.key).alias("stored_key"),
        F.struct(*contract.column_names).alias("stored_row"),
        change_order(epochs, sequence=F.col("_sequence"), committed_at=F.col("_committed_at")).alias("stored_order"),
    )


def newest_tombstones(tombstones: DataFrame, contract: TableContract, epochs: Sequence[EpochRecord]) -> DataFrame:
    """`gone_key`, `gone_order`, `gone_reason`: one row per key that was deleted or quarantined."""
    order = change_order(epochs, sequence=F.col("_sequence"), committed_at=F.col("_committed_at"))
    newest = tombstones.groupBy(F.struct(*contract.key).alias("gone_key")).agg(
        F.max(F.struct(order.alias("order"), F.col("reason"))).alias("newest")
    )
    return newest.select(
        "gone_key", F.col("newest.order").alias("gone_order"), F.col("newest.reason").alias("gone_reason")
    )


def _true(condition: Column) -> Column:
    return F.coalesce(condition, F.lit(False))


def with_verdicts(
    changes: DataFrame,
    *,
    contract: TableContract,
    newest_epoch: str,
    stored: DataFrame | None,
    tombstones: DataFrame | None,
) -> DataFrame:
    """The changes with what becomes of them; one row per change.

    Adds `verdict`, `action` (I, U or D on silver, else null), `tombstone` (reason to remember, else null),
    `stored_row`, and `differs` (whether the contract's columns of silver change).

    Args:
        changes: What `cleaned_rows` gave.
        contract: The silver contract.
        newest_epoch: The newest complete load: what is of an older epoch says nothing any more.
        stored: `stored_rows`; None for an empty table.
        tombstones: `newest_tombstones`; None for none.

    """
    refused = F.size("reasons") > 0
    gone = (F.col("op") == "D") | refused
    content = F.struct(
        gone.alias("gone"), F.when(~gone, F.col("row")).alias("row")
    )  # what a key holds after the change: nothing, or the row
    by_key = Window.partitionBy(*(F.col("key")[name] for name in contract.key)).orderBy(
        F.col("order").desc(), "source_file", "source_row"
    )
    ranked = changes.select(
        "*",
        gone.alias("gone"),
        refused.alias("refused"),
        (F.row_number().over(by_key) == 1).alias("is_latest"),
        F.lag("order").over(by_key).alias("later_order"),
        F.lag(content).over(by_key).alias("later_content"),
        content.alias("content"),
    )
    if stored is None:
        joined = ranked.withColumns(
            {"stored_row": F.lit(None).cast(changes.schema["row"].dataType), "stored_order": F.lit(None).cast("string")}
        )
    else:
        joined = ranked.join(stored, same_key(F.col("key"), F.col("stored_key"), contract.key), "left")
    if tombstones is None:
        joined = joined.withColumns(
            {"gone_order": F.lit(None).cast("string"), "gone_reason": F.lit(None).cast("string")}
        )
    else:
        joined = joined.join(tombstones, same_key(F.col("key"), F.col("gone_key"), contract.key), "left")
    return _judged(joined, contract, newest_epoch)


def _judged(joined: DataFrame, contract: TableContract, newest_epoch: str) -> DataFrame:
    order, gone = F.col("order"), F.col("gone")
    has_key = F.lit(True)
    for name in contract.key:
        has_key = has_key & F.col("key")[name].isNotNull()
    candidate = F.col("is_latest") & has_key
    current = candidate & (epoch_of(order) >= newest_epoch)
    in_batch = ~F.col("is_latest") & _true(order == F.col("later_order"))
    at_stored = current & _true(F.col("stored_order") == order)
    at_gone = current & _true(F.col("gone_order") == order)
    clash = (in_batch & ~F.col("content").eqNullSafe(F.col("later_content"))) | (
        at_stored & (gone | ~F.col("row").eqNullSafe(F.col("stored_row")))
    )
    # A row that was refused may come again and be good under a contract mended since; one that was deleted may not
    clash = has_key & (clash | (at_gone & ~gone & (F.col("gone_reason") == Reason.DELETED.value)))
    repeat = in_batch | at_stored | (at_gone & gone & F.col("stored_row").isNull())
    older = _true(order < F.col("stored_order")) | _true(order < F.col("gone_order"))
    applied = current & ~clash & ~repeat & ~older
    was_there = F.col("stored_row").isNotNull()
    action = (
        F.when(applied & gone & was_there, "D").when(applied & ~gone & was_there, "U").when(applied & ~gone, F.lit("I"))
    )
    verdict = (
        F.when(F.col("refused"), Verdict.QUARANTINED.value)
        .when(repeat, Verdict.REDELIVERED.value)
        .when(applied, Verdict.APPLIED.value)
        .otherwise(Verdict.SUPERSEDED.value)
    )
    tombstone = F.when(
        applied & gone & ~_true(F.col("gone_order") == order),
        F.when(F.col("refused"), Reason.QUARANTINED.value).otherwise(Reason.DELETED.value),
    )
    columns = (
        "op",
        "sequence",
        "committed_at",
        "is_load",
        "source_file",
        "source_row",
        "order",
        "key",
        "row",
        "reasons",
    )
    return joined.select(
        *columns,
        "shown",
        "stored_row",
        F.when(clash, Verdict.CLASH.value).otherwise(verdict).alias("verdict"),
        action.alias("action"),
        tombstone.alias("tombstone"),
        _true(action.isNotNull() & ~F.col("row").eqNullSafe(F.col("stored_row")) | (action == "D")).alias("differs"),
    )
