"""Free TCP ports on loopback. A port that was free may be taken a moment later: whoever starts a server tries again."""

import secrets
import socket
from collections.abc import Collection

from shoplake_core.clock import Clock
from shoplake_core.errors import ResourceError

__all__ = ["LOOPBACK", "free_port", "is_free", "next_free_port", "wait_until_free"]

LOOPBACK = "127.0.0.1"
_LAST_PORT = 65_535
_TRIES = 2_000
# Any port: below the ones that Linux gives to outgoing connections, or somebody's connection holds it at the next start.
_FIRST_ANY_PORT = 12_000
_EPHEMERAL_PORT = 32_768
_POLL_SECONDS = 0.02


def is_free(port: int) -> bool:
    """Whether a server could listen on that port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed server's TIME_WAIT is no obstacle
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def next_free_port(preferred: int, *, taken: Collection[int] = (), also: int = 0) -> int:
    """`preferred`, else the next port above it that is free and not in `taken`.

    Args:
        preferred: Where to begin; 0 for any.
        taken: Ports already promised to somebody.
        also: Where not 0, port + `also` must be free as well (a second port that the server derives from the first).

    Raises:
        ResourceError: None of the next ports is free.

    """
    start = preferred or _any_port(also)
    for port in range(start, min(start + _TRIES, _LAST_PORT - also) + 1):
        if {port, port + also}.isdisjoint(taken) and is_free(port) and (not also or is_free(port + also)):
            return port
    raise ResourceError(
        f"no free port on {LOOPBACK} from {start} on", hint="end a program that listens there", port=start
    )


def free_port(*, taken: Collection[int] = ()) -> int:
    """A port that is free now: any one below those that the system hands out."""
    return next_free_port(0, taken=taken)


def _any_port(also: int) -> int:
    return secrets.choice(range(_FIRST_ANY_PORT, _EPHEMERAL_PORT - also - _TRIES))


def wait_until_free(ports: Collection[int], *, timeout_seconds: float, clock: Clock) -> bool:
    """Whether all of them are free in time: the system closes a killed server's ports a moment after it is gone."""
    until = clock.monotonic_seconds() + timeout_seconds
    while not all(is_free(port) for port in ports if port):
        if clock.monotonic_seconds() >= until:
            return False
        clock.sleep(_POLL_SECONDS)
    return True
