"""Schedule expressions: `cron(...)`, `rate(...)` and `at(...)`, and the next time of each after a moment. Pure.

Facts: EventBridge Scheduler User Guide, "Schedule types". In a zone with daylight saving time a local time that does not
exist is passed over, and one that comes twice counts once, the first time. A rate of days counts 24 hours.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shoplake_local.scheduler.cron_fields import CronFields, InvalidExpressionError, cron_fields

__all__ = ["Expression", "InvalidExpressionError", "parsed_expression"]

_FORM = re.compile(r"(cron|rate|at)\((.*)\)")
_RATE = re.compile(r"(\d{1,9}) +(minute|hour|day)s?")
_AT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
_DAY = timedelta(days=1)


class Expression(Protocol):
    """When something is due. Every moment is in UTC."""

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time later than the moment; None where there is none any more."""
        ...


@dataclass(frozen=True, slots=True)
class _Cron:
    fields: CronFields
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime | None:
        local = moment.astimezone(self.zone)
        day, last = local.date(), max(self.fields.years)
        while day.year <= last:
            if day.year not in self.fields.years:
                day = date(day.year + 1, 1, 1)
                continue
            if day.month not in self.fields.months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
                continue
            if self.fields.has_day(day):
                for hour in self.fields.hours:
                    for minute in self.fields.minutes:
                        found = _moment(datetime(day.year, day.month, day.day, hour, minute), self.zone)  # noqa: DTZ001
                        if found is not None and found > moment:
                            return found
            day += _DAY
        return None


@dataclass(frozen=True, slots=True)
class _Rate:
    period: timedelta
    anchor: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        if moment < self.anchor:
            return self.anchor
        return self.anchor + ((moment - self.anchor) // self.period + 1) * self.period


@dataclass(frozen=True, slots=True)
class _At:
    time: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        return self.time if self.time > moment else None


def _moment(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment of a local time, the first of two; None where the clocks jump over it."""
    found = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return found if found.astimezone(zone).replace(tzinfo=None) == local else None


def parsed_expression(text: str, *, time_zone: str = "UTC", anchor: datetime) -> Expression:
    """The expression.

    Args:
        text: As in a schedule.
        time_zone: Name of the zone in which `cron` and `at` are read.
        anchor: The first time of a `rate`: the schedule's start date, or when it was made.

    Raises:
        InvalidExpressionError: AWS would not take it.

    """
    form = _FORM.fullmatch(text.strip())
    if form is None:
        raise InvalidExpressionError(f'"{text}" is none of cron(...), rate(...), at(...)')
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidExpressionError(f'"{time_zone}" is no time zone') from error
    kind, inside = form.groups()
    if kind == "cron":
        return _Cron(cron_fields(inside), zone)
    if kind == "rate":
        rate = _RATE.fullmatch(inside.strip())
        if rate is None or int(rate[1]) == 0:
            raise InvalidExpressionError(f'"{inside}" is no positive number with minutes, hours or days')
        return _Rate(timedelta(**{f"{rate[2]}s": int(rate[1])}), anchor)
    return _At(_at_time(inside, zone))


def _at_time(text: str, zone: ZoneInfo) -> datetime:
    try:
        local = datetime.fromisoformat(text) if _AT.fullmatch(text) else None
    except ValueError:
        local = None
    if local is None:
        raise InvalidExpressionError(f'"{text}" is no time of the form yyyy-mm-ddThh:mm:ss')
    found = _moment(local, zone)
    if found is None:
        raise InvalidExpressionError(f"{text} does not exist in {zone.key}: the clocks jump over it")
    return found
