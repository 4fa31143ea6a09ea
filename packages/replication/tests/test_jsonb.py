"""MySQL's binary JSON as MySQL prints it. The documents were put together by hand from the format's description."""

import struct

import pytest
from shoplake_replication.jsonb import text_of_json_double, text_of_jsonb


def _small_object(pairs):
    """An object of (key, type, inline or bytes)."""
    header = 4 + len(pairs) * 4 + len(pairs) * 3
    keys = b"".join(key for key, _, _ in pairs)
    values, entries, key_entries, place = b"", b"", b"", header
    for key, _, _ in pairs:
        key_entries += struct.pack("<HH", place, len(key))
        place += len(key)
    for _, kind, value in pairs:
        if isinstance(value, bytes):
            entries += struct.pack("<BH", kind, header + len(keys) + len(values))
            values += value
        else:
            entries += struct.pack("<BH", kind, value)
    return struct.pack("<HH", len(pairs), header + len(keys) + len(values)) + key_entries + entries + keys + values


def test_object_with_every_inline_and_stored_kind():
    document = b"\0" + _small_object(
        [
            (b"a", 5, 7),
            (b"b", 4, 0),
            (b"c", 12, b"\x06" + 'ü"\n\x01'.encode()[:6]),
            (b"d", 11, struct.pack("<d", 1.0)),
            (b"e", 10, struct.pack("<Q", 2**64 - 1)),
        ]
    )
    assert text_of_jsonb(document).startswith('{"a": 7, "b": null, "c": "ü\\"\\n')
    assert text_of_jsonb(document).endswith('"d": 1.0, "e": 18446744073709551615}')


def test_array_of_literals():
    document = b"\x02" + struct.pack("<HHBHBHBH", 3, 13, 4, 0, 4, 1, 4, 2)
    assert text_of_jsonb(document) == "[null, true, false]"


def test_opaque_decimal_date_and_time():
    decimal = bytes([15, 246, 4, 4, 2, 0x8C, 0x22])  # 12.34 as DECIMAL(4,2)
    assert text_of_jsonb(decimal) == "12.34"
    packed = ((2026 * 13 + 1) << 5 | 2) << 17 << 24
    assert text_of_jsonb(bytes([15, 10, 8]) + packed.to_bytes(8, "little")) == '"2026-01-02"'
    negative = -(10 << 12 << 24)
    assert text_of_jsonb(bytes([15, 11, 8]) + negative.to_bytes(8, "little", signed=True)) == '"-10:00:00.000000"'


def test_empty_document_is_null():
    assert text_of_jsonb(b"") == "null"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (1e14, "100000000000000.0"),
        (1e15, "1e15"),
        (1.5e300, "1.5e300"),
        (1e-7, "0.0000001"),
        (1e-20, "1e-20"),
        (123.456, "123.456"),
    ],
    ids=str,
)
def test_double_is_written_as_mysql_does(value, text):
    assert text_of_json_double(value) == text
