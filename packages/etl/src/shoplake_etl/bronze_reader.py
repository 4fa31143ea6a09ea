"""Bronze files as rows of one shape, whatever their writer: one row per change.

Columns: `op`, `sequence`, `committed_at` (timestamp, null where it cannot be read), `is_load`, `source_file` (key in the
bucket), `source_row` (0-based), and one column `s_<name>` a contract column, in the source's type.
"""

from collections.abc import Sequence
from functools import reduce
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from pyspark.sql import types as t
from shoplake_core.contracts import TableContract

from shoplake_etl.file_columns import COMMITTED_AT, OPERATION, SEQUENCE, FileGroup, ReadColumn, ReadingPlan
from shoplake_etl.objects import ObjectStore
from shoplake_etl.spark_types import spark_type

__all__ = ["bronze_rows", "source_column"]

_FILE, _ROW = "__file", "__row"
_LOADS = "LOAD%"


def source_column(name: str) -> str:
    """The column of `bronze_rows` that holds the contract's column `name`."""
    return f"s_{name}"


def _read_by_spark(spark: SparkSession, group: FileGroup) -> DataFrame:
    fields = [t.StructField(c.file_name, c.read_type) for c in group.columns.values() if c.file_name]
    rows = spark.read.schema(t.StructType(fields)).parquet(*(file.info.url for file in group.files))
    name = F.substring_index(F.col("_metadata.file_path"), "/", -1)
    return rows.select("*", name.alias(_FILE), F.col("_metadata.row_index").alias(_ROW))


def _spark_friendly(column: "pa.ChunkedArray[Any]") -> "pa.ChunkedArray[Any]":
    if pa.types.is_time(column.type):
        # MySQL's own text: no fraction where it is zero
        return pc.replace_substring_regex(column.cast(pa.string()), pattern=r"\.0+$", replacement="")
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", column.type.tz), safe=False)
    if pa.types.is_unsigned_integer(column.type):
        wide = pa.decimal128(20, 0) if column.type == pa.uint64() else pa.int64()
        return column.cast(wide)
    return column


def _read_by_arrow(spark: SparkSession, store: ObjectStore, group: FileGroup) -> DataFrame:
    names = [c.file_name for c in group.columns.values() if c.file_name]
    tables = []
    for file in group.files:
        table = pq.read_table(BytesIO(store.read(file.info.url)), columns=names)
        table = pa.table({name: _spark_friendly(table.column(name)) for name in names})
        table = table.append_column(_FILE, pa.array([file.info.name] * table.num_rows, pa.string()))
        tables.append(table.append_column(_ROW, pa.array(range(table.num_rows), pa.int64())))
    return spark.createDataFrame(pa.concat_tables(tables))


def _source_value(group: FileGroup, source_name: str, wanted: t.DataType) -> Column:
    column = group.columns[source_name.lower()]
    if not column.file_name:
        return F.lit(None).cast(wanted)
    value = F.col(f"`{column.file_name}`")
    if isinstance(wanted, t.BooleanType) and not isinstance(column.read_type, t.BooleanType):
        return value != 0
    return value.cast(wanted)  # `fits` has made sure that no value changes


def _alike(rows: DataFrame, group: FileGroup, contract: TableContract, folder: str) -> DataFrame:
    def technical(name: str) -> Column:
        return _source_value(group, name, t.StringType())

    sequence = technical(SEQUENCE)
    return rows.select(
        F.coalesce(technical(OPERATION), F.lit("I")).alias("op"),
        F.when(sequence != "", sequence).alias("sequence"),
        technical(COMMITTED_AT).try_cast("timestamp").alias("committed_at"),
        F.col(_FILE).like(_LOADS).alias("is_load"),
        F.concat(F.lit(folder), F.col(_FILE)).alias("source_file"),
        F.col(_ROW).alias("source_row"),
        *(
            _source_value(group, c.source_name, spark_type(c.source_type)).alias(source_column(c.name))
            for c in contract.columns
        ),
    )


def _no_rows(spark: SparkSession, contract: TableContract, folder: str) -> DataFrame:
    names = [OPERATION, COMMITTED_AT, SEQUENCE, *(c.source_name.lower() for c in contract.columns)]
    columns = {name: ReadColumn("", t.StringType()) for name in names}
    rows = spark.range(0).select(F.lit("").alias(_FILE), F.col("id").alias(_ROW))
    return _alike(rows, FileGroup(files=(), columns=columns, by_arrow=False), contract, folder)


def bronze_rows(
    spark: SparkSession, store: ObjectStore, plan: ReadingPlan, *, contract: TableContract, folder: str
) -> DataFrame:
    """The rows of all files of the plan.

    Args:
        spark: The table's session.
        store: Where files that Spark refuses are read from.
        plan: What `plan_reading` gave; no group gives no row (the load of an empty table).
        contract: The silver contract.
        folder: The table's folder in bronze (`shop/orders/`), put before each file's name.

    """
    if not plan.groups:
        return _no_rows(spark, contract, folder)
    parts: Sequence[DataFrame] = [
        _alike(
            _read_by_arrow(spark, store, group) if group.by_arrow else _read_by_spark(spark, group),
            group,
            contract,
            folder,
        )
        for group in plan.groups
    ]
    return reduce(DataFrame.unionByName, parts)
