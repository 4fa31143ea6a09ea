"""Time, read in one place. Everything that needs "now" or waits takes a `Clock`; tests pass a `SkipClock`."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "SkipClock", "SystemClock"]


class Clock(Protocol):
    """Where "now", elapsed time and waiting come from."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        ...

    def monotonic_seconds(self) -> float:
        """Seconds that only move forward, for measuring how long something took."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(tz=UTC)  # noqa: TID251 - the one place that reads it

    def monotonic_seconds(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        time.sleep(seconds)


class SkipClock:
    """A clock that moves only when somebody sleeps: a wait of an hour takes no time."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._elapsed_seconds = 0.0

    def now(self) -> datetime:
        """The start moved by every sleep so far."""
        return self._now

    def monotonic_seconds(self) -> float:
        """The sum of every sleep so far."""
        return self._elapsed_seconds

    def sleep(self, seconds: float) -> None:
        """Move on by `seconds` at once."""
        self._elapsed_seconds += seconds
        self._now += timedelta(seconds=seconds)
