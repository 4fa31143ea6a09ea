"""Which keys two tables share, exactly: no hash stands for a key."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from shoplake_reconciliation.arrow import pc

__all__ = ["KeyMatch", "key_codes", "matched_keys"]

_LARGEST_CODE = 2**62
_UINT64_DIGITS = 20  # MySQL's BIGINT UNSIGNED is stored as decimal(20,0)


def _column_codes(columns: list[Any]) -> tuple[np.ndarray, int]:
    """A number for each value of the joined columns, equal only where equal, and the number after the largest."""
    joined = pa.chunked_array([chunk for column in columns for chunk in column.chunks], columns[0].type)
    if pa.types.is_decimal(joined.type) and joined.type.scale == 0 and joined.type.precision <= _UINT64_DIGITS:
        joined = pc.cast(joined, pa.uint64())
    if pa.types.is_integer(joined.type) and len(joined):
        low, high = (value.as_py() for value in pc.min_max(joined).values())
        if high - low < _LARGEST_CODE:
            values = joined.to_numpy()
            return (values - values.dtype.type(low)).astype(np.int64), high - low + 1
    encoded = pc.dictionary_encode(joined)
    dictionary = encoded.unify_dictionaries() if encoded.num_chunks > 1 else encoded
    parts = [chunk.indices.to_numpy(zero_copy_only=False).astype(np.int64) for chunk in dictionary.chunks]
    codes = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    return codes, int(codes.max()) + 1 if len(codes) else 1


def key_codes(*tables: pa.Table) -> list[np.ndarray]:
    """A number for each row of each table, equal only where the whole keys are equal.

    Args:
        tables: The key columns alone, of the same names and types in each.

    """
    codes, size = np.zeros(sum(table.num_rows for table in tables), np.int64), 1
    for name in tables[0].column_names:
        more, more_size = _column_codes([table[name] for table in tables])
        if size * more_size >= _LARGEST_CODE:
            codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
            more = np.unique(more, return_inverse=True)[1].astype(np.int64)
            size, more_size = int(codes.max(initial=0)) + 1, int(more.max(initial=0)) + 1
        codes, size = codes * more_size + more, size * more_size
    bounds = np.cumsum([table.num_rows for table in tables])[:-1]
    return np.split(codes, bounds)


@dataclass(frozen=True, slots=True)
class KeyMatch:
    """Row numbers of two tables, by their keys.

    Attributes:
        only_left: Rows whose key the right lacks.
        only_right: Rows whose key the left lacks, and every further row of a key that the right holds more than once.
        left: Rows of the left that have a partner.
        right: Their partners, in the same order.

    """

    only_left: np.ndarray
    only_right: np.ndarray
    left: np.ndarray
    right: np.ndarray


def matched_keys(left: pa.Table, right: pa.Table) -> KeyMatch:
    """How the rows of two tables pair up by key.

    Args:
        left: Key columns; each key once.
        right: The same columns; a key may wrongly stand there twice.

    """
    left_codes, right_codes = key_codes(left, right)
    unique, first = np.unique(right_codes, return_index=True)
    doubled = np.setdiff1d(np.arange(len(right_codes)), first, assume_unique=True)
    place = np.searchsorted(unique, left_codes)
    found = np.zeros(len(left_codes), bool)
    inside = place < len(unique)
    found[inside] = unique[place[inside]] == left_codes[inside]
    partners = first[place[found]]
    unmatched = np.setdiff1d(first, partners, assume_unique=True)
    return KeyMatch(
        np.flatnonzero(~found), np.sort(np.concatenate((unmatched, doubled))), np.flatnonzero(found), partners
    )
