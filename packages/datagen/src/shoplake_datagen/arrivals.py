"""When orders arrive: growth, season, weekday and hour as the store's own clock shows them, in UTC microseconds.

Drawn over real UTC hours, so that the spring night has no 02:30 and the autumn night has it twice.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

__all__ = ["MICROSECONDS_A_DAY", "StoreCalendar", "arrival_times", "microseconds_of", "store_calendar"]

MICROSECONDS_A_DAY = 86_400_000_000
_HOUR = 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_BY_HOUR = np.array([14, 9, 6, 4, 3, 4, 10, 22, 35, 46, 54, 60, 66, 62, 56, 55, 58, 66, 80, 96, 100, 88, 60, 32]) / 100
_BY_WEEKDAY = np.array([1.0, 0.95, 0.95, 1.0, 1.05, 0.9, 1.2])  # Monday first
_BY_MONTH = np.array([0.85, 0.85, 0.95, 0.95, 1.0, 0.95, 0.9, 0.9, 1.0, 1.05, 1.5, 1.4])
_GROWTH = 0.8  # the end of the history sells 1 + this times its start
_NEAR_MIDNIGHT_SHARE = 0.01
_NEAR_CHANGE_SHARE = 0.002
_CHANGE_OFFSETS_SECONDS = (-5_400, -1_800, -1, 0, 1_800, 5_400)


def microseconds_of(moment: datetime) -> int:
    """Microseconds since 1970 of an aware `moment`, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCalendar:
    """The history's UTC hours as the store's clock shows them.

    Attributes:
        start: First microsecond of the history.
        end: The reference time: nothing happens at it or after.
        first_hour: Microseconds of the first UTC hour; hours follow without gap.
        offsets: Microseconds to add for the store's wall clock, one an hour.

    """

    start: int
    end: int
    first_hour: int
    offsets: NDArray[np.int64]

    @property
    def hours(self) -> NDArray[np.int64]:
        """The beginning of each UTC hour."""
        return self.first_hour + np.arange(len(self.offsets), dtype=np.int64) * _HOUR

    def wall_clock(self, moments: NDArray[np.int64]) -> NDArray[np.int64]:
        """Microseconds on the store's wall clock, of moments within the history."""
        hour = np.clip((moments - self.first_hour) // _HOUR, 0, len(self.offsets) - 1)
        return moments + self.offsets[hour]

    def changes(self) -> NDArray[np.int64]:
        """The moments at which the store's clock is put forward or back."""
        return np.asarray(self.hours[1:][np.diff(self.offsets) != 0], dtype=np.int64)


def store_calendar(reference_time: datetime, *, history_days: int, time_zone: str) -> StoreCalendar:
    """The calendar of the `history_days` before `reference_time`."""
    zone = ZoneInfo(time_zone)
    end = microseconds_of(reference_time)
    start = end - history_days * MICROSECONDS_A_DAY
    first_hour = start - start % _HOUR
    count = -(-(end - first_hour) // _HOUR)
    moments = (_EPOCH + timedelta(microseconds=first_hour + hour * _HOUR) for hour in range(count))
    offsets = [(moment.astimezone(zone).utcoffset() or timedelta()) // timedelta(microseconds=1) for moment in moments]
    return StoreCalendar(start=start, end=end, first_hour=first_hour, offsets=np.array(offsets, dtype=np.int64))


def _weights(calendar: StoreCalendar) -> NDArray[np.float64]:
    hours = calendar.hours
    wall = hours + calendar.offsets
    days = wall // MICROSECONDS_A_DAY
    month = wall.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12
    growth = 1 + _GROWTH * (hours - hours[0]) / max(1, calendar.end - calendar.start)
    weights = _BY_HOUR[(wall % MICROSECONDS_A_DAY) // _HOUR] * _BY_WEEKDAY[(days + 3) % 7] * _BY_MONTH[month] * growth
    inside = np.minimum(hours + _HOUR, calendar.end) - np.maximum(hours, calendar.start)
    return np.asarray(weights * np.maximum(inside, 0) / _HOUR, dtype=np.float64)


def arrival_times(rng: np.random.Generator, count: int, calendar: StoreCalendar) -> NDArray[np.int64]:
    """`count` sorted moments; some lie within two minutes of the store's midnight and around its clock changes."""
    cumulative = np.cumsum(_weights(calendar))
    hour = np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right")
    times = calendar.hours[np.minimum(hour, len(cumulative) - 1)] + rng.integers(0, _HOUR, count)
    traps = rng.permutation(count)
    near_midnight = traps[: int(count * _NEAR_MIDNIGHT_SHARE)]
    wall = calendar.wall_clock(times[near_midnight])
    to_midnight = wall % MICROSECONDS_A_DAY
    times[near_midnight] += rng.integers(-120_000_000, 120_000_000, len(near_midnight)) - to_midnight
    changes = calendar.changes()
    if len(changes):
        wanted = max(int(count * _NEAR_CHANGE_SHARE), len(changes) * len(_CHANGE_OFFSETS_SECONDS))
        chosen = traps[len(near_midnight) :][: min(wanted, count // 10)]
        number = np.arange(len(chosen))
        offsets = np.array(_CHANGE_OFFSETS_SECONDS, dtype=np.int64)[
            number // len(changes) % len(_CHANGE_OFFSETS_SECONDS)
        ]
        times[chosen] = changes[number % len(changes)] + offsets * 1_000_000
    # The first and last hour are whole hours of the clock: what lies outside the history is folded back into it.
    times = np.where(times < calendar.start, 2 * calendar.start - times, times)
    times = np.where(times >= calendar.end, 2 * calendar.end - 1 - times, times)
    return np.sort(np.clip(times, calendar.start, calendar.end - 1))
