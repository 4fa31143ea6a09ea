"""What every engine can do, whichever server it starts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shoplake_core.clock import Clock
from shoplake_core.errors import ResourceError

__all__ = ["Engine", "EngineStatus", "still_answers", "wait_until_ready"]

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """Whether an engine's server runs, and where."""

    name: str
    running: bool
    pid: int | None
    port: int | None


class Engine(Protocol):
    """A server that can be started, ended and asked for; `up` twice is `up` once."""

    name: str

    def up(self) -> object:
        """The endpoint of the running server, started if it did not run."""
        ...

    def down(self) -> bool:
        """Whether it ran; afterwards it does not."""
        ...

    def status(self) -> EngineStatus:
        """Whether it runs now."""
        ...


def wait_until_ready(
    what: str,
    *,
    probe: Callable[[], None],
    expected_errors: tuple[type[Exception], ...],
    is_running: Callable[[], bool],
    read_log: Callable[[], str],
    timeout_seconds: float,
    clock: Clock,
) -> None:
    """Return once `probe`, a real request of the user who will work with the server, succeeds.

    Raises:
        ResourceError: The process ended, or the time is up; the message ends with the server's log.

    """
    until = clock.monotonic_seconds() + timeout_seconds
    while True:
        try:
            probe()
        except expected_errors as error:
            last = f"{type(error).__name__}: {error}"
        else:
            return
        if not is_running():
            reason = "ended while starting"
        elif clock.monotonic_seconds() >= until:
            reason = f"did not answer within {timeout_seconds:g} s; last: {last}"
        else:
            clock.sleep(_POLL_SECONDS)
            continue
        raise ResourceError(
            f"{what} {reason}\n--- the end of its log\n{read_log()}\n---", hint="see the log above", server=what
        )


def still_answers(running: Callable[[], object | None], wait: Callable[[], None]) -> bool:
    """Whether the server runs and answers; False where it does not run, or was just dying when we asked.

    Raises:
        ResourceError: It runs and does not answer in time.

    """
    if running() is None:
        return False
    try:
        wait()
    except ResourceError:
        if running() is not None:
            raise
        return False
    return True
