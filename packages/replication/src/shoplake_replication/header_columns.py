"""The columns that stand around a table's own: Op, commit time, sequence and place in the binlog, made vectorised."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from shoplake_core.bronze import COMMITTED_AT_FORMAT
from shoplake_mysql.byte_columns import AnyArray, Int64s

__all__ = ["committed_at_text", "committed_at_texts", "place_of", "sequence_texts", "stream_position_texts"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE_DIGITS = 19
_OFFSET_SPAN = 10**13  # shoplake_core.sequences: 13 digits of offset behind the file's number


def place_of(file_number: int, offset: int) -> int:
    """The last 19 digits of `shoplake_core.sequences.sequence_at`, as a number."""
    return file_number * _OFFSET_SPAN + offset


def committed_at_text(microseconds: int) -> str:
    """One time, UTC, as DMS writes it."""
    return (_EPOCH + timedelta(microseconds=microseconds)).strftime(COMMITTED_AT_FORMAT)


def committed_at_texts(microseconds: Int64s) -> AnyArray:
    """The times as DMS writes them."""
    distinct, inverse = np.unique(microseconds, return_inverse=True)
    texts = pa.array([committed_at_text(int(value)) for value in distinct], pa.string())
    return texts.take(inverse.astype(np.int64))


def _fixed_text(characters: "np.ndarray[tuple[int, int], np.dtype[np.uint8]]") -> AnyArray:
    count, width = characters.shape
    offsets = (np.arange(count + 1) * width).astype(np.int32)
    data = np.ascontiguousarray(characters)
    return pa.Array.from_buffers(
        pa.string(), count, [None, pa.py_buffer(offsets.view(np.uint8).data), pa.py_buffer(data.ravel().data)]
    )


def sequence_texts(lineage_digits: str, places: Int64s) -> AnyArray:
    """`shoplake_core.sequences.sequence_at` of each place."""
    characters = np.empty((len(places), len(lineage_digits) + _PLACE_DIGITS), np.uint8)
    characters[:, : len(lineage_digits)] = np.frombuffer(lineage_digits.encode("ascii"), np.uint8)
    rest = places.copy()
    for digit in range(_PLACE_DIGITS):
        rest, remainder = np.divmod(rest, 10)
        characters[:, -1 - digit] = remainder + ord("0")
    return _fixed_text(characters)


def stream_position_texts(file: str, offsets: Int64s) -> AnyArray:
    """`file:offset` of each row."""
    texts: AnyArray = pc.binary_join_element_wise(f"{file}", pc.cast(pa.array(offsets), pa.string()), ":")  # type: ignore[call-overload]  # a scalar among arrays: the stubs know no mix
    return texts
