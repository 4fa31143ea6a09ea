"""When each transaction of a load is due: the same number in all profiles, spread differently."""

from enum import Enum

import numpy as np
from numpy.typing import NDArray
from shoplake_core.errors import ConfigError

__all__ = ["MOST_TRANSACTIONS", "Profile", "due_seconds", "profile_connections"]

MOST_TRANSACTIONS = 5_000_000
_LONGEST_SECONDS = 7 * 86_400.0
_BURST_PERIOD_SECONDS = 5.0
_BURST_SHARE = 0.2  # of each period; silence after it
_CONNECTIONS = {"steady": 1, "peak": 4, "burst": 8}


class Profile(Enum):
    """How transactions are spread over time.

    STEADY: one after the other at the same distance.
    PEAK: slow at both ends, twice the rate in the middle.
    BURST: a fifth of every five seconds takes all of them; silence between.
    """

    STEADY = "steady"
    PEAK = "peak"
    BURST = "burst"


def profile_connections(profile: Profile) -> int:
    """How many connections a profile needs to reach its highest rate."""
    return _CONNECTIONS[profile.value]


def due_seconds(profile: Profile, *, rate: float, seconds: float) -> NDArray[np.float64]:
    """When each of `rate x seconds` transactions is due, in seconds from the start, ascending.

    Raises:
        ConfigError: The rate or the time is not positive, or both ask for too much.

    """
    if not rate > 0 or not 0 < seconds <= _LONGEST_SECONDS or rate * seconds > MOST_TRANSACTIONS:
        raise ConfigError(
            f"a load of {rate:g} transactions a second for {seconds:g} seconds is not possible",
            hint=f"ask for a rate above 0, at most {_LONGEST_SECONDS:,.0f} seconds and {MOST_TRANSACTIONS:,} transactions",
            rate=rate,
            seconds=seconds,
        )
    count = max(1, round(rate * seconds))
    share = np.arange(count) / count
    if profile is Profile.STEADY:
        return np.asarray(share * seconds, dtype=np.float64)
    if profile is Profile.PEAK:
        # The inverse of the running total of 1 - cos(2 pi t): zero at the ends, twice the mean in the middle.
        time = np.linspace(0.0, 1.0, 4_097)
        total = time - np.sin(2 * np.pi * time) / (2 * np.pi)
        return np.asarray(np.interp(share, total, time) * seconds, dtype=np.float64)
    period = min(_BURST_PERIOD_SECONDS, seconds)
    at = share * seconds
    return np.asarray(at - at % period + (at % period) * _BURST_SHARE, dtype=np.float64)
