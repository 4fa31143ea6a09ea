"""MySQL's binary JSON -> the text that MySQL itself prints for it. MariaDB's JSON is text in the binlog already."""

import base64
import struct
from collections.abc import Iterator

from shoplake_core.errors import SourceError

from shoplake_replication.decimal_layout import decimal_groups

__all__ = ["text_of_json_double", "text_of_jsonb"]

_SMALL_OBJECT, _LARGE_OBJECT, _SMALL_ARRAY, _LARGE_ARRAY = 0, 1, 2, 3
_LITERAL, _INT16, _UINT16, _INT32, _UINT32, _INT64, _UINT64, _DOUBLE, _STRING, _OPAQUE = (
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    15,
)
_LITERALS = {0: "null", 1: "true", 2: "false"}
_NUMBERS = {_INT16: "<h", _UINT16: "<H", _INT32: "<i", _UINT32: "<I", _INT64: "<q", _UINT64: "<Q"}
_INLINE_SMALL = frozenset({_LITERAL, _INT16, _UINT16})
_INLINE_LARGE = frozenset({_LITERAL, _INT16, _UINT16, _INT32, _UINT32})
_OPAQUE_DECIMAL, _OPAQUE_DATE, _OPAQUE_TIME = 246, 10, 11
_OPAQUE_INSTANTS = frozenset({7, 12})  # TIMESTAMP, DATETIME
_POINT_MAX = 15  # MySQL writes a double without exponent while the point stands within so many digits
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPES |= {chr(code): f"\\u{code:04x}" for code in range(32) if chr(code) not in _ESCAPES}
_TABLE = str.maketrans(_ESCAPES)


def _quoted(data: bytes) -> str:
    return '"' + data.decode("utf-8").translate(_TABLE) + '"'


def text_of_json_double(value: float) -> str:
    """A double as MySQL's JSON prints it: shortest digits, `.0` on whole numbers, exponent only far out."""
    mantissa, _, exponent = f"{value!r}".partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, part = mantissa.lstrip("-").partition(".")
    digits = (whole + part).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + part) - len(digits))
    digits = digits.rstrip("0")
    if not digits:
        return f"{sign}0.0"
    if 1 - _POINT_MAX <= point <= _POINT_MAX:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        if len(digits) <= point:
            return f"{sign}{digits}{'0' * (point - len(digits))}.0"
        return f"{sign}{digits[:point]}.{digits[point:]}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1}"


def _variable_length(data: bytes, place: int) -> tuple[int, int]:
    """(length, offset behind it): seven bits a byte, lowest first."""
    length = shift = 0
    while True:
        byte = data[place]
        place += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            return length, place
        shift += 7


def _decimal(data: bytes) -> str:
    precision, scale = data[0], data[1]
    packed = bytearray(data[2:])
    negative = not packed[0] & 0x80
    if negative:
        packed = bytearray(byte ^ 0xFF for byte in packed)
    packed[0] &= 0x7F
    place, number = 0, ""
    for width, digits in decimal_groups(precision, scale):
        number += f"{int.from_bytes(packed[place : place + width], 'big'):0{digits}d}"
        place += width
    whole = number[: precision - scale].lstrip("0") or "0"
    return ("-" if negative else "") + (f"{whole}.{number[precision - scale :]}" if scale else whole)


def _temporal(kind: int, data: bytes) -> str:
    packed = int.from_bytes(data[:8], "little", signed=True)
    sign, packed = ("-" if packed < 0 else ""), abs(packed)
    micros, whole = packed & 0xFFFFFF, packed >> 24
    second, minute = whole & 63, whole >> 6 & 63
    if kind == _OPAQUE_TIME:
        return f'"{sign}{whole >> 12 & 1023:02d}:{minute:02d}:{second:02d}.{micros:06d}"'
    day, months, hour = whole >> 17 & 31, whole >> 22, whole >> 12 & 31
    date = f"{months // 13:04d}-{months % 13:02d}-{day:02d}"
    return f'"{date}"' if kind == _OPAQUE_DATE else f'"{date} {hour:02d}:{minute:02d}:{second:02d}.{micros:06d}"'


def _opaque(data: bytes, place: int) -> str:
    kind = data[place]
    length, start = _variable_length(data, place + 1)
    value = data[start : start + length]
    if kind == _OPAQUE_DECIMAL:
        return _decimal(value)
    if kind in _OPAQUE_INSTANTS or kind in {_OPAQUE_DATE, _OPAQUE_TIME}:
        return _temporal(kind, value)
    return f'"base64:type{kind}:{base64.b64encode(value).decode("ascii")}"'


def _entries(data: bytes, place: int, kind: int) -> Iterator[tuple[str, str]]:
    """(key, value) texts of an object or array that begins at `place`."""
    large, is_object = kind in {_LARGE_OBJECT, _LARGE_ARRAY}, kind in {_SMALL_OBJECT, _LARGE_OBJECT}
    width, number, inline = (4, "<I", _INLINE_LARGE) if large else (2, "<H", _INLINE_SMALL)
    count = struct.unpack_from(number, data, place)[0]
    keys = place + 2 * width
    values = keys + (count * (width + 2) if is_object else 0)
    for index in range(count):
        name = ""
        if is_object:
            entry = keys + index * (width + 2)
            start = place + struct.unpack_from(number, data, entry)[0]
            name = _quoted(data[start : start + struct.unpack_from("<H", data, entry + width)[0]])
        entry = values + index * (width + 1)
        inner = data[entry]
        if inner in inline:
            yield name, _value(data, entry + 1, inner)
        else:
            yield name, _value(data, place + struct.unpack_from(number, data, entry + 1)[0], inner)


def _value(data: bytes, place: int, kind: int) -> str:
    if kind in {_SMALL_OBJECT, _LARGE_OBJECT}:
        return "{" + ", ".join(f"{name}: {value}" for name, value in _entries(data, place, kind)) + "}"
    if kind in {_SMALL_ARRAY, _LARGE_ARRAY}:
        return "[" + ", ".join(value for _, value in _entries(data, place, kind)) + "]"
    if kind == _LITERAL:
        return _LITERALS[data[place]]
    if kind in _NUMBERS:
        return str(struct.unpack_from(_NUMBERS[kind], data, place)[0])
    if kind == _DOUBLE:
        return text_of_json_double(struct.unpack_from("<d", data, place)[0])
    if kind == _STRING:
        length, start = _variable_length(data, place)
        return _quoted(data[start : start + length])
    if kind == _OPAQUE:
        return _opaque(data, place)
    raise SourceError(f"binary JSON holds a value of type {kind}, which is not known here", hint="reload the table")


def text_of_jsonb(data: bytes) -> str:
    """The text of a binary JSON document, as SELECT prints it.

    Raises:
        SourceError: It holds a type that is not known.

    """
    return _value(data, 1, data[0]) if data else "null"
