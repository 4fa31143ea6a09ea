"""Independent random streams, each named by what it draws, so that adding a draw in one place moves no other.

A stream depends on the seed, the names and the numbers given and on nothing else: not on the process, the order of
calls, nor on how many workers share the work.
"""

from zlib import crc32

import numpy as np

__all__ = ["stream"]


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """The random generator of that seed and name; distinct names give independent streams."""
    spawn_key = tuple(name if isinstance(name, int) else crc32(name.encode()) for name in names)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=spawn_key)))
