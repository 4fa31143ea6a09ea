"""The binlog as a stream of events, from one position on, over a connection that PyMySQL logged in.

Checks each event's checksum, keeps offsets in 64 bits, and notices silence: the server must send a heartbeat.
"""

import struct
import zlib
from typing import Any

import pymysql
from pymysql.constants import COMMAND
from shoplake_core.clock import Clock
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import ResourceError
from shoplake_core.sequences import BinlogPosition, parse_binlog_position
from shoplake_mysql.connections import connect, execute
from shoplake_mysql.errors import MissingBinlogError

from shoplake_replication.binlog_events import ARTIFICIAL_FLAG, HEADER_BYTES, EventType, RawEvent, parse_rotate
from shoplake_replication.errors import TakenOverError, UnreadableEventError

__all__ = ["BinlogStream", "StreamLostError"]

_READ_BYTES = 1 << 20
_MAX_PAYLOAD_BYTES = 0xFFFFFF
_MAX_DUMP_OFFSET = 0xFFFFFFFF  # the dump command has 32 bits for it
_FILE_START = 4
_CHECKSUM_BYTES = 4
_CHECKSUM_NONE, _CHECKSUM_CRC32 = 0, 1
_MISSED_HEARTBEATS = 3
_READ_ERROR = 1236
_HEARTBEATS = frozenset({int(EventType.HEARTBEAT), int(EventType.HEARTBEAT_V2)})
_unpack_header = struct.Struct("<IBIIIH").unpack_from
_crc32 = zlib.crc32
# As plain numbers: these are compared for every event.
_FORMAT_DESCRIPTION = int(EventType.FORMAT_DESCRIPTION)
_ROTATE = int(EventType.ROTATE)


class StreamLostError(ResourceError):
    """The stream broke or fell silent; starting again from the last position may work."""

    code = "BINLOG_STREAM_LOST"
    retryable = True


def _dump_command(server_id: int, position: BinlogPosition) -> bytes:
    offset = position.offset if position.offset <= _MAX_DUMP_OFFSET else _FILE_START
    return struct.pack("<IHI", offset, 0, server_id) + position.file.encode("utf-8")


def _register_command(server_id: int) -> bytes:
    name = b"shoplake"
    text = bytes([len(name)]) + name + b"\0\0"
    return struct.pack("<I", server_id) + text + struct.pack("<HII", 0, 0, 0)


