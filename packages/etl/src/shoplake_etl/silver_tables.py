"""The three Iceberg tables of one source table, and the rows that a batch writes into each."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from pyspark.sql import types as t
from shoplake_core.contracts import TableContract

from shoplake_etl.change_sets import as_change_set, change_columns
from shoplake_etl.layout import LayerPlace
from shoplake_etl.spark_types import stored_schema
from shoplake_etl.tables import IcebergTable, open_table
from shoplake_etl.verdicts import Reason, Verdict

__all__ = [
    "ACTION",
    "SilverTables",
    "changed_rows",
    "merge_source",
    "open_silver_tables",
    "refused_rows",
    "tombstone_rows",
]

ACTION = "__action"
_TEXT, _INSTANT = t.StringType(), t.TimestampType()
_HEADER = [t.StructField("_sequence", _TEXT), t.StructField("_committed_at", _INSTANT)]
_QUARANTINE = t.StructType(
    [
        t.StructField("source_file", _TEXT),
        t.StructField("source_row", t.LongType()),
        t.StructField("key", _TEXT),
        t.StructField("Op", _TEXT),
        *_HEADER,
        t.StructField("reasons", t.ArrayType(_TEXT)),
        t.StructField("row", _TEXT),
        t.StructField("run_id", _TEXT),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilverTables:
    """The tables of one source table."""

    silver: IcebergTable
    tombstones: IcebergTable
    quarantine: IcebergTable


def open_silver_tables(spark: SparkSession, place: LayerPlace, contract: TableContract) -> SilverTables:
    """The three tables, created where they are not there, with the contract's columns where it has changed."""
    stored = stored_schema(contract)
    keys = [field for field in stored if field.name in contract.key]
    schemas = {
        "": t.StructType([*stored, *_HEADER, t.StructField("_source_file", _TEXT), t.StructField("_run_id", _TEXT)]),
        "__tombstones": t.StructType([*keys, t.StructField("reason", _TEXT), *_HEADER]),
        "__quarantine": _QUARANTINE,
    }
    opened = {}
    for suffix, schema in schemas.items():
        name = contract.name + suffix
        location = f"{place.root}/{name}" if place.located else None
        key = () if suffix == "__quarantine" else contract.key
        opened[suffix] = open_table(spark, place.table(name), schema, location=location, key=key).table
    return SilverTables(silver=opened[""], tombstones=opened["__tombstones"], quarantine=opened["__quarantine"])


def merge_source(changes: DataFrame, ghosts: DataFrame | None, contract: TableContract, run_id: str) -> DataFrame:
    """What to do to silver: `__action` (I, U, D) and silver's columns; one row per key."""
    source = changes.where(F.col("action").isNotNull()).select(
        F.col("action").alias(ACTION),
        *(F.col("key" if name in contract.key else "row")[name].alias(name) for name in contract.column_names),
        F.col("sequence").alias("_sequence"),
        F.col("committed_at").alias("_committed_at"),
        F.col("source_file").alias("_source_file"),
        F.lit(run_id).alias("_run_id"),
    )
    if ghosts is None:
        return source
    nothing = F.lit(None).cast(_TEXT)
    gone = ghosts.where(F.col("stored_row").isNotNull()).select(
        F.lit("D").alias(ACTION),
        "stored_row.*",
        nothing.alias("_sequence"),
        "_committed_at",
        nothing.alias("_source_file"),
        F.lit(run_id).alias("_run_id"),
    )
    return source.unionByName(gone)


def tombstone_rows(changes: DataFrame, ghosts: DataFrame | None) -> DataFrame:
    """The keys to remember as gone; one row per key."""
    gone = changes.where(F.col("tombstone").isNotNull()).select(
        "key.*",
        F.col("tombstone").alias("reason"),
        F.col("sequence").alias("_sequence"),
        F.col("committed_at").alias("_committed_at"),
    )
    if ghosts is None:
        return gone
    return gone.unionByName(
        ghosts.select(
            "key.*",
            F.lit(Reason.DELETED.value).alias("reason"),
            F.lit(None).cast(_TEXT).alias("_sequence"),
            "_committed_at",
        )
    )


def refused_rows(changes: DataFrame, known: DataFrame | None, files: Sequence[str], run_id: str) -> DataFrame:
    """The refused rows that quarantine does not hold yet; one row per source row.

    Args:
        changes: The batch, with verdicts.
        known: The quarantine table; None for an empty one.
        files: Names of the batch's files, as in `source_file`.
        run_id: This run.

    """
    refused = changes.where(F.col("verdict") == Verdict.QUARANTINED.value).select(
        "source_file",
        "source_row",
        F.to_json("key").alias("key"),
        F.col("op").alias("Op"),
        F.col("sequence").alias("_sequence"),
        F.col("committed_at").alias("_committed_at"),
        "reasons",
        F.col("shown").alias("row"),
        F.lit(run_id).alias("run_id"),
    )
    if known is None:
        return refused
    there = known.where(F.col("source_file").isin(list(files))).select("source_file", "source_row")
    return refused.join(there, ["source_file", "source_row"], "left_anti")


def changed_rows(changes: DataFrame, ghosts: DataFrame | None, contract: TableContract) -> DataFrame:
    """The change set: key and tracked columns of silver rows as they were (D) and as they are (I)."""
    differing = changes.where(F.col("differs")).select("action", "row", "stored_row")
    if ghosts is not None:
        gone = ghosts.where(F.col("stored_row").isNotNull())
        differing = differing.unionByName(
            gone.select(F.lit("D").alias("action"), F.col("stored_row").alias("row"), "stored_row")
        )
    return as_change_set(
        differing,
        change_columns(contract),
        before=F.col("stored_row"),
        after=F.col("row"),
        removed=F.col("action").isin("D", "U"),
        added=F.col("action").isin("I", "U"),
    )
