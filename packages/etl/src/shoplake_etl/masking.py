"""Keyed masking as native Spark expressions. Neither the key nor a pad ever stands in a plan: the pads travel as the two
columns of a one-row relation that is broadcast to the rows.
"""

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.masking import MaskingKey

__all__ = ["INNER_PAD", "OUTER_PAD", "masked", "masking_pads", "with_masking_pads"]

INNER_PAD = "__inner_pad"
OUTER_PAD = "__outer_pad"
_DIGEST_BITS = 256


def masking_pads(spark: SparkSession, key: MaskingKey) -> DataFrame:
    """One row: the two pads of HMAC. A local relation, whose rows no plan, log or event shows.

    Made from Arrow: from Python rows it would start a Python worker.
    """
    row = {INNER_PAD: [key.inner_pad], OUTER_PAD: [key.outer_pad]}
    return spark.createDataFrame(pa.table(row, pa.schema([(name, pa.binary()) for name in row])))


def with_masking_pads(rows: DataFrame, pads: DataFrame) -> DataFrame:
    """The rows with the pads as two more columns, for `masked`."""
    return rows.crossJoin(F.broadcast(pads))


def masked(value: Column) -> Column:
    """HMAC-SHA-256 of the value's text in lower-case hex; null stays null. Needs the columns of `with_masking_pads`."""
    message = F.encode(value.cast("string"), "UTF-8")
    inner = F.unhex(F.sha2(F.concat(F.col(INNER_PAD), message), _DIGEST_BITS))
    return F.sha2(F.concat(F.col(OUTER_PAD), inner), _DIGEST_BITS)
