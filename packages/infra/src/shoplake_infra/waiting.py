"""Waiting for AWS to come to rest, by asking again on the clock that tests can skip."""

from collections.abc import Callable, Iterator

from shoplake_core.clock import Clock
from shoplake_core.errors import ResourceError

__all__ = ["poll_seconds", "wait_until"]

_FIRST_POLL_SECONDS = 0.25
_LONGEST_POLL_SECONDS = 5.0


def poll_seconds() -> Iterator[float]:
    """Delays between one look and the next: short at first, for what is there at once, then never longer than 5 s."""
    delay = _FIRST_POLL_SECONDS
    while True:
        yield delay
        delay = min(2 * delay, _LONGEST_POLL_SECONDS)


def wait_until(reached: Callable[[], bool], *, clock: Clock, timeout_seconds: float, address: str, what: str) -> None:
    """Ask until it is reached; `what` completes "did not ...".

    Raises:
        ResourceError: It took longer than the timeout.

    """
    deadline, delays = clock.monotonic_seconds() + timeout_seconds, poll_seconds()
    while not reached():
        if clock.monotonic_seconds() >= deadline:
            raise ResourceError(
                f"{address} did not {what} within {timeout_seconds:.0f} s",
                hint="look at it in the console, then plan again",
                address=address,
            )
        clock.sleep(next(delays))
