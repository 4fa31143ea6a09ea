"""A backfill: the groups of a model that hold a day from some day on, by what the model's contract declares.

A row's event date is the date among the contract's `scope` columns; where there is none, the date that its `sort_key` begins
with. A day is the store's, as in the models' SQL.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import Enum

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from shoplake_core.contracts import ColumnContract, Rebuild, TableContract
from shoplake_core.errors import ConfigError
from shoplake_core.logical_types import Kind

__all__ = ["Backfill", "BackfillKind", "backfill_kind", "day_from", "event_date"]

_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_HAVE_A_DAY = (Kind.DATE, Kind.TIMESTAMP, Kind.DATETIME)


class BackfillKind(Enum):
    """What of a model a backfill rebuilds."""

    DATES = "dates"
    KEYS = "keys"
    WHOLE = "whole"


def day_from(text: str, *, where: str) -> date | None:
    """The day written as YYYY-MM-DD; None for "".

    Raises:
        ConfigError: It is written otherwise, or no calendar has it.

    """
    if not text:
        return None
    with suppress(ValueError):  # no such day
        if _DAY.match(text):
            return date.fromisoformat(text)
    raise ConfigError(
        f'{where} is "{text}", which is no day', hint="write it as YYYY-MM-DD, such as 2026-01-31", where=where
    )


def event_date(contract: TableContract) -> ColumnContract | None:
    """The column that says on which day a row of the model happened; None where the contract declares none."""
    for name in (*contract.scope, *contract.sort_key[:1]):
        column = contract.column(name)
        if column.type.kind in _HAVE_A_DAY:
            return column
    return None


def backfill_kind(contract: TableContract) -> BackfillKind:
    """How a backfill takes the model: its dates, the groups that have rows on them, or all of it."""
    column = event_date(contract)
    if contract.rebuild is Rebuild.WHOLE or column is None:
        return BackfillKind.WHOLE
    return BackfillKind.DATES if column.name in contract.scope else BackfillKind.KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """One model's backfill.

    Attributes:
        contract: The model's.
        day: The first day to rebuild.
        time_zone: The store's.

    """

    contract: TableContract
    day: date
    time_zone: str

    @property
    def kind(self) -> BackfillKind:
        """What of the model is rebuilt."""
        return backfill_kind(self.contract)

    def reads_to_touch(self, reads: Mapping[str, TableContract]) -> tuple[str, ...]:
        """Those of the tables read whose rows have an event date of their own, silver's have none: what they touch from
        the day on is rebuilt too, though it be older, like the cohorts whose customers bought again.
        """
        if self.kind is BackfillKind.WHOLE:
            return ()
        return tuple(name for name in self.contract.touched if event_date(reads[name]) is not None)

    def rows_from_day(self, rows: DataFrame, contract: TableContract | None = None) -> DataFrame:
        """Those rows of the model, or of the table with that contract, which happened on the day or later."""
        column = event_date(contract or self.contract)
        return rows if column is None else rows.where(self._happened(column) >= F.lit(self.day))

    def scope_of(self, rows: DataFrame) -> DataFrame:
        """The scope of those rows of the model that happened on the day or later; not distinct."""
        return self.rows_from_day(rows).select(*self.contract.scope)

    def _happened(self, column: ColumnContract) -> Column:
        value = F.col(column.name)
        if column.type.kind is Kind.TIMESTAMP:
            value = F.from_utc_timestamp(value, self.time_zone)
        return F.to_date(value)
