"""Change sets: the rows that a commit takes away (`D`) and puts (`I`), as parquet under a prefix of their own."""

import json
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from pyspark.sql import types as t
from shoplake_core.contracts import TableContract

from shoplake_etl.objects import ObjectStore
from shoplake_etl.spark_types import stored_schema

__all__ = ["OPERATION", "as_change_set", "change_columns", "read_change_sets", "write_change_set", "write_manifest"]

OPERATION = "_op"
_ROWS_PER_FILE = 500_000


def change_columns(contract: TableContract) -> tuple[str, ...]:
    """The columns of a silver change set after `_op`: the key and what the contract tracks."""
    return (*contract.key, *(name for name in contract.tracks if name not in contract.key))


def as_change_set(
    rows: DataFrame, columns: Sequence[str], *, before: Column, after: Column, removed: Column, added: Column
) -> DataFrame:
    """`_op` and `columns`: for each row one `D` with the values before, one `I` with those after, or both.

    Args:
        rows: One row per changed key.
        columns: The columns of the set.
        before: Struct of the old row.
        after: Struct of the new row.
        removed: Whether the old row goes (it is changed or deleted).
        added: Whether a new row comes.

    """
    sides = F.array_compact(
        F.array(
            F.when(removed, F.struct(F.lit("D").alias(OPERATION), *(before[c].alias(c) for c in columns))),
            F.when(added, F.struct(F.lit("I").alias(OPERATION), *(after[c].alias(c) for c in columns))),
        )
    )
    return rows.select(F.explode(sides).alias("side")).select("side.*")


def write_change_set(changes: DataFrame, prefix: str, *, rows: int) -> None:
    """The set lies under `prefix`, in few files."""
    changes.coalesce(1 + rows // _ROWS_PER_FILE).write.mode("errorifexists").parquet(prefix)


def read_change_sets(
    spark: SparkSession, prefixes: Sequence[str], contract: TableContract, columns: Sequence[str]
) -> DataFrame:
    """`_op` and `columns` of all those sets."""
    fields = {field.name: field for field in stored_schema(contract)}
    schema = t.StructType([t.StructField(OPERATION, t.StringType()), *(fields[c] for c in columns)])
    return spark.read.schema(schema).option("pathGlobFilter", "*.parquet").parquet(*prefixes)  # not the manifest


def write_manifest(store: ObjectStore, prefix: str) -> None:
    """`manifest.json` beside the set, in the form that Redshift's COPY reads."""
    entries = [
        {"url": item.url, "mandatory": True, "meta": {"content_length": item.size_bytes}}
        for item in store.objects(f"{prefix}/")
        if item.name.endswith(".parquet")
    ]
    store.write(f"{prefix}/manifest.json", json.dumps({"entries": entries}, indent=1).encode())
