"""How the engine waits: until somebody wakes it or time is up, and how a test lets that time pass at once."""

import threading
from typing import Protocol

from shoplake_core.clock import SkipClock

__all__ = ["SkippingWaiter", "SystemWaiter", "Waiter"]

_LONGEST_SECONDS = 3600.0


class Waiter(Protocol):
    """Waits for `woken`."""

    def wait(self, woken: threading.Event, seconds: float | None, *, calls_in_flight: bool) -> None:
        """Return when woken or after `seconds`, whichever comes first; None waits for the waking alone."""
        ...


class SystemWaiter:
    """Real time."""

    def wait(self, woken: threading.Event, seconds: float | None, *, calls_in_flight: bool) -> None:  # noqa: ARG002
        """Wait on the event."""
        woken.wait(_LONGEST_SECONDS if seconds is None else min(seconds, _LONGEST_SECONDS))


class SkippingWaiter:
    """Moves a `SkipClock` instead of waiting; answers that are on their way are waited for in real time first."""

    def __init__(self, clock: SkipClock) -> None:
        self._clock = clock

    def wait(self, woken: threading.Event, seconds: float | None, *, calls_in_flight: bool) -> None:
        """Move the clock, or wait for the answer."""
        if calls_in_flight or seconds is None:
            woken.wait(_LONGEST_SECONDS)
        elif not woken.is_set():
            self._clock.sleep(seconds)
