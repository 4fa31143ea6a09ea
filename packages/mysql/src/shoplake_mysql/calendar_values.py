"""Calendar arithmetic on whole columns: the same rule for zero dates on both roads, the snapshot and the binlog."""

from typing import Any

import numpy as np
import numpy.typing as npt

from shoplake_mysql.byte_columns import Bools, Int64s

__all__ = ["MICROSECONDS_PER_DAY", "days_since_1970", "is_real_date", "microseconds_since_1970"]

MICROSECONDS_PER_DAY = 86_400_000_000
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_DAYS_TO_1970 = 719_468  # from 0000-03-01, where the algorithm's year begins


def is_real_date(year: Int64s, month: Int64s, day: Int64s) -> Bools:
    """Whether the date is one of the calendar: no part is zero, and the month has that day."""
    in_year = (month >= 1) & (month <= 12)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _MONTH_DAYS[np.where(in_year, month, 0)] + (leap & (month == 2))
    real: Bools = (year >= 1) & in_year & (day >= 1) & (day <= last)
    return real


def days_since_1970(year: Int64s, month: Int64s, day: Int64s) -> Int64s:
    """Days from 1970-01-01 in the proleptic Gregorian calendar; meaningless for dates that are not real."""
    shifted = year - (month <= 2)
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    days: Int64s = era * 146_097 + day_of_era - _DAYS_TO_1970
    return days


def microseconds_since_1970(days: Int64s, clock: tuple[Int64s, Int64s, Int64s], fraction: npt.NDArray[Any]) -> Int64s:
    """Microseconds from 1970-01-01 00:00 of a day, (hour, minute, second) and microseconds."""
    hour, minute, second = clock
    total: Int64s = ((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + fraction
    return total
