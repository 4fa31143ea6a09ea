"""The counts of a silver batch, and what stops it."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.bronze import SEQUENCE_DIGITS
from shoplake_core.errors import DataError

from shoplake_etl.verdicts import Verdict

__all__ = ["count_changes", "refuse_faults"]

_FAULTS = {
    "unknown_operations": ("whose Op is none of I, U, D", "see who wrote the file"),
    "without_sequence": (
        f"of change files without a _sequence of {SEQUENCE_DIGITS} digits",
        "map $AR_H_CHANGE_SEQ as _sequence, then reload the table",
    ),
    "without_time": (
        "whose _committed_at is no time",
        "set TimestampColumnName to _committed_at, then reload the table",
    ),
    "load_of_no_epoch": (
        "of load files whose _committed_at is not the start of their epoch",
        "set UseTaskStartTimeForFullLoadTimestamp=true, then reload the table",
    ),
}


def _conditions() -> dict[str, Column]:
    return {
        "read": F.lit(True),
        **{verdict.value: F.col("verdict") == verdict.value for verdict in Verdict},
        "inserted": F.col("action") == "I",
        "updated": F.col("action") == "U",
        "deleted": F.col("action") == "D",
        "tombstones": F.col("tombstone").isNotNull(),
        "differs": F.col("differs"),
        "unknown_operations": ~F.col("op").isin("I", "U", "D"),
        "without_sequence": ~F.col("is_load") & (F.coalesce(F.length("sequence"), F.lit(0)) != SEQUENCE_DIGITS),
        "without_time": F.col("committed_at").isNull(),
        "load_of_no_epoch": F.col("is_load") & F.col("order").isNull(),
    }


def count_changes(changes: DataFrame) -> dict[str, int]:
    """How many changes had which outcome, in one pass over the batch (which fills its cache)."""
    conditions = _conditions()
    row = changes.agg(*(F.count_if(condition).alias(name) for name, condition in conditions.items())).first()
    return {name: int(row[name]) if row else 0 for name in conditions}


def _first(changes: DataFrame, condition: Column) -> Row | None:
    return changes.where(condition).select(F.to_json("key").alias("key"), "source_file", "source_row").first()


def _place(row: Row | None) -> str:
    return f"row {row['source_row']} of {row['source_file']}" if row else "an unknown row"


def refuse_faults(changes: DataFrame, counts: Mapping[str, int], *, table: str, rows_in_files: int) -> None:
    """Nothing, where the batch can be carried on exactly.

    Raises:
        DataError: Rows cannot be ordered, two changes of equal order differ, or the counts do not add up.

    """
    for name, (what, hint) in _FAULTS.items():
        if counts[name]:
            place = _place(_first(changes, _conditions()[name]))
            raise DataError(
                f"{table}: {counts[name]} rows {what}, such as {place}", hint=hint, table=table, rows=counts[name]
            )
    clashes = counts[Verdict.CLASH.value]
    if clashes:
        row = _first(changes, F.col("verdict") == Verdict.CLASH.value)
        key = row["key"] if row else ""
        raise DataError(
            f"{table}: key {key} has two changes of equal order that differ: {_place(row)} and another ({clashes} such rows)",
            hint="reload the table: nobody can tell which of them is right (an edited contract or masking key does this too)",
            table=table,
            key=key,
        )
    outcomes = (Verdict.APPLIED, Verdict.SUPERSEDED, Verdict.REDELIVERED, Verdict.QUARANTINED)
    told = sum(counts[verdict.value] for verdict in outcomes)
    if not counts["read"] == told == rows_in_files:
        raise DataError(
            f"{table}: the files hold {rows_in_files} rows, {counts['read']} were read, {told} have an outcome",
            hint="this is a fault of Shoplake: keep the files and report it",
            table=table,
        )
