"""Waiting for AWS to come to rest, by asking again on the clock that tests can skip."""

from collections.abc import Callable

from shoplake_core.clock import Clock
from shoplake_core.errors import ResourceError

__all__ = ["POLL_SECONDS", "wait_until"]

POLL_SECONDS = 5.0


def wait_until(reached: Callable[[], bool], *, clock: Clock, timeout_seconds: float, address: str, what: str) -> None:
    """Ask until it is reached; `what` completes "did not ...".

    Raises:
        ResourceError: It took longer than the timeout.

    """
    deadline = clock.monotonic_seconds() + timeout_seconds
    while not reached():
        if clock.monotonic_seconds() >= deadline:
            raise ResourceError(
                f"{address} did not {what} within {timeout_seconds:.0f} s",
                hint="look at it in the console, then plan again",
                address=address,
            )
        clock.sleep(POLL_SECONDS)