class BinlogStream:
    """Events after a position.

    Args:
        endpoint: The server; its user needs REPLICATION SLAVE.
        server_id: This reader's id among the server's replicas.
        position: Where to begin: the end of a transaction.
        clock: Tells how long the server has been silent.
        heartbeat_seconds: How often the server says that it is there when it has nothing to send.

    """

    def __init__(
        self,
        endpoint: MySqlEndpoint,
        *,
        server_id: int,
        position: BinlogPosition,
        clock: Clock,
        heartbeat_seconds: float,
    ) -> None:
        self._clock = clock
        self._silence_seconds = heartbeat_seconds * _MISSED_HEARTBEATS
        self._skip_to = position.offset if position.offset > _MAX_DUMP_OFFSET else 0
        self._place(position if not self._skip_to else BinlogPosition(position.file_number, _FILE_START, position.file))
        self.file_created = 0  # seconds since 1970: when the server began the file it now sends; 0 until it says
        self.first_file_created = 0  # the same of the file that the stream began in: one poll may read past its end
        self._has_checksum: bool | None = None  # None until the file's first event says
        self._data = bytearray()
        self._long: list[bytes] = []
        self._connection: Any = connect(endpoint)
        try:
            self._start(server_id, position, heartbeat_seconds)
        except BaseException:
            self.close()
            raise
        self._heard_at = clock.monotonic_seconds()

    def _start(self, server_id: int, position: BinlogPosition, heartbeat_seconds: float) -> None:
        nanoseconds = int(heartbeat_seconds * 1e9)
        identity = f"00000000-0000-0000-0000-{server_id:012d}"
        for name in ("master", "source"):  # MySQL 8.4 knows the new names, all others the old
            execute(self._connection, f"SET @{name}_heartbeat_period = {nanoseconds}")
            execute(self._connection, f"SET @{name}_binlog_checksum = 'CRC32'")
        execute(self._connection, "SET @mariadb_slave_capability = 4")
        execute(self._connection, f"SET @slave_uuid = '{identity}', @replica_uuid = '{identity}'")
        execute(self._connection, "SET SESSION net_write_timeout = 600")
        try:
            self._connection._execute_command(COMMAND.COM_REGISTER_SLAVE, _register_command(server_id))  # noqa: SLF001 - PyMySQL has no name for it
            self._connection._read_packet()  # noqa: SLF001 - as above
            self._connection._execute_command(COMMAND.COM_BINLOG_DUMP, _dump_command(server_id, position))  # noqa: SLF001 - as above
        except pymysql.MySQLError as error:
            raise ResourceError(
                f"the server refused to send its binlog: {error}", hint="GRANT REPLICATION SLAVE to the user"
            ) from error

    def _place(self, position: BinlogPosition) -> None:
        self._file, self._file_number, self._offset = position.file, position.file_number, position.offset

    @property
    def position(self) -> BinlogPosition:
        """Behind the newest event."""
        return BinlogPosition(self._file_number, self._offset, self._file)

    @position.setter
    def position(self, position: BinlogPosition) -> None:
        self._place(position)

    def close(self) -> None:
        """The connection is gone; the server notices with its next event."""
        self._connection._force_close()  # noqa: SLF001 - a polite QUIT would wait behind the stream

    def poll(self, timeout_seconds: float) -> list[RawEvent]:
        """The events that have come, after waiting at most so long for the first; [] where there is none.

        Rotations are followed and reported; heartbeats are not.

        Raises:
            StreamLostError: The connection broke, or the server is silent.
            MissingBinlogError: The server no longer has the file.
            UnreadableEventError: A checksum is wrong.

        """
        socket = self._connection._sock  # noqa: SLF001 - PyMySQL's buffer is empty: a command was sent, nothing read
        if socket is None:
            raise StreamLostError("the stream is closed")
        socket.settimeout(max(timeout_seconds, 0.001))
        try:
            piece = socket.recv(_READ_BYTES)
        except TimeoutError:
            silent_seconds = self._clock.monotonic_seconds() - self._heard_at
            if silent_seconds > self._silence_seconds:
                raise StreamLostError(
                    f"the server has been silent for {silent_seconds:.0f} s, without a heartbeat"
                ) from None
            return []
        except OSError as error:
            raise StreamLostError(f"the binlog stream broke: {error}") from error
        if not piece:
            raise StreamLostError("the server closed the binlog stream")
        self._heard_at = self._clock.monotonic_seconds()
        self._data += piece
        return self._events()

    def _events(self) -> list[RawEvent]:
        head = self._data[:3]
        if len(self._data) < 4 + int.from_bytes(head, "little"):
            return []  # a long packet is under way: it is not copied at each piece that comes
        data, place, size = bytes(self._data), 0, len(self._data)
        events: list[RawEvent] = []
        while place + 4 <= size:
            length = data[place] | data[place + 1] << 8 | data[place + 2] << 16
            end = place + 4 + length
            if end > size:
                break
            if length == _MAX_PAYLOAD_BYTES or self._long:
                self._long.append(data[place + 4 : end])
                place = end
                if length == _MAX_PAYLOAD_BYTES:
                    continue
                payload, self._long = b"".join(self._long), []
                self._add(events, payload, 0, len(payload))
                continue
            self._add(events, data, place + 4, end)
            place = end
        del self._data[:place]
        return events

    def _add(self, events: list[RawEvent], data: bytes, place: int, end: int) -> None:
        """One packet's event, where it is one that the caller wants."""
        if data[place] != 0:
            self._refuse(data[place:end])
        place += 1
        timestamp, kind, _server, length, log_position, flags = _unpack_header(data, place)
        body_end = end
        if length != end - place:
            raise UnreadableEventError(f"an event says {length} bytes and has {end - place}, after {self.position}")
        if kind == _FORMAT_DESCRIPTION:
            self._has_checksum = data[end - _CHECKSUM_BYTES - 1] == _CHECKSUM_CRC32
            body_end = end - _CHECKSUM_BYTES
            self.file_created = timestamp
            self.first_file_created = self.first_file_created or timestamp
        elif self._has_checksum is not False:
            body_end = end - _CHECKSUM_BYTES
            right = _crc32(data[place:body_end]) == int.from_bytes(data[body_end:end], "little")
            if not right and self._has_checksum is None:
                body_end = end
            elif not right:
                raise UnreadableEventError(
                    f"the checksum of an event after {self.position} is wrong",
                    hint="check the server's disk; reload the tables",
                    position=str(self.position),
                )
        body = data[place + HEADER_BYTES : body_end]
        if kind == _ROTATE:
            self._rotate(events, RawEvent(kind, timestamp, flags, 0, 0, body, "", 0), log_position)
            return
        if log_position == 0 or flags & ARTIFICIAL_FLAG or kind in _HEARTBEATS:
            return  # not in the file
        offset = self._offset
        if kind == _FORMAT_DESCRIPTION and offset > _FILE_START:
            return  # sent ahead of a position in the middle
        least_end = offset + length
        event_end = least_end + ((log_position - least_end) & 0xFFFFFFFF)  # the header has the low 32 bits
        self._offset = event_end
        if event_end > self._skip_to:
            start = event_end - length
            events.append(RawEvent(kind, timestamp, flags, start, event_end, body, self._file, self._file_number))

    def _rotate(self, events: list[RawEvent], event: RawEvent, log_position: int) -> None:
        """Follow the server to another file; a rotation that stands in the file is an event of its own."""
        file, offset = parse_rotate(event.body)
        artificial = event.flags & ARTIFICIAL_FLAG or log_position == 0
        if artificial and file == self._file:
            return
        self._place(parse_binlog_position(f"{file}:{offset}"))
        self.file_created = 0  # until the file's first event says
        self._skip_to = 0
        if not artificial:
            events.append(event._replace(end=offset, file=file, file_number=self._file_number))

    def _refuse(self, packet: bytes) -> None:
        """Raises what the server's last packet says."""
        if packet[0] == 0xFE:
            raise StreamLostError("the server ended the binlog stream")
        number = int.from_bytes(packet[1:3], "little")
        text = packet[9:].decode("utf-8", "replace") if packet[3:4] == b"#" else packet[3:].decode("utf-8", "replace")
        if number == _READ_ERROR and "same server" in text:
            raise TakenOverError(
                f"another reader took over this replicator's server id: {text}",
                hint="stop the other one, or give each its own state folder and server_id",
            )
        if number == _READ_ERROR:
            raise MissingBinlogError(
                f"the server cannot send its binlog from {self.position}: {text}",
                hint="reload every table: the changes since then are no longer in the binlog",
                position=str(self.position),
                server_text=text,
            )
        raise StreamLostError(f"the server ended the binlog stream: {text} ({number})", errno=number)
