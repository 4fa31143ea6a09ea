"""Periods of whole days in the store's calendar: the ones a reader may choose by name, the one before, and which steps of a
time axis are not finished.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from shoplake_dashboards.tree import Granularity

__all__ = ["PERIOD_NAMES", "Period", "bucket_of", "is_unfinished", "prior_label", "prior_period", "relative_period"]

_DAY = timedelta(days=1)
_DECEMBER = 12


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def end(self) -> date:
        """The first day after it."""
        return self.last + _DAY


def _last_days(count: int) -> Callable[[date], Period]:
    return lambda today: Period(today - count * _DAY, today - _DAY)


def _months_back(day: date, months: int) -> date:
    """The first of the month `months` before the day's."""
    number = day.year * _DECEMBER + day.month - 1 - months
    return date(number // _DECEMBER, number % _DECEMBER + 1, 1)


_RELATIVE: Mapping[str, tuple[str, Callable[[date], Period]]] = {
    "last_7_days": ("Last 7 whole days", _last_days(7)),
    "last_7_days_so_far": (
        "Today, so far, and the 6 days before",
        lambda today: Period(today - 6 * _DAY, today),
    ),
    "last_28_days": ("Last 28 whole days", _last_days(28)),
    "last_90_days": ("Last 90 whole days", _last_days(90)),
    "last_365_days": ("Last 365 whole days", _last_days(365)),
    "month_to_date": ("This month, so far", lambda today: Period(today.replace(day=1), today)),
    "last_12_months": ("This month and the 12 before", lambda today: Period(_months_back(today, 12), today)),
}
PERIOD_NAMES: Mapping[str, str] = {name: label for name, (label, _) in _RELATIVE.items()}


def relative_period(name: str, today: date) -> Period:
    """The period of that name (a key of `PERIOD_NAMES`), on the store's day `today`."""
    return _RELATIVE[name][1](today)


def prior_period(period: Period) -> Period:
    """As many days, ending the day before the period begins."""
    return Period(period.first - period.days * _DAY, period.first - _DAY)


def prior_label(period: Period) -> str:
    """How a reader is told what a change is measured against."""
    return "the day before" if period.days == 1 else f"the {period.days} days before"


def bucket_of(day: date, granularity: Granularity) -> Period:
    """The whole day, week (from Monday) or month that the day lies in."""
    if granularity is Granularity.DAY:
        return Period(day, day)
    if granularity is Granularity.WEEK:
        monday = day - day.weekday() * _DAY
        return Period(monday, monday + 6 * _DAY)
    first = day.replace(day=1)
    return Period(first, _months_back(first, -1) - _DAY)


def is_unfinished(start: date, granularity: Granularity, *, period: Period, today: date) -> bool:
    """Whether the step of a time axis that holds `start` lacks days: not over yet, or cut off by the period."""
    bucket = bucket_of(start, granularity)
    return bucket.last >= today or bucket.last > period.last or bucket.first < period.first
