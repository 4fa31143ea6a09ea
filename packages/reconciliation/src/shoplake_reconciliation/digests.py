"""A 64-bit digest of each cell and each row, and exact sums: equal values give equal digests on every side.

How it is made. Each value becomes one 64-bit word that depends on the value alone, never on how a layer holds it: whole
numbers, booleans, dates (days) and times (microseconds UTC) are themselves, decimals are their unscaled value at the
contract's scale (128 bits mixed to 64), doubles are their bits, texts and bytes are BLAKE2b-64 of UTF-8. The word is
mixed (splitmix64's finaliser, a bijection) with a constant of the column's name, then with the digest of the row's key,
so that values swapped between two rows or two columns show. Null is a word of its own. A row's digest is the sum of its
cells' digests, a range's digest the sum over its rows, both mod 2^64.

How far to trust it. For data that nobody chose against it, a digest is as good as 64 random bits: one wrong cell, row
or range goes unseen with probability 2^-64; over a million ranges a run that is less than 10^-13. Row counts, the keys
themselves and the sums of the numeric columns are compared exactly besides, so money never rests on a hash.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa

from shoplake_reconciliation.arrow import Column, Values, pc

__all__ = ["TableDigests", "exact_sums", "is_summed", "table_digests"]

_U64 = np.uint64
_FIRST, _SECOND, _GOLDEN = _U64(0xBF58476D1CE4E5B9), _U64(0x94D049BB133111EB), _U64(0x9E3779B97F4A7C15)
_LOW_HALF = _U64(0xFFFFFFFF)
_HALF_BITS = 32


def _mix(words: np.ndarray) -> np.ndarray:
    """splitmix64's finaliser: every bit of the result depends on every bit given; equal only where equal."""
    words = (words ^ (words >> _U64(30))) * _FIRST
    words = (words ^ (words >> _U64(27))) * _SECOND
    return np.asarray(words ^ (words >> _U64(31)))


def _text_word(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little")


def _one_chunk(column: Column) -> Values:
    if isinstance(column, pa.ChunkedArray):
        joined: Any = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        return joined  # type: ignore[no-any-return]
    return column


def _decimal_words(array: Values) -> tuple[np.ndarray, np.ndarray]:
    """The low and high 64 bits of each unscaled value; what stands under a null is arbitrary."""
    buffer: Any = array.buffers()[1]
    words = np.frombuffer(buffer, _U64, count=2 * (array.offset + len(array)))[2 * array.offset :]
    return words[0::2], words[1::2]


def _words(array: Values) -> np.ndarray:
    """One 64-bit word a value."""
    kind = array.type
    if not len(array):
        return np.zeros(0, _U64)
    if pa.types.is_decimal128(kind):
        low, high = _decimal_words(array)
        return np.asarray(low ^ _mix(high + _GOLDEN))
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        encoded = pc.dictionary_encode(array)
        texts = encoded.dictionary.cast(pa.binary()).to_pylist()
        table = np.array([_text_word(text) for text in texts] or [0], _U64)
        return np.asarray(table[pc.fill_null(encoded.indices, 0).to_numpy(zero_copy_only=False)])
    if pa.types.is_floating(kind):
        return np.asarray(pc.fill_null(array, 0.0).to_numpy(zero_copy_only=False), np.float64).view(_U64)
    if pa.types.is_boolean(kind):
        return np.asarray(pc.fill_null(array, False).to_numpy(zero_copy_only=False), _U64)
    if pa.types.is_date32(kind):
        array = array.cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        array = array.cast(pa.int64())
    return np.asarray(pc.fill_null(array, 0).to_numpy(zero_copy_only=False), np.int64).view(_U64)


def _column_word(name: str, what: str) -> np.uint64:
    return _U64(_text_word(f"{what}:{name}".encode()))


def _cell_words(name: str, column: Column) -> np.ndarray:
    """The mixed words of a column, null and the column's name in them, the row's key not yet."""
    array = _one_chunk(column)
    words = _mix(_words(array) + _column_word(name, "value"))
    if array.null_count:
        words = np.where(pc.is_null(array).to_numpy(zero_copy_only=False), _column_word(name, "null"), words)
    return words


@dataclass(frozen=True, slots=True)
class TableDigests:
    """The digests of a table's rows.

    Attributes:
        rows: uint64 per row, the key in it.
        cells: Column -> uint64 per row; the sum over the columns that are no key, and the key's own, is `rows`.

    """

    rows: np.ndarray
    cells: Mapping[str, np.ndarray]


def table_digests(table: pa.Table, key: tuple[str, ...]) -> TableDigests:
    """The digests of every row of a table in silver's types; they depend on neither order nor chunks."""
    key_words = np.zeros(table.num_rows, _U64)
    for name in key:
        key_words = _mix(key_words + _GOLDEN) ^ _cell_words(name, table[name])
    key_words = _mix(key_words + _GOLDEN)
    cells = {name: _mix(_cell_words(name, table[name]) + key_words) for name in table.column_names if name not in key}
    rows = _mix(key_words + _GOLDEN)
    for words in cells.values():
        rows = rows + words
    return TableDigests(rows, cells)


def is_summed(kind: pa.DataType) -> bool:
    """Whether columns of that type have a sum that does not depend on order: whole numbers and decimals."""
    return bool(pa.types.is_integer(kind) or pa.types.is_decimal128(kind))


def _halves(array: Values) -> list[tuple[np.ndarray, int]]:
    """The values cut into 32-bit pieces, each with its shift: sums of a piece over 2^31 rows stay below 2^63."""
    valid = pc.is_valid(array).to_numpy(zero_copy_only=False)
    if not pa.types.is_decimal128(array.type):
        words = [pc.fill_null(array, 0).to_numpy(zero_copy_only=False).astype(np.int64).view(_U64)]
    else:
        words = [np.where(valid, part, _U64(0)) for part in _decimal_words(array)]
    pieces = []
    for number, word in enumerate(words):
        shift, last = 2 * _HALF_BITS * number, number == len(words) - 1
        pieces.append(((word & _LOW_HALF).astype(np.int64), shift))
        top = word.view(np.int64) >> np.int64(_HALF_BITS) if last else (word >> _U64(_HALF_BITS)).astype(np.int64)
        pieces.append((top, shift + _HALF_BITS))  # the sign is in the topmost piece alone
    return pieces


def exact_sums(column: Column, starts: np.ndarray, weights: np.ndarray | None = None) -> list[Decimal]:
    """The exact sum of each slice of a column, null counted as 0.

    Args:
        column: Whole numbers or decimals (`is_summed`).
        starts: Row where each slice begins, increasing; a slice ends where the next begins. Slices may be empty.
        weights: Whole numbers below 2^10 that the values are multiplied by; None for 1.

    """
    array = _one_chunk(column)
    scale = array.type.scale if pa.types.is_decimal128(array.type) else 0
    ends = np.append(starts[1:], len(array))
    totals = [0] * len(starts)
    if len(array):
        for piece, shift in _halves(array):
            weighted = piece if weights is None else piece * weights
            running = np.concatenate(([0], np.cumsum(weighted)))
            for index, value in enumerate((running[ends] - running[starts]).tolist()):
                totals[index] += value << shift
    return [Decimal(f"{total}E-{scale}") for total in totals]  # from text: arithmetic would round at 28 digits
