"""Which rows may be dirty: one key in 97. The seed plants only there, and the live load never touches those rows
again, so a ledger stays true whatever the load does and whoever runs it.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["RESERVED_REMAINDER", "RESERVED_STRIDE", "is_reserved", "reserved_number"]

RESERVED_STRIDE = 97
RESERVED_REMAINDER = 13


def is_reserved(key: NDArray[np.int64] | int) -> NDArray[np.bool_]:
    """Whether dirt may be planted in the row with that key, or in a child of it."""
    return np.asarray(np.asarray(key) % RESERVED_STRIDE == RESERVED_REMAINDER)


def reserved_number(key: int) -> int:
    """Counts the reserved keys upwards, so that kinds of dirt take turns."""
    return key // RESERVED_STRIDE
