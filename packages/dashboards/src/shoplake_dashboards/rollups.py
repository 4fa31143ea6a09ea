"""Which part of a period a roll-up by the month answers: its whole months. The days before and after them stay days."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shoplake_dashboards.periods import Period, bucket_of
from shoplake_dashboards.tree import Aggregate, Aggregation, Dataset, Dimension, Granularity, Measure

__all__ = ["LEAST_MONTHS", "MonthSplit", "adds_up_by_month", "split_by_month"]

_DAY = timedelta(days=1)
LEAST_MONTHS = 2
"""With fewer whole months the days are read: they are few, and two tables would be opened for them."""


@dataclass(frozen=True, slots=True)
class MonthSplit:
    """Periods of whole months, and the periods of days that are left."""

    months: tuple[Period, ...]
    days: tuple[Period, ...]


def split_by_month(spans: Iterable[Period]) -> MonthSplit | None:
    """How those periods split; None where they hold too few whole months. A month that lies in two of them stays days."""
    months: list[Period] = []
    days: list[Period] = []
    count = 0
    for span in spans:
        first_month = bucket_of(span.first, Granularity.MONTH)
        last_month = bucket_of(span.last, Granularity.MONTH)
        first = span.first if span.first == first_month.first else first_month.end
        end = span.end if span.last == last_month.last else last_month.first
        if first >= end:
            days.append(span)
            continue
        whole = Period(first, end - _DAY)
        months.append(whole)
        count += (whole.last.year - first.year) * 12 + whole.last.month - first.month + 1
        if span.first < first:
            days.append(Period(span.first, first - _DAY))
        if end < span.end:
            days.append(Period(end, span.last))
    return MonthSplit(tuple(months), tuple(days)) if count >= LEAST_MONTHS else None


def adds_up_by_month(
    dataset: Dataset,
    columns: Sequence[str],
    *,
    measures: Iterable[Measure],
    dimensions: Iterable[Dimension],
    tested: Iterable[str],
) -> bool:
    """Whether sums of months are as good as sums of days for these measures, dimensions and tested columns.

    Args:
        dataset: With its date and joins.
        columns: Columns that both the table and its roll-up have.
        measures: What is added up.
        dimensions: What it is split by.
        tested: Columns that rows are chosen by, beside the date.

    """
    joined = {column for join in dataset.joins for column in join.columns}
    known = {*columns, *joined} - {dataset.date}
    if not all(set(join.on) <= set(columns) for join in dataset.joins):
        return False
    for dimension in dimensions:
        steps = dimension.column == dataset.date and dimension.granularity is Granularity.MONTH
        if dimension.column not in known and not steps:
            return False
    parts: list[Aggregate] = [part for m in measures for part in (m.value, m.per) if part is not None]
    return set(tested) <= known and all(
        part.aggregation is Aggregation.SUM and {part.column, *(c.column for c in part.where)} <= known
        for part in parts
    )
