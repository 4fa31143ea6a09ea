"""Trying again what MySQL asks to try again: deadlocks, lock waits, and too many connections. With jitter and a limit."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pymysql
from pymysql.constants import ER
from shoplake_core.clock import Clock
from shoplake_core.errors import ResourceError

__all__ = ["MOST_ATTEMPTS", "RETRYABLE", "RetriesExhaustedError", "error_number", "with_retries"]

MOST_ATTEMPTS = 10
_FIRST_WAIT_SECONDS = 0.02
_LONGEST_WAIT_SECONDS = 2.0
_CHECKREAD = 1020  # MariaDB 11.6 and later: the row changed since this transaction's snapshot

# Error number -> the name that reports use.
RETRYABLE = {
    ER.LOCK_DEADLOCK: "deadlock",
    ER.LOCK_WAIT_TIMEOUT: "lock wait timeout",
    ER.CON_COUNT_ERROR: "too many connections",
    ER.TOO_MANY_USER_CONNECTIONS: "too many connections",
    ER.USER_LIMIT_REACHED: "too many connections",
    _CHECKREAD: "row changed since snapshot",
}
_T = TypeVar("_T")


class RetriesExhaustedError(ResourceError):
    """MySQL went on refusing a transaction that it had asked to try again."""

    code = "RETRIES_EXHAUSTED"


def error_number(error: Exception) -> int:
    """MySQL's number of an error, of the driver's or of ours; 0 where it has none."""
    number = error.args[0] if isinstance(error, pymysql.MySQLError) and error.args else getattr(error, "errno", 0)
    return number if isinstance(number, int) else 0


def with_retries(
    action: Callable[[], _T], *, what: str, clock: Clock, rng: np.random.Generator, on_retry: Callable[[str], None]
) -> _T:
    """The result of `action`, which is repeated from its start while MySQL says that this may help.

    Args:
        action: Rolls back what it did before it raises.
        what: Names the action, for the message.
        clock: Waits between the attempts.
        rng: Spreads the waits, so that those who collided do not meet again.
        on_retry: Told the reason of every further attempt.

    Raises:
        RetriesExhaustedError: After the tenth attempt.

    """
    for attempt in range(MOST_ATTEMPTS):
        try:
            return action()
        except (pymysql.MySQLError, ResourceError) as error:
            reason = RETRYABLE.get(error_number(error))
            if reason is None:
                raise
            if attempt == MOST_ATTEMPTS - 1:
                raise RetriesExhaustedError(
                    f"{what}: {reason} at each of {MOST_ATTEMPTS} attempts",
                    hint="lower --rate or --connections, or raise max_connections on the server",
                    reason=reason,
                ) from error
            on_retry(reason)
            clock.sleep(float(rng.uniform(0, min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2**attempt))))
    raise AssertionError("the last attempt returns or raises")
