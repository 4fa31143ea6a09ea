"""Where every value of many rows events lies, found for all events at once.

One lane an event: step k walks row k of all events together, so that the cost of numpy is paid by column and step, not
by value. Lanes that reach the end of their event drop out.
"""

from dataclasses import dataclass

import numpy as np
from shoplake_core.errors import SourceError
from shoplake_mysql.byte_columns import Bools, ByteColumn, Int64s, Octets

from shoplake_replication.table_map import WireColumn

__all__ = ["RowImages", "walk_rows"]


@dataclass(frozen=True, slots=True)
class RowImages:
    """Row images in binlog order; an update has two, before and after.

    Attributes:
        event: Index of the event each image came from.
        starts: Offset in the buffer where the image begins.
        columns: One a wire column.

    """

    event: Int64s
    starts: Int64s
    columns: tuple[ByteColumn, ...]


def _lengths_before(buffer: Octets, place: Int64s, width: int) -> Int64s:
    length = buffer[place].astype(np.int64)
    for byte in range(1, width):
        length |= buffer[place + byte].astype(np.int64) << (8 * byte)
    return length


def _walk_image(
    buffer: Octets, place: Int64s, columns: tuple[WireColumn, ...]
) -> tuple[Int64s, list[tuple[Int64s, Int64s, Bools]]]:
    """Where the next image begins, and (starts, lengths, valid) of each column."""
    null_bytes = (len(columns) + 7) // 8
    nulls: Octets = np.unpackbits(buffer[place[:, None] + np.arange(null_bytes)], axis=1, bitorder="little")
    any_null: Bools = nulls.astype(np.bool_).max(axis=0)
    all_valid = np.ones(len(place), np.bool_)
    place = place + null_bytes
    found: list[tuple[Int64s, Int64s, Bools]] = []
    for index, column in enumerate(columns):
        some_null = bool(any_null[index])
        valid = nulls[:, index] == 0 if some_null else all_valid
        if column.width:
            starts = place
            lengths = np.full(len(place), column.width, np.int64)
        else:
            starts = place + column.prefix_width
            lengths = _lengths_before(buffer, place, column.prefix_width)
        if some_null:
            lengths = np.where(valid, lengths, 0)
            starts = np.where(valid, starts, place)
        place = starts + lengths
        found.append((starts, lengths, valid))
    return place, found


def walk_rows(
    buffer: Octets, starts: Int64s, ends: Int64s, columns: tuple[WireColumn, ...], *, images_per_row: int
) -> RowImages:
    """The images of all rows of those events.

    Args:
        buffer: Holds the events' bodies, with padding behind the last.
        starts: Where each event's first row begins.
        ends: Where its last row ends.
        columns: The table's, all present in every image.
        images_per_row: 2 for updates, else 1.

    Raises:
        SourceError: Rows do not end where their event ends.

    """
    place, event = starts, np.arange(len(starts))
    events: list[Int64s] = []
    image_starts: list[Int64s] = []
    pieces: list[list[tuple[Int64s, Int64s, Bools]]] = [[] for _ in columns]
    while len(place):
        for _ in range(images_per_row):
            if int(place.max()) >= len(buffer):
                raise SourceError("a rows event is shorter than its rows: the binlog was misread")
            events.append(event)
            image_starts.append(place)
            place, found = _walk_image(buffer, place, columns)
            for piece, values in zip(pieces, found, strict=True):
                piece.append(values)
        if bool((place > ends[event]).any()):
            raise SourceError("a rows event is shorter than its rows: the binlog was misread")
        more = place < ends[event]
        if not bool(more.all()):
            place, event = place[more], event[more]
    if not events:
        nothing = np.empty(0, np.int64)
        empty = ByteColumn(buffer, nothing, nothing, np.empty(0, np.bool_))
        return RowImages(nothing, nothing, tuple(empty for _ in columns))
    event = np.concatenate(events)
    order = np.argsort(event, kind="stable")
    return RowImages(
        event[order],
        np.concatenate(image_starts)[order],
        tuple(
            ByteColumn(buffer, *(np.concatenate(part)[order] for part in zip(*piece, strict=True))) for piece in pieces
        ),
    )
