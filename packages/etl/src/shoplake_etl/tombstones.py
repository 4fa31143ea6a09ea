"""The tombstones' end: those older than any redelivery are dropped, unless they still say that a key is in quarantine."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.bronze import EpochRecord
from shoplake_core.contracts import TableContract

from shoplake_etl.order import change_order
from shoplake_etl.silver_tables import SilverTables
from shoplake_etl.verdicts import Reason, newest_tombstones, same_key

__all__ = ["kept_tombstones", "purge_tombstones"]


def kept_tombstones(
    tombstones: DataFrame, contract: TableContract, epochs: Sequence[EpochRecord], *, since: datetime
) -> DataFrame:
    """The tombstones that must stay: the young ones, and the newest of a key where it says `quarantined`."""
    newest = newest_tombstones(tombstones, contract, epochs)
    order = change_order(epochs, sequence=F.col("_sequence"), committed_at=F.col("_committed_at"))
    rows = tombstones.select("*", F.struct(*contract.key).alias("key"), order.alias("order"))
    joined = rows.join(newest, same_key(F.col("key"), F.col("gone_key"), contract.key), "inner")
    quarantined = (F.col("gone_reason") == Reason.QUARANTINED.value) & (F.col("order") == F.col("gone_order"))
    young = F.col("_committed_at") >= F.lit(since.isoformat()).cast("timestamp")
    return joined.where(young | quarantined).select(*tombstones.columns)


def purge_tombstones(
    tables: SilverTables, contract: TableContract, epochs: Sequence[EpochRecord], *, now: datetime, keep_days: int
) -> None:
    """Tombstones older than `keep_days` are gone, once a day: on the first batch of the day that adds one."""
    today = now.date().isoformat()
    last = next((day for s in tables.tombstones.ancestors() if (day := s.property_of("shoplake.purged"))), "")
    if last == today:
        return
    since = now - timedelta(days=keep_days)
    rows = tables.tombstones.rows()
    old = rows.where(F.col("_committed_at") < F.lit(since.isoformat()).cast("timestamp")).limit(1).count()
    properties = {"shoplake.purged": today}
    if old:
        tables.tombstones.overwrite(kept_tombstones(rows, contract, epochs, since=since), properties)
    else:
        tables.tombstones.mark(properties)
