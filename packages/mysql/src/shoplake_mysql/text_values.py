"""The text protocol's values -> Arrow, a column at a time. Knows nothing of sockets."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shoplake_mysql.byte_columns import AnyArray, ByteColumn, Int64s, binary_array, fixed_width_array, octets_at
from shoplake_mysql.calendar_values import days_since_1970, is_real_date, microseconds_since_1970
from shoplake_mysql.column_types import UTC_TIMESTAMP, ColumnType

__all__ = ["array_of_text"]

_DATE_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9]  # YYYY-MM-DD
_CLOCK_DIGITS = [11, 12, 14, 15, 17, 18]  # ' HH:MM:SS' after it
_FRACTION_START = 20


def _number(digits: Int64s, *places: int) -> Int64s:
    value = np.zeros(len(digits), np.int64)
    for place in places:
        value = value * 10 + digits[:, place]
    return value


def _date_parts(column: ByteColumn) -> tuple[Int64s, Int64s, Int64s]:
    digits = octets_at(column, 10)[:, _DATE_DIGITS].astype(np.int64) - ord("0")
    digits[~column.valid] = 0
    return _number(digits, 0, 1, 2, 3), _number(digits, 4, 5), _number(digits, 6, 7)


def _dates(column: ByteColumn) -> AnyArray:
    year, month, day = _date_parts(column)
    valid = column.valid & is_real_date(year, month, day)
    days = np.where(valid, days_since_1970(year, month, day), 0)
    return fixed_width_array(days.astype(np.int32), valid, pa.date32())


def _datetimes(column: ByteColumn, fraction_digits: int) -> AnyArray:
    year, month, day = _date_parts(column)
    valid = column.valid & is_real_date(year, month, day)
    text = octets_at(column, _FRACTION_START + 6).astype(np.int64) - ord("0")
    clock = text[:, _CLOCK_DIGITS]
    fraction = np.zeros(len(text), np.int64)
    for place in range(fraction_digits):
        fraction = fraction * 10 + text[:, _FRACTION_START + place]
    fraction *= 10 ** (6 - fraction_digits)
    micros = microseconds_since_1970(
        days_since_1970(year, month, day),
        (_number(clock, 0, 1), _number(clock, 2, 3), _number(clock, 4, 5)),
        fraction,
    )
    return fixed_width_array(np.where(valid, micros, 0), valid, UTC_TIMESTAMP)


def array_of_text(column: ByteColumn, column_type: ColumnType, arrow_type: pa.DataType) -> AnyArray:
    """The values of one column, as the text protocol sends them, in its Arrow type. Zero dates become null.

    Raises:
        pyarrow.ArrowInvalid: A text is no UTF-8, or a number none of its type.

    """
    if pa.types.is_date32(arrow_type):
        return _dates(column)
    if pa.types.is_timestamp(arrow_type):
        return _datetimes(column, column_type.precision)
    if pa.types.is_boolean(arrow_type):
        bits = octets_at(column, 1)[:, 0] != 0 if len(column.starts) else np.zeros(0, np.bool_)
        return pa.array(bits, pa.bool_(), mask=~column.valid)
    if pa.types.is_binary(arrow_type):
        return binary_array(column, arrow_type)
    text = binary_array(column, pa.string())
    return text if pa.types.is_string(arrow_type) else pc.cast(text, arrow_type)
