"""TABLE_MAP events: which table the rows after it belong to, and the name, type and layout of each column.

The server must write them with binlog_row_metadata=FULL: then every event says what its columns were called at that
moment, and no later ALTER TABLE can make values slide under other names.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

import pyarrow as pa
from shoplake_mysql.column_types import ColumnType, arrow_type_of
from shoplake_mysql.errors import UnsupportedColumnError

from shoplake_replication.charsets import decoder_of
from shoplake_replication.decimal_layout import decimal_width
from shoplake_replication.errors import SourceSettingError

__all__ = ["Dialect", "TableMap", "WireColumn", "WireType", "parse_table_map", "table_name_of"]

_T = TypeVar("_T")
_BINARY_CHARSET = "binary"


class WireType(IntEnum):
    """Column types in the binlog."""

    TINY = 1
    SHORT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    LONGLONG = 8
    INT24 = 9
    DATE = 10
    YEAR = 13
    NEWDATE = 14
    VARCHAR = 15
    BIT = 16
    TIMESTAMP2 = 17
    DATETIME2 = 18
    TIME2 = 19
    JSON = 245
    NEWDECIMAL = 246
    ENUM = 247
    SET = 248
    BLOB = 252
    VAR_STRING = 253
    STRING = 254
    GEOMETRY = 255


class _Metadata(IntEnum):
    """Fields of the optional metadata."""

    SIGNEDNESS = 1
    DEFAULT_CHARSET = 2
    COLUMN_CHARSET = 3
    COLUMN_NAME = 4
    SET_MEMBERS = 5
    ENUM_MEMBERS = 6
    SIMPLE_PRIMARY_KEY = 8
    PRIMARY_KEY_WITH_PREFIX = 9
    ENUM_AND_SET_DEFAULT_CHARSET = 10
    ENUM_AND_SET_COLUMN_CHARSET = 11
    VISIBILITY = 12


_METADATA_BYTES = {
    **dict.fromkeys((1, 2, 3, 8, 9, 10, 13, 14), 0),
    **dict.fromkeys((4, 5, 17, 18, 19, 245, 252, 255), 1),
    **dict.fromkeys((15, 16, 246, 253, 254, 247, 248), 2),
}
_FIXED_WIDTHS = {1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 8: 8, 9: 3, 10: 3, 13: 1, 14: 3}
_NAMES = {
    1: "tinyint", 2: "smallint", 3: "int", 4: "float", 5: "double", 8: "bigint", 9: "mediumint", 10: "date",
    13: "year", 14: "date", 16: "bit", 17: "timestamp", 18: "datetime", 19: "time", 245: "json", 246: "decimal",
    247: "enum", 248: "set", 255: "geometry",
}  # fmt: skip
_NUMERIC = frozenset({1, 2, 3, 4, 5, 8, 9, 246})
_TEXTUAL = frozenset({15, 252, 253, 254})
_NUMERIC_ON_MARIADB = _NUMERIC | {13}  # its metadata also lists a sign for YEAR
_TEXTUAL_ON_MARIADB = _TEXTUAL | {255}  # ... and a collation for GEOMETRY
_BLOB_SIZES = {1: "tiny", 2: "", 3: "medium", 4: "long"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What a reader of the binlog must know of the server that wrote it.

    Attributes:
        mariadb: Whether it is MariaDB.
        charset_of_collation: Collation id -> character set.

    """

    mariadb: bool
    charset_of_collation: Mapping[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireColumn:
    """One column of a rows event.

    Attributes:
        name: Name at that moment.
        wire_type: Type in the binlog.
        type: MySQL's type, as the snapshot's reader knows it.
        arrow_type: Type in bronze.
        width: Bytes of a value; 0 where a length stands before each.
        prefix_width: Bytes of that length; 0 for fixed widths.
        visible: False for an invisible column (MySQL only).

    """

    name: str
    wire_type: WireType
    type: ColumnType
    arrow_type: pa.DataType
    width: int
    prefix_width: int
    visible: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class TableMap:
    """The table and columns of the rows events that follow. Compared by identity: equal bodies share one object.

    Attributes:
        schema: MySQL schema.
        table: Table name.
        columns: All, in the rows' order.
        primary_key: Names of the key's columns; () for none.

    """

    schema: str
    table: str
    columns: tuple[WireColumn, ...]
    primary_key: tuple[str, ...]


class _Reader:
    """A cursor over bytes."""

    def __init__(self, data: bytes, place: int = 0) -> None:
        self.data = data
        self.place = place

    def take(self, count: int) -> bytes:
        piece = self.data[self.place : self.place + count]
        self.place += count
        return piece

    def number(self) -> int:
        """A length-encoded integer."""
        first = self.data[self.place]
        self.place += 1
        if first < 251:
            return first
        return int.from_bytes(self.take({252: 2, 253: 3, 254: 8}[first]), "little")

    def text(self) -> bytes:
        """A length-encoded string."""
        return self.take(self.number())

    @property
    def more(self) -> bool:
        return self.place < len(self.data)


def table_name_of(body: bytes) -> tuple[str, str, int]:
    """(schema, table, offset after them) of a TABLE_MAP's body without its table id."""
    schema_length = body[2]
    place = 3 + schema_length + 1
    table_length = body[place]
    schema = body[3 : 3 + schema_length].decode("utf-8")
    table = body[place + 1 : place + 1 + table_length].decode("utf-8")
    return schema, table, place + 1 + table_length + 1


def _layout(wire_type: int, metadata: bytes) -> tuple[int, int, int]:
    """(true type, width, prefix width)."""
    if wire_type == WireType.STRING:
        high, low = metadata[0], metadata[1]
        if high in {WireType.ENUM, WireType.SET}:
            return high, low, 0
        length = low | ((high & 0x30) ^ 0x30) << 4
        return wire_type, 0, 2 if length > 255 else 1
    if wire_type in {WireType.VARCHAR, WireType.VAR_STRING}:
        return wire_type, 0, 2 if int.from_bytes(metadata, "little") > 255 else 1
    if wire_type in {WireType.BLOB, WireType.JSON, WireType.GEOMETRY}:
        return wire_type, 0, metadata[0]
    if wire_type == WireType.BIT:
        return wire_type, metadata[1] + (metadata[0] > 0), 0
    if wire_type == WireType.NEWDECIMAL:
        return wire_type, decimal_width(metadata[0], metadata[1]), 0
    if wire_type in {WireType.TIMESTAMP2, WireType.DATETIME2, WireType.TIME2}:
        whole = {WireType.TIMESTAMP2: 4, WireType.DATETIME2: 5, WireType.TIME2: 3}[WireType(wire_type)]
        return wire_type, whole + (metadata[0] + 1) // 2, 0
    return wire_type, _FIXED_WIDTHS[wire_type], 0


def _column_type(
    wire_type: int, metadata: bytes, *, unsigned: bool, charset: str, members: tuple[str, ...]
) -> ColumnType:
    precision = scale = 0
    name = _NAMES.get(wire_type, "")
    if wire_type in {WireType.STRING, WireType.VARCHAR, WireType.VAR_STRING}:
        binary = charset == _BINARY_CHARSET
        if wire_type == WireType.STRING:
            name = "binary" if binary else "char"
            precision = metadata[1] | ((metadata[0] & 0x30) ^ 0x30) << 4
        else:
            name = "varbinary" if binary else "varchar"
    elif wire_type == WireType.BLOB:
        name = _BLOB_SIZES[metadata[0]] + ("blob" if charset == _BINARY_CHARSET else "text")
    elif wire_type == WireType.BIT:
        precision = metadata[1] * 8 + metadata[0]
    elif wire_type == WireType.NEWDECIMAL:
        precision, scale = metadata[0], metadata[1]
    elif wire_type in {WireType.TIMESTAMP2, WireType.DATETIME2, WireType.TIME2}:
        precision = metadata[0]
    return ColumnType(name=name, unsigned=unsigned, precision=precision, scale=scale, charset=charset, members=members)


def _optional(reader: _Reader) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    while reader.more:
        kind = reader.take(1)[0]
        fields[kind] = reader.text()
    return fields


def _numbers(data: bytes) -> list[int]:
    reader, numbers = _Reader(data), []
    while reader.more:
        numbers.append(reader.number())
    return numbers


def _bits(data: bytes) -> list[bool]:
    return [bool(byte >> (7 - bit) & 1) for byte in data for bit in range(8)]


def _charsets(fields: Mapping[int, bytes], default_field: int, column_field: int, count: int) -> list[int]:
    """Collation of each of `count` columns."""
    if column_field in fields:
        return _numbers(fields[column_field])
    if default_field not in fields:
        return []
    default, *pairs = _numbers(fields[default_field])
    collations = [default] * count
    for index, collation in zip(pairs[::2], pairs[1::2], strict=True):
        collations[index] = collation
    return collations


def _member_lists(data: bytes) -> list[list[bytes]]:
    reader, lists = _Reader(data), []
    while reader.more:
        lists.append([reader.text() for _ in range(reader.number())])
    return lists


def _unsupported(table: str, name: str, wire_type: int) -> UnsupportedColumnError:
    return UnsupportedColumnError(
        f"column {table}.{name} has binlog type {wire_type}, which is not known here",
        hint="exclude the table, or change the column's type (MariaDB's COMPRESSED, MySQL's VECTOR, temporal types of before 5.6)",
        table=table,
        column=name,
        type=wire_type,
    )


def parse_table_map(body: bytes, dialect: Dialect) -> TableMap:
    """The table map of an event's body without its table id.

    Args:
        body: Flags, names, types and metadata.
        dialect: Of the server that wrote it.

    Raises:
        SourceSettingError: It holds no column names (binlog_row_metadata is not FULL).
        UnsupportedColumnError: A column's type is not known.

    """
    schema, table, place = table_name_of(body)
    full_name = f"{schema}.{table}"
    reader = _Reader(body, place)
    count = reader.number()
    wire_types = list(reader.take(count))
    metadata_reader = _Reader(reader.text())
    reader.take((count + 7) // 8)
    fields = _optional(reader)
    if _Metadata.COLUMN_NAME not in fields:
        raise SourceSettingError(
            f"the binlog holds no column names for {full_name}: binlog_row_metadata was not FULL when it was written",
            hint="SET GLOBAL binlog_row_metadata = FULL, reconnect all writers, then reload the tables",
            setting="binlog_row_metadata",
        )
    name_reader = _Reader(fields[_Metadata.COLUMN_NAME])
    names = [name_reader.text().decode("utf-8") for _ in range(count)]
    metadata, layouts = [], []
    for name, wire_type in zip(names, wire_types, strict=True):
        if wire_type not in _METADATA_BYTES:
            raise _unsupported(full_name, name, wire_type)
        metadata.append(metadata_reader.take(_METADATA_BYTES[wire_type]))
        layouts.append(_layout(wire_type, metadata[-1]))
    numeric, with_charset = (_NUMERIC_ON_MARIADB, _TEXTUAL_ON_MARIADB) if dialect.mariadb else (_NUMERIC, _TEXTUAL)
    unsigned = _by_column(layouts, numeric, _bits(fields.get(_Metadata.SIGNEDNESS, b"")))
    textual = [index for index, layout in enumerate(layouts) if layout[0] in with_charset]
    charsets = dict(
        zip(textual, _charsets(fields, _Metadata.DEFAULT_CHARSET, _Metadata.COLUMN_CHARSET, len(textual)), strict=True)
    )
    listed = [index for index, layout in enumerate(layouts) if layout[0] in {WireType.ENUM, WireType.SET}]
    charsets |= dict(
        zip(
            listed,
            _charsets(
                fields, _Metadata.ENUM_AND_SET_DEFAULT_CHARSET, _Metadata.ENUM_AND_SET_COLUMN_CHARSET, len(listed)
            ),
            strict=True,
        )
    )
    members = _by_column(layouts, {WireType.ENUM}, _member_lists(fields.get(_Metadata.ENUM_MEMBERS, b"")))
    members |= _by_column(layouts, {WireType.SET}, _member_lists(fields.get(_Metadata.SET_MEMBERS, b"")))
    visible = _bits(fields[_Metadata.VISIBILITY]) if _Metadata.VISIBILITY in fields else [True] * count
    columns = []
    for index, (name, (wire_type, width, prefix_width)) in enumerate(zip(names, layouts, strict=True)):
        charset = dialect.charset_of_collation.get(charsets[index], "") if index in charsets else ""
        if index in charsets and not charset:
            raise UnsupportedColumnError(
                f"column {full_name}.{name} has collation {charsets[index]}, which the server does not list",
                hint="reload the table",
                table=full_name,
                column=name,
            )
        column_type = _column_type(
            wire_type,
            metadata[index],
            unsigned=unsigned.get(index, False),
            charset=charset,
            members=tuple(_decode_member(member, charset) for member in members.get(index, [])),
        )
        arrow_type = arrow_type_of(column_type)
        if arrow_type is None:
            raise _unsupported(full_name, name, wire_type)
        columns.append(
            WireColumn(
                name=name,
                wire_type=WireType(wire_type),
                type=column_type,
                arrow_type=arrow_type,
                width=width,
                prefix_width=prefix_width,
                visible=visible[index],
            )
        )
    return TableMap(schema, table, tuple(columns), tuple(names[index] for index in _key_indices(fields)))


def _by_column(layouts: list[tuple[int, int, int]], kinds: Collection[int], values: list[_T]) -> dict[int, _T]:
    """Column index -> its value, where the event lists values only for columns of some kinds."""
    indices = [index for index, layout in enumerate(layouts) if layout[0] in kinds]
    return dict(zip(indices, values, strict=False))  # sign bits are padded to whole bytes


def _decode_member(member: bytes, charset: str) -> str:
    decode = decoder_of(charset)
    return decode(member) if decode else member.decode("utf-8")


def _key_indices(fields: Mapping[int, bytes]) -> list[int]:
    if _Metadata.SIMPLE_PRIMARY_KEY in fields:
        return _numbers(fields[_Metadata.SIMPLE_PRIMARY_KEY])
    return _numbers(fields.get(_Metadata.PRIMARY_KEY_WITH_PREFIX, b""))[::2]
