"""A query's rows as raw packets in big chunks: PyMySQL sends it and reads the header, the rows are read here.

One Python step a packet, none a value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymysql
from pymysql.constants import COMMAND
from pymysql.protocol import MysqlPacket
from shoplake_core.errors import ResourceError

from shoplake_mysql.byte_columns import PADDING, ByteColumn, Int64s, Octets

__all__ = ["RowPackets", "read_row_packets", "split_columns"]

_MAX_PAYLOAD_BYTES = 0xFFFFFF
_READ_BYTES = 1 << 20
_CHUNK_BYTES = 16 << 20
_EOF_MARK = 0xFE
_ERROR_MARK = 0xFF
_EOF_MAX_BYTES = 9
_NULL_MARK = 251


@dataclass(frozen=True, slots=True)
class RowPackets:
    """Some rows: where each packet's payload lies in one buffer."""

    buffer: Octets
    starts: Int64s
    ends: Int64s


def _send(connection: "pymysql.connections.Connection[Any]", sql: str) -> int:
    """The number of columns; the socket then stands before the first row."""
    wire: Any = connection
    try:
        wire._execute_command(COMMAND.COM_QUERY, sql)  # noqa: SLF001 - login and framing are PyMySQL's, rows are ours
        first = wire._read_packet()  # noqa: SLF001 - as above
        count = int(first.read_length_encoded_integer())
        for _ in range(count + 1):  # the definitions and the packet that ends them
            wire._read_packet()  # noqa: SLF001 - as above
    except pymysql.MySQLError as error:
        raise ResourceError(f"MySQL refused {sql[:200]!r}: {error}") from error
    return count


class _Chunk:
    """Packets found so far in one stretch of the stream."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.long_rows: list[bytes] = []

    def packets(self, data: bytes) -> RowPackets:
        """What was found in `data`; rows of several packets are put together behind it."""
        place = len(data)
        starts, ends = self.starts, self.ends
        for row in self.long_rows:
            starts.append(place)
            place += len(row)
            ends.append(place)
        buffer = np.frombuffer(b"".join([data, *self.long_rows, PADDING]), np.uint8)
        return RowPackets(buffer, np.array(starts, np.int64), np.array(ends, np.int64))


def _long_row(data: bytearray, place: int) -> tuple[bytes, int] | None:
    """A row of several packets and the offset after it; None while it is not all there."""
    parts = []
    while True:
        if len(data) < place + 4:
            return None
        length = int.from_bytes(data[place : place + 3], "little")
        if len(data) < place + 4 + length:
            return None
        parts.append((place + 4, place + 4 + length))
        place += 4 + length
        if length < _MAX_PAYLOAD_BYTES:
            return b"".join(data[start:end] for start, end in parts), place


def _scan(data: bytearray, place: int, chunk: _Chunk, max_rows: int) -> tuple[int, bytes | None]:
    """Offset of the first byte not used, and the payload of the packet that ends the result if it was reached."""
    size = len(data)
    starts, ends = chunk.starts, chunk.ends
    while place + 4 <= size and len(starts) < max_rows:
        length = data[place] | data[place + 1] << 8 | data[place + 2] << 16
        end = place + 4 + length
        if length == _MAX_PAYLOAD_BYTES:
            found = _long_row(data, place)
            if found is not None:
                chunk.long_rows.append(found[0])  # ends the chunk: it stands behind the rows before it
                place = found[1]
            break
        if end > size:
            break
        mark = data[place + 4] if length else 0
        if mark == _ERROR_MARK or (mark == _EOF_MARK and length < _EOF_MAX_BYTES):
            return end, bytes(data[place + 4 : end])
        starts.append(place + 4)
        ends.append(end)
        place = end
    return place, None


def _broken_off(sql: str, packet: bytes) -> ResourceError | None:
    """The error that ended a result; None where it came to its proper end."""
    if packet[0] != _ERROR_MARK:
        return None
    try:
        MysqlPacket(packet, "utf8mb4").raise_for_error()
    except pymysql.MySQLError as error:
        return ResourceError(f"MySQL broke off {sql[:200]!r}: {error}")
    return None


def read_row_packets(
    connection: "pymysql.connections.Connection[Any]", sql: str, *, max_rows: int
) -> Iterator[RowPackets]:
    """The rows of a SELECT as packets, at most `max_rows` or some 16 MB (or one longer row) a time.

    The connection is closed when the reader is abandoned before the last row.

    Raises:
        ResourceError: The server refused the query, or broke off.

    """
    _send(connection, sql)
    wire: Any = connection
    stream = wire._rfile  # noqa: SLF001 - the buffered socket, plain or TLS
    data, place, chunk = bytearray(), 0, _Chunk()
    last: bytes | None = None
    try:
        while last is None:
            place, last = _scan(data, place, chunk, max_rows)
            full = len(chunk.starts) >= max_rows or chunk.long_rows or place >= _CHUNK_BYTES
            if full or last is not None:
                if chunk.starts or chunk.long_rows:
                    yield chunk.packets(bytes(data[:place]))
                del data[:place]
                place, chunk = 0, _Chunk()
                continue
            piece = stream.read1(_READ_BYTES)
            if not piece:
                raise ResourceError("the server closed the connection in the middle of a result")
            data += piece
    except OSError as error:
        raise ResourceError(f"the connection broke in the middle of a result: {error}") from error
    finally:
        if last is None:
            wire._force_close()  # noqa: SLF001 - rows are still under way: nothing else can use it
    failure = _broken_off(sql, last)
    if failure is not None:
        raise failure


def _lengths(buffer: Octets, place: Int64s) -> tuple[Int64s, Int64s]:
    """(header bytes, value bytes) of the length-encoded strings that start there; -1 for NULL."""
    first = buffer[place].astype(np.int64)
    header = np.ones(len(place), np.int64)
    lengths = first.copy()
    if bool((first >= _NULL_MARK).any()):
        lengths[first == _NULL_MARK] = -1
        for mark, width in ((252, 2), (253, 3), (254, 8)):
            rows = np.flatnonzero(first == mark)
            if rows.size:
                digits = buffer[place[rows, None] + 1 + np.arange(width)].astype(np.int64)
                lengths[rows] = (digits << (8 * np.arange(width))).sum(axis=1)
                header[rows] = 1 + width
    return header, lengths


def split_columns(packets: RowPackets, column_count: int) -> list[ByteColumn]:
    """The values of each column.

    Raises:
        ResourceError: A packet does not hold that many values.

    """
    place = packets.starts.copy()
    columns = []
    for _ in range(column_count):
        header, lengths = _lengths(packets.buffer, place)
        valid = lengths >= 0
        lengths[~valid] = 0
        place = place + header
        columns.append(ByteColumn(packets.buffer, place, lengths, valid))
        place = place + lengths
    if not np.array_equal(place, packets.ends):
        raise ResourceError(f"a row does not hold {column_count} values: the protocol was misread")
    return columns
