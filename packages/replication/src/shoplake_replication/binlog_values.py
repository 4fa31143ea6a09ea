"""The binlog's values -> Arrow, a column at a time, bit-equal with what the snapshot's reader gives for the same row."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from shoplake_core.errors import SourceError
from shoplake_mysql.byte_columns import (
    AnyArray,
    ByteColumn,
    Int64s,
    binary_array,
    fixed_width_array,
    octets_at,
    validity,
)
from shoplake_mysql.calendar_values import days_since_1970, is_real_date, microseconds_since_1970
from shoplake_mysql.column_types import UTC_TIMESTAMP

from shoplake_replication.charsets import ASCII_SUPERSETS, UTF8_CHARSETS, decoder_of
from shoplake_replication.decimal_layout import decimal_groups
from shoplake_replication.jsonb import text_of_jsonb
from shoplake_replication.table_map import WireColumn, WireType

__all__ = ["array_of_binlog"]

_INT64_DIGITS = 18


def _big_endian(column: ByteColumn, width: int) -> Int64s:
    octets = octets_at(column, width)
    value = np.zeros(len(octets), np.int64)
    for byte in range(width):
        value = value << 8 | octets[:, byte]
    return value


def _little_endian(column: ByteColumn, width: int) -> Int64s:
    octets = octets_at(column, width)
    value = np.zeros(len(octets), np.int64)
    for byte in reversed(range(width)):
        value = value << 8 | octets[:, byte]
    return value


def _fraction(column: ByteColumn, whole_width: int, digits: int) -> Int64s:
    """Microseconds that stand behind the whole seconds."""
    width = (digits + 1) // 2
    if not width:
        return np.zeros(len(column.starts), np.int64)
    behind = ByteColumn(column.buffer, column.starts + whole_width, column.lengths, column.valid)
    fraction: Int64s = _big_endian(behind, width) * 10 ** (6 - 2 * width)
    return fraction


def _integers(column: ByteColumn, wire: WireColumn) -> AnyArray:
    octets = octets_at(column, wire.width)
    if wire.width == 3:
        wide = np.zeros((len(octets), 4), np.uint8)
        if wire.type.unsigned:
            wide[:, :3] = octets
            return fixed_width_array(wide.view("<u4").ravel(), column.valid, wire.arrow_type)
        wide[:, 1:] = octets
        return fixed_width_array(wide.view("<i4").ravel() >> 8, column.valid, wire.arrow_type)
    return fixed_width_array(np.ascontiguousarray(octets), column.valid, wire.arrow_type)


def _doubles(column: ByteColumn, wire: WireColumn) -> AnyArray:
    octets = np.ascontiguousarray(octets_at(column, wire.width))
    values = octets.view("<f4" if wire.width == 4 else "<f8").ravel().astype(np.float64)
    return fixed_width_array(values, column.valid, pa.float64())


def _years(column: ByteColumn, _wire: WireColumn) -> AnyArray:
    years = octets_at(column, 1)[:, 0].astype(np.int16)
    return fixed_width_array(np.where(years == 0, 0, years + 1900).astype(np.int16), column.valid, pa.int16())


def _dates(column: ByteColumn, _wire: WireColumn) -> AnyArray:
    packed = _little_endian(column, 3)
    year, month, day = packed >> 9, packed >> 5 & 15, packed & 31
    valid = column.valid & is_real_date(year, month, day)
    days = np.where(valid, days_since_1970(year, month, day), 0)
    return fixed_width_array(days.astype(np.int32), valid, pa.date32())


def _datetimes(column: ByteColumn, wire: WireColumn) -> AnyArray:
    packed = _big_endian(column, 5) - 0x8000000000
    months = packed >> 22
    year, month, day = months // 13, months % 13, packed >> 17 & 31
    valid = column.valid & is_real_date(year, month, day)
    micros = microseconds_since_1970(
        days_since_1970(year, month, day),
        (packed >> 12 & 31, packed >> 6 & 63, packed & 63),
        _fraction(column, 5, wire.type.precision),
    )
    return fixed_width_array(np.where(valid, micros, 0), valid, UTC_TIMESTAMP)


def _timestamps(column: ByteColumn, wire: WireColumn) -> AnyArray:
    micros = _big_endian(column, 4) * 1_000_000 + _fraction(column, 4, wire.type.precision)
    return fixed_width_array(micros, column.valid & (micros != 0), UTC_TIMESTAMP)  # 0 is '0000-00-00 00:00:00'


def _times(column: ByteColumn, wire: WireColumn) -> AnyArray:
    digits = wire.type.precision
    behind = (digits + 1) // 2
    packed = _big_endian(column, 3 + behind) - (0x800000 << 8 * behind)
    size = np.abs(packed)
    fraction = (size & ((1 << 8 * behind) - 1)) * 10 ** (6 - 2 * behind)
    clock = size >> 8 * behind
    parts = zip(packed < 0, clock >> 12 & 1023, clock >> 6 & 63, clock & 63, fraction, column.valid, strict=True)
    texts = [
        f"{'-' if negative else ''}{hour:02d}:{minute:02d}:{second:02d}"
        + (f".{micros:06d}"[: 1 + digits] if digits else "")
        if there
        else None
        for negative, hour, minute, second, micros, there in parts
    ]
    return pa.array(texts, pa.string())


def _decimals(column: ByteColumn, wire: WireColumn) -> AnyArray:
    precision, scale = wire.type.precision, wire.type.scale
    octets = octets_at(column, wire.width)
    negative = (octets[:, 0] & 0x80) == 0 if wire.width else np.zeros(len(octets), np.bool_)
    octets = np.where(negative[:, None], octets ^ 0xFF, octets)
    octets[:, 0] &= 0x7F
    place, groups = 0, []
    for width, digits in decimal_groups(precision, scale):
        group = np.zeros(len(octets), np.int64)
        for byte in range(place, place + width):
            group = group << 8 | octets[:, byte]
        groups.append((group, digits))
        place += width
    if precision <= _INT64_DIGITS:
        value = np.zeros(len(octets), np.int64)
        for group, digits in groups:
            value = value * 10**digits + group
        value = np.where(negative, -value, value)
        limbs = np.stack([value, value >> 63], axis=1)
        return pa.Array.from_buffers(
            wire.arrow_type, len(value), [validity(column.valid), pa.py_buffer(limbs.view(np.uint8).data)]
        )
    texts = []
    for row in np.flatnonzero(column.valid).tolist():
        number = "".join(f"{int(group[row]):0{digits}d}" for group, digits in groups)
        whole = number[: precision - scale].lstrip("0") or "0"
        sign = "-" if negative[row] and number.strip("0") else ""
        texts.append(f"{sign}{whole}.{number[precision - scale :]}" if scale else sign + whole)
    values = iter(texts)
    array = pa.array([next(values) if there else None for there in column.valid.tolist()], pa.string())
    return array if pa.types.is_string(wire.arrow_type) else pc.cast(array, wire.arrow_type)


def _bits(column: ByteColumn, wire: WireColumn) -> AnyArray:
    if pa.types.is_boolean(wire.arrow_type):
        return pa.array(octets_at(column, 1)[:, 0] != 0, pa.bool_(), mask=~column.valid)
    return binary_array(column, pa.binary())


def _enums(column: ByteColumn, wire: WireColumn) -> AnyArray:
    index = np.where(column.valid, _little_endian(column, wire.width), 0)
    if len(index) and int(index.max()) > len(wire.type.members):
        raise SourceError(f"column {wire.name} holds member {int(index.max())} of {len(wire.type.members)}")
    members = pa.array(["", *wire.type.members], pa.string())  # 0 is the value of a failed assignment
    return members.take(pa.array(index, pa.int64(), mask=~column.valid))


def _sets(column: ByteColumn, wire: WireColumn) -> AnyArray:
    masks = np.where(column.valid, _little_endian(column, wire.width), 0)
    distinct, inverse = np.unique(masks, return_inverse=True)
    texts = [
        ",".join(member for bit, member in enumerate(wire.type.members) if mask >> bit & 1)
        for mask in distinct.tolist()
    ]
    return pa.array(texts, pa.string()).take(pa.array(inverse, pa.int64(), mask=~column.valid))


def _padded(column: ByteColumn, width: int) -> AnyArray:
    """BINARY(n): the binlog cuts trailing 00, SELECT shows them."""
    count = len(column.starts)
    matrix = np.zeros((count, width), np.uint8)
    longest = int(column.lengths.max()) if count else 0
    inside = np.arange(longest) < column.lengths[:, None]
    rows, places = np.nonzero(inside)
    matrix[rows, places] = column.buffer[column.starts[rows] + places]
    offsets = (np.arange(count + 1) * width).astype(np.int32)
    return pa.Array.from_buffers(
        pa.binary(),
        count,
        [validity(column.valid), pa.py_buffer(offsets.view(np.uint8).data), pa.py_buffer(matrix.ravel().data)],
    )


def _strings(column: ByteColumn, wire: WireColumn) -> AnyArray:
    if wire.type.name == "binary":
        return _padded(column, wire.type.precision)
    if pa.types.is_binary(wire.arrow_type):
        return binary_array(column, pa.binary())
    if wire.type.charset in UTF8_CHARSETS:
        return binary_array(column, pa.string())
    decode = decoder_of(wire.type.charset)
    if decode is None:
        raise SourceError(
            f"column {wire.name} has character set {wire.type.charset}, which is not known here",
            hint="ALTER TABLE ... CONVERT TO CHARACTER SET utf8mb4",
            column=wire.name,
        )
    octets = binary_array(column, pa.binary())
    if (
        wire.type.charset in ASCII_SUPERSETS
        and pc.all(pc.string_is_ascii(octets.cast(pa.string(), safe=False))).as_py() is not False
    ):
        return octets.cast(pa.string())
    return pa.array([None if value is None else decode(value) for value in octets.to_pylist()], pa.string())


def _jsons(column: ByteColumn, _wire: WireColumn) -> AnyArray:
    values = binary_array(column, pa.binary()).to_pylist()
    return pa.array([None if value is None else text_of_jsonb(value) for value in values], pa.string())


def _binaries(column: ByteColumn, _wire: WireColumn) -> AnyArray:
    return binary_array(column, pa.binary())


_DECODERS = {
    WireType.TINY: _integers,
    WireType.SHORT: _integers,
    WireType.INT24: _integers,
    WireType.LONG: _integers,
    WireType.LONGLONG: _integers,
    WireType.FLOAT: _doubles,
    WireType.DOUBLE: _doubles,
    WireType.YEAR: _years,
    WireType.DATE: _dates,
    WireType.NEWDATE: _dates,
    WireType.DATETIME2: _datetimes,
    WireType.TIMESTAMP2: _timestamps,
    WireType.TIME2: _times,
    WireType.NEWDECIMAL: _decimals,
    WireType.BIT: _bits,
    WireType.ENUM: _enums,
    WireType.SET: _sets,
    WireType.VARCHAR: _strings,
    WireType.VAR_STRING: _strings,
    WireType.STRING: _strings,
    WireType.BLOB: _strings,
    WireType.JSON: _jsons,
    WireType.GEOMETRY: _binaries,
}


def array_of_binlog(column: ByteColumn, wire: WireColumn) -> AnyArray:
    """The values of one column in its Arrow type. Zero dates become null.

    Raises:
        SourceError: A value is not what its column's type promises.

    """
    try:
        return _DECODERS[wire.wire_type](column, wire)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise SourceError(
            f"column {wire.name} ({wire.type.name}, {wire.type.charset}) holds a value that is none of its type: {error}",
            hint="mend the value, then reload the table",
            column=wire.name,
        ) from error
