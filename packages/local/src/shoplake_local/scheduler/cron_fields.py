"""The six fields of AWS's cron expressions, each as the set of what it allows. Pure.

Facts: EventBridge Scheduler User Guide, "Schedule types", "Cron-based schedules".
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

__all__ = ["CronFields", "InvalidExpressionError", "cron_fields"]

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_SATURDAY = 7
_LAST = "L"
_MOST_WEEKS = 5


class InvalidExpressionError(ValueError):
    """Text that is no expression of EventBridge Scheduler."""


@dataclass(frozen=True, slots=True)
class CronFields:
    """Minutes, hours, months and years that are allowed, and the words for days.

    Attributes:
        minutes: Of 0-59, in order.
        hours: Of 0-23, in order.
        months: Of 1-12.
        years: Of 1970-2199.
        day_of_month: The field as written; "?" where the day of the week decides.
        day_of_week: The field as written; "?" where the day of the month decides.

    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    day_of_month: str
    day_of_week: str

    def has_day(self, day: date) -> bool:
        """Whether something is due on that day."""
        if day.year not in self.years or day.month not in self.months:
            return False
        if self.day_of_month == "?":
            return any(_is_weekday(part, day) for part in self.day_of_week.split(","))
        return any(_is_day(part, day) for part in self.day_of_month.split(","))


def cron_fields(text: str) -> CronFields:
    """The fields of what stands between the parentheses of `cron(...)`.

    Raises:
        InvalidExpressionError: AWS would not take it.

    """
    parts = text.upper().split()
    if len(parts) != 6:
        raise InvalidExpressionError(f"a cron expression has 6 fields (the last is the year), this has {len(parts)}")
    minutes, hours, days, months, weekdays, years = parts
    if (days == "?") == (weekdays == "?"):
        raise InvalidExpressionError('one of day-of-month and day-of-week must be "?", and not both')
    for part in days.split(","):
        _check_day(part)
    for part in weekdays.split(","):
        _check_weekday(part, alone=part == weekdays)
    return CronFields(
        tuple(sorted(_values(minutes, 0, 59, "minutes"))),
        tuple(sorted(_values(hours, 0, 23, "hours"))),
        frozenset(_values(months, 1, 12, "month", _MONTHS)),
        frozenset(_values(years, _FIRST_YEAR, _LAST_YEAR, "year")),
        days,
        weekdays,
    )


def _values(text: str, low: int, high: int, field: str, names: Mapping[str, int] | None = None) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        base, slash, step_text = part.partition("/")
        step = _number(step_text, field) if slash else 1
        if step < 1:
            raise InvalidExpressionError(f'{field}: the step of "{part}" is not positive')
        if base == "*":
            first, last = low, high
        else:
            first_text, dash, last_text = base.partition("-")
            first = _number(first_text, field, names)
            last = _number(last_text, field, names) if dash else high if slash else first
        if not low <= first <= high or not low <= last <= high or first > last:
            raise InvalidExpressionError(f'{field}: "{part}" is not in {low}-{high}')
        found |= set(range(first, last + 1, step))
    return found


def _number(text: str, field: str, names: Mapping[str, int] | None = None) -> int:
    if names and text in names:
        return names[text]
    if not (text.isascii() and text.isdigit()):
        raise InvalidExpressionError(f'{field}: "{text}" is no number')
    return int(text)


def _check_day(part: str) -> None:
    if part in {"?", _LAST}:
        return
    if part.endswith("W"):
        _values(part[:-1], 1, 31, "day-of-month")
        if not part[:-1].isdigit():
            raise InvalidExpressionError(f'day-of-month: "{part}" is no day before W')
        return
    _values(part, 1, 31, "day-of-month")


def _check_weekday(part: str, *, alone: bool) -> None:
    if part in {"?", _LAST}:
        return
    weekday, sharp, week = part.partition("#")
    if sharp:
        if not alone or not 1 <= _number(week, "day-of-week") <= _MOST_WEEKS:
            raise InvalidExpressionError(f'day-of-week: "{part}" must stand alone and name a week of 1-5')
        _values(weekday, 1, 7, "day-of-week", _WEEKDAYS)
        _number(weekday, "day-of-week", _WEEKDAYS)
    elif part.endswith(_LAST):
        _number(part[:-1], "day-of-week", _WEEKDAYS)
        _values(part[:-1], 1, 7, "day-of-week", _WEEKDAYS)
    else:
        _values(part, 1, 7, "day-of-week", _WEEKDAYS)


def _is_day(part: str, day: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    if part == _LAST:
        return day.day == length
    if part.endswith("W"):
        return day.day == _nearest_weekday(int(part[:-1]), day, length)
    return day.day in _values(part, 1, 31, "day-of-month")


def _nearest_weekday(wanted: int, day: date, length: int) -> int:
    """Day of the month of the weekday nearest to `wanted`, in the same month; 0 where the month has no such day."""
    if wanted > length:
        return 0
    weekday = day.replace(day=wanted).isoweekday()
    if weekday == 6:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 7:
        return wanted + 1 if wanted < length else wanted - 2
    return wanted


def _is_weekday(part: str, day: date) -> bool:
    weekday = day.isoweekday() % 7 + 1  # AWS counts from Sunday, which is 1
    if part == _LAST:
        return weekday == _SATURDAY
    name, sharp, week = part.partition("#")
    if sharp:
        return weekday == _number(name, "day-of-week", _WEEKDAYS) and (day.day - 1) // 7 + 1 == int(week)
    if part.endswith(_LAST):
        length = calendar.monthrange(day.year, day.month)[1]
        return weekday == _number(part[:-1], "day-of-week", _WEEKDAYS) and day.day + 7 > length
    return weekday in _values(part, 1, 7, "day-of-week", _WEEKDAYS)
