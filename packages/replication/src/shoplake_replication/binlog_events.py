"""The binlog's event types and the small events, parsed from bytes. Knows nothing of sockets or rows."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

__all__ = ["HEADER_BYTES", "IGNORABLE_FLAG", "EventType", "QueryEvent", "RawEvent", "parse_query", "parse_rotate"]

HEADER_BYTES = 19
IGNORABLE_FLAG = 0x80
ARTIFICIAL_FLAG = 0x20


class EventType(IntEnum):
    """Types of both flavours that are named in the code; all others are unknown to it."""

    QUERY = 2
    STOP = 3
    ROTATE = 4
    FORMAT_DESCRIPTION = 15
    XID = 16
    TABLE_MAP = 19
    WRITE_ROWS_V1 = 23
    UPDATE_ROWS_V1 = 24
    DELETE_ROWS_V1 = 25
    INCIDENT = 26
    HEARTBEAT = 27
    ROWS_QUERY = 29
    WRITE_ROWS_V2 = 30
    UPDATE_ROWS_V2 = 31
    DELETE_ROWS_V2 = 32
    GTID = 33
    ANONYMOUS_GTID = 34
    PREVIOUS_GTIDS = 35
    TRANSACTION_CONTEXT = 36
    VIEW_CHANGE = 37
    XA_PREPARE = 38
    PARTIAL_UPDATE_ROWS = 39
    TRANSACTION_PAYLOAD = 40
    HEARTBEAT_V2 = 41
    GTID_TAGGED = 42
    MARIADB_ANNOTATE_ROWS = 160
    MARIADB_BINLOG_CHECKPOINT = 161
    MARIADB_GTID = 162
    MARIADB_GTID_LIST = 163
    MARIADB_START_ENCRYPTION = 164
    MARIADB_QUERY_COMPRESSED = 165
    MARIADB_WRITE_ROWS_COMPRESSED_V1 = 166
    MARIADB_UPDATE_ROWS_COMPRESSED_V1 = 167
    MARIADB_DELETE_ROWS_COMPRESSED_V1 = 168


class RawEvent(NamedTuple):
    """One event as it came, its checksum verified and cut off.

    Attributes:
        type: The number of its type; not all are in `EventType`.
        timestamp: Seconds since 1970 by the source's clock.
        flags: Of the header.
        start: Byte offset of the event in its file, in 64 bits.
        end: Offset of what follows it.
        body: All after the header.
        file: Name of the binlog file.
        file_number: The number that ends it.

    """

    type: int
    timestamp: int
    flags: int
    start: int
    end: int
    body: bytes
    file: str
    file_number: int


@dataclass(frozen=True, slots=True)
class QueryEvent:
    """A statement: transaction control or DDL, in row format."""

    schema: str
    sql: str


def parse_query(body: bytes) -> QueryEvent:
    """The statement of a QUERY event."""
    schema_length, status_length = body[8], struct.unpack_from("<H", body, 11)[0]
    place = 13 + status_length
    schema = body[place : place + schema_length].decode("utf-8", "replace")
    return QueryEvent(schema, body[place + schema_length + 1 :].decode("utf-8", "replace"))


def parse_rotate(body: bytes) -> tuple[str, int]:
    """(file, offset) where the binlog goes on."""
    return body[8:].decode("utf-8"), int.from_bytes(body[:8], "little")


def commit_microseconds(body: bytes) -> int:
    """The commit time in a MySQL GTID event (8.0 and later), microseconds since 1970; 0 where it holds none."""
    # flags 1, uuid 16, gno 8, logical clock type 1 + 16, then 7 bytes with the sign bit for "original differs"
    place = 1 + 16 + 8 + 17
    if len(body) < place + 7 or body[25] != 2:
        return 0
    return int.from_bytes(body[place : place + 7], "little") & ~(1 << 55)
