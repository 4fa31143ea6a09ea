"""Bronze rows after the contract's rules, in one pass: one row per change.

Columns: `op`, `sequence`, `committed_at`, `is_load`, `source_file`, `source_row`, `order` (order.py), `key` (struct),
`row` (struct of the stored columns), `reasons` (array, empty for a good row), `shown` (JSON of a refused row).
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.bronze import EpochRecord
from shoplake_core.cleaning import Rule
from shoplake_core.contracts import ColumnContract, Pii, TableContract

from shoplake_etl.bronze_reader import source_column
from shoplake_etl.cleaning import check_column, normalised, parsed
from shoplake_etl.masking import masked, with_masking_pads
from shoplake_etl.order import change_order

__all__ = ["cleaned_rows", "has_pii"]

_JSON = {"ignoreNullFields": "false"}


def has_pii(contract: TableContract) -> bool:
    """Whether the table needs the masking key."""
    return any(column.pii is not Pii.NONE for column in contract.columns)


def _normal(column: ColumnContract) -> Column:
    return F.col(f"n_{column.name}")


def _value(column: ColumnContract) -> Column:
    return F.col(f"v_{column.name}") if column.formats else _normal(column)


def cleaned_rows(
    rows: DataFrame, *, contract: TableContract, epochs: Sequence[EpochRecord], pads: DataFrame | None
) -> DataFrame:
    """The rows of `bronze_rows`, cleaned, checked and masked.

    A delete is checked for nothing but its key: it may carry only the key.

    Args:
        rows: What `bronze_rows` gave.
        contract: The silver contract.
        epochs: All epoch records known.
        pads: What `masking_pads` gave; None for a table without PII.

    """
    header = [F.col(name) for name in ("op", "sequence", "committed_at", "is_load", "source_file", "source_row")]
    normal = rows.select(
        *header, *(normalised(c, F.col(source_column(c.name))).alias(f"n_{c.name}") for c in contract.columns)
    )
    typed = normal.select("*", *(parsed(c, _normal(c)).alias(f"v_{c.name}") for c in contract.columns if c.formats))
    if pads is not None:
        typed = with_masking_pads(typed, pads)
    cleaned = {c.name: check_column(c, normal=_normal(c), value=_value(c), mask=masked) for c in contract.columns}
    is_delete = F.col("op") == "D"
    key_reasons = [
        F.when(_normal(c).isNull(), F.lit(f"{Rule.NULL.value}:{c.name}"))
        for c in contract.columns
        if c.name in contract.key
    ]
    row_reasons = [reason for c in cleaned.values() for reason in c.reasons]
    reasons = F.when(is_delete, F.array(*key_reasons)).otherwise(F.array(*row_reasons))
    checked = typed.select(
        *header,
        change_order(epochs, sequence=F.col("sequence"), committed_at=F.col("committed_at")).alias("order"),
        F.struct(*(cleaned[name].stored.alias(name) for name in contract.key)).alias("key"),
        F.struct(*(c.stored.alias(name) for name, c in cleaned.items())).alias("row"),
        F.array_compact(reasons).alias("reasons"),
        F.struct(*(c.shown.alias(name) for name, c in cleaned.items())).alias("all_shown"),
    )
    shown = F.when(F.size("reasons") > 0, F.to_json("all_shown", _JSON))
    return checked.select("*", shown.alias("shown")).drop("all_shown")
