"""What a complete load proves to be gone: rows of older epochs that it did not bring and no later change touched."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.bronze import EpochRecord
from shoplake_core.contracts import TableContract

from shoplake_etl.order import epoch_of
from shoplake_etl.verdicts import Reason, newest_tombstones, same_key, stored_rows

__all__ = ["ghost_rows"]


def ghost_rows(
    *,
    silver: DataFrame,
    tombstones: DataFrame | None,
    changes: DataFrame,
    contract: TableContract,
    epochs: Sequence[EpochRecord],
) -> DataFrame:
    """One row per key that the newest epoch lacks: `key`, `stored_row`, `_committed_at` (the epoch's start).

    A key in quarantine counts too, with a null `stored_row`: without its row in the load it is in quarantine no more.

    Args:
        silver: Silver before the batch.
        tombstones: The table's tombstones before the batch; None for none.
        changes: The batch, with verdicts.
        contract: The silver contract.
        epochs: All epoch records known.

    """
    newest = max(epochs, key=lambda record: record.epoch)
    old = stored_rows(silver, contract, epochs).where(epoch_of(F.col("stored_order")) < newest.epoch)
    ghosts = old.select(F.col("stored_key").alias("key"), "stored_row")
    if tombstones is not None:
        stuck = newest_tombstones(tombstones, contract, epochs).where(
            (F.col("gone_reason") == Reason.QUARANTINED.value) & (epoch_of(F.col("gone_order")) < newest.epoch)
        )
        live = stored_rows(silver, contract, epochs).select("stored_key")
        alone = stuck.join(live, same_key(F.col("gone_key"), F.col("stored_key"), contract.key), "left_anti")
        row_type = ghosts.schema["stored_row"].dataType
        ghosts = ghosts.unionByName(
            alone.select(F.col("gone_key").alias("key"), F.lit(None).cast(row_type).alias("stored_row"))
        )
    touched = changes.where(F.col("action").isNotNull() | F.col("tombstone").isNotNull()).select(
        F.col("key").alias("touched_key")
    )
    return ghosts.join(touched, same_key(F.col("key"), F.col("touched_key"), contract.key), "left_anti").withColumn(
        "_committed_at", F.lit(newest.started_at).cast("timestamp")
    )
