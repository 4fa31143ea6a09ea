"""Columns of bytes that lie scattered in a network buffer -> Arrow arrays, without a Python object a value.

Shared by the snapshot's reader (text protocol) and the binlog decoder. A column is three arrays: where each value
starts, how long it is, and whether it is there.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = [
    "PADDING",
    "AnyArray",
    "Bools",
    "ByteColumn",
    "Int64s",
    "Octets",
    "binary_array",
    "fixed_width_array",
    "octets_at",
    "validity",
]

AnyArray: TypeAlias = "pa.Array[Any]"
Octets = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_INLINE_BYTES = 12  # Arrow's string view keeps up to 12 bytes in the view itself
_VIEW_DTYPE = np.dtype([("length", "<i4"), ("rest", "u1", (_INLINE_BYTES,))])
PADDING = b"\0" * 32  # readers of fixed widths may look past the last value


@dataclass(frozen=True, slots=True)
class ByteColumn:
    """One column's values in a buffer.

    Attributes:
        buffer: The bytes, with `PADDING` behind the last value.
        starts: Offset of each value.
        lengths: Its length in bytes; 0 for null.
        valid: False for null.

    """

    buffer: Octets
    starts: Int64s
    lengths: Int64s
    valid: Bools

    def take(self, indices: Int64s) -> "ByteColumn":
        """The values at those indices."""
        return ByteColumn(self.buffer, self.starts[indices], self.lengths[indices], self.valid[indices])


def _buffer_of(values: npt.NDArray[Any]) -> pa.Buffer:
    return pa.py_buffer(values.view(np.uint8).data)


def validity(valid: Bools) -> pa.Buffer | None:
    """Arrow's validity bitmap; None where every value is there."""
    if bool(valid.all()):
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())


def fixed_width_array(values: npt.NDArray[Any], valid: Bools, arrow_type: pa.DataType) -> AnyArray:
    """The numbers as an Arrow array of a type with the same width (dates, timestamps, integers, doubles)."""
    contiguous = np.ascontiguousarray(values)
    return pa.Array.from_buffers(arrow_type, len(values), [validity(valid), _buffer_of(contiguous)])


def octets_at(column: ByteColumn, width: int) -> Octets:
    """A matrix of `width` bytes from each start; null rows hold whatever lies there."""
    if column.starts.size == 0:
        return np.empty((0, width), np.uint8)
    octets: Octets = column.buffer[column.starts[:, None] + np.arange(width)]
    return octets


def binary_array(column: ByteColumn, arrow_type: pa.DataType) -> AnyArray:
    """The values as binary or string; a string that is no UTF-8 raises pyarrow.ArrowInvalid."""
    count = len(column.starts)
    if count == 0:
        return pa.array([], arrow_type)
    views = np.zeros(count, _VIEW_DTYPE)
    views["length"] = column.lengths
    inline = column.lengths <= _INLINE_BYTES
    head = octets_at(column, _INLINE_BYTES)
    head[np.arange(_INLINE_BYTES) >= column.lengths[:, None]] = 0
    if not bool(inline.all()):
        long = ~inline
        place = np.zeros((int(long.sum()), 2), "<i4")  # buffer 0, offset
        place[:, 1] = column.starts[long]
        head[long, 4:] = place.view(np.uint8).reshape(-1, 8)
    views["rest"] = head
    array = pa.Array.from_buffers(
        pa.binary_view(), count, [validity(column.valid), _buffer_of(views), _buffer_of(column.buffer)]
    )
    binary = array.cast(pa.binary())
    return binary.cast(arrow_type) if arrow_type != pa.binary() else binary
