"""Committed rows events of one table and shape -> one Arrow table in binlog order, as bronze holds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from shoplake_core.bronze import OPERATION_COLUMN
from shoplake_mysql.byte_columns import PADDING, AnyArray, Bools, ByteColumn, Int64s

from shoplake_replication.binlog_events import HEADER_BYTES
from shoplake_replication.binlog_values import array_of_binlog
from shoplake_replication.header_columns import (
    committed_at_texts,
    place_of,
    sequence_texts,
    stream_position_texts,
)
from shoplake_replication.row_walk import RowImages, walk_rows
from shoplake_replication.table_map import TableMap, WireColumn
from shoplake_replication.transactions import RowsEvent

__all__ = ["ChangeCounts", "CommittedRows", "HeaderNames", "change_table"]


class CommittedRows(NamedTuple):
    """A rows event, the time its transaction was committed, and its file."""

    event: RowsEvent
    committed_microseconds: int


@dataclass(frozen=True, slots=True)
class HeaderNames:
    """Names of the columns beside the table's own; "" for one that is not asked for."""

    committed_at: str
    sequence: str
    stream_position: str


@dataclass(frozen=True, slots=True)
class ChangeCounts:
    """Row events, as MySQL counts them: an update of the key is one update."""

    inserts: int
    updates: int
    deletes: int


@dataclass(frozen=True, slots=True)
class _Images:
    """Row images of one operation, with what each row's header needs."""

    images: RowImages
    offsets: Int64s
    committed: Int64s


def _walk(rows: Sequence[CommittedRows], columns: tuple[WireColumn, ...], images_per_row: int) -> _Images:
    bodies = [row.event.body for row in rows]
    buffer = np.frombuffer(b"".join([*bodies, PADDING]), np.uint8)
    sizes = np.array([len(body) for body in bodies], np.int64)
    ends = np.cumsum(sizes)
    begins = ends - sizes
    first_rows = begins + np.array([row.event.rows_offset for row in rows], np.int64)
    images = walk_rows(buffer, first_rows, ends, columns, images_per_row=images_per_row)
    event_starts = np.array([row.event.start for row in rows], np.int64)
    committed = np.array([row.committed_microseconds for row in rows], np.int64)
    offsets = event_starts[images.event] + HEADER_BYTES + images.starts - begins[images.event]
    return _Images(images, offsets, committed[images.event])


def _kept_columns(table_map: TableMap, left_out: frozenset[str]) -> list[int]:
    return [index for index, column in enumerate(table_map.columns) if column.visible and column.name not in left_out]


def _decode(
    images: _Images, indices: Int64s, operations: AnyArray, table_map: TableMap, kept: list[int]
) -> tuple[list[AnyArray], Int64s, Int64s]:
    values = [array_of_binlog(images.images.columns[index].take(indices), table_map.columns[index]) for index in kept]
    return [operations, *values], images.offsets[indices], images.committed[indices]


def _constant(value: str, count: int) -> AnyArray:
    return pa.repeat(pa.scalar(value), count)


def _key_changed(images: _Images, before: Int64s, after: Int64s, table_map: TableMap) -> Bools:
    changed = np.zeros(len(before), np.bool_)
    for index, column in enumerate(table_map.columns):
        if column.name in table_map.primary_key:
            values: ByteColumn = images.images.columns[index]
            old, new = (array_of_binlog(values.take(side), column) for side in (before, after))
            changed |= ~np.asarray(pc.equal(old, new), np.bool_)  # a key has no null
    return changed


def change_table(
    rows: Sequence[CommittedRows],
    *,
    file: str,
    file_number: int,
    lineage_digits: str,
    names: HeaderNames,
    left_out: frozenset[str],
) -> tuple[pa.Table, ChangeCounts]:
    """The changes in binlog order: Op, the table's columns, then the header columns that are asked for.

    An update that changes the primary key is D (the row before) and I (the row after).

    Args:
        rows: Rows events of one binlog file and one table map.
        file: Name of that file.
        file_number: Its number.
        lineage_digits: See `shoplake_core.sequences`.
        names: Of the header columns.
        left_out: Columns that are not captured (generated, invisible).

    Raises:
        SourceError: A value is not what its column's type promises.

    """
    table_map = rows[0].event.table_map
    kept = _kept_columns(table_map, left_out)
    parts: list[tuple[list[AnyArray], Int64s, Int64s]] = []
    counts = dict.fromkeys((b"I", b"U", b"D"), 0)
    for operation in (b"I", b"U", b"D"):
        chosen = [row for row in rows if row.event.operation == operation]
        if not chosen:
            continue
        images = _walk(chosen, table_map.columns, 2 if operation == b"U" else 1)
        everything = np.arange(len(images.offsets))
        if operation != b"U":
            counts[operation] = len(everything)
            operations = _constant(operation.decode("ascii"), len(everything))
            parts.append(_decode(images, everything, operations, table_map, kept))
            continue
        before, after = everything[::2], everything[1::2]
        counts[operation] = len(after)
        changed = _key_changed(images, before, after, table_map)
        operations = pc.if_else(pa.array(changed), "I", "U")
        parts.append(_decode(images, after, operations, table_map, kept))
        if bool(changed.any()):
            old = before[changed]
            parts.append(_decode(images, old, _constant("D", len(old)), table_map, kept))
    offsets = np.concatenate([part[1] for part in parts])
    committed = np.concatenate([part[2] for part in parts])
    columns = [pa.chunked_array([part[0][index] for part in parts]) for index in range(len(kept) + 1)]
    order = np.argsort(offsets, kind="stable")
    fields: list[pa.Field[Any]] = [pa.field(OPERATION_COLUMN, pa.string())]
    fields += [pa.field(table_map.columns[index].name, table_map.columns[index].arrow_type) for index in kept]
    table = pa.table(columns, schema=pa.schema(fields))
    if len(parts) > 1:
        table = table.take(order.astype(np.int64))
        offsets, committed = offsets[order], committed[order]
    table = table.append_column(
        pa.field(names.committed_at, pa.string(), nullable=False), committed_at_texts(committed)
    )
    if names.sequence:
        places = offsets + place_of(file_number, 0)
        table = table.append_column(names.sequence, sequence_texts(lineage_digits, places))
    if names.stream_position:
        table = table.append_column(names.stream_position, stream_position_texts(file, offsets))
    return table, ChangeCounts(counts[b"I"], counts[b"U"], counts[b"D"])
