"""Numbers, dates and names as a reader sees them. All labels of one tile share one scale, so that they compare by eye."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shoplake_dashboards.tree import Dimension, Granularity, Unit

__all__ = [
    "Scale",
    "axis_unit",
    "change_text",
    "currency_symbol",
    "number_of",
    "ordered",
    "scale_of",
    "text_of",
    "value_text",
]

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_MINUS = "\N{MINUS SIGN}"
_THIN = "\N{NARROW NO-BREAK SPACE}"
_SCALES = ((1_000_000_000, "bn"), (1_000_000, "m"), (1_000, "k"))
_THOUSANDS_FROM = 10_000  # 10k, not 1.2k: below that the whole number is as short
_WHOLE_DAYS_FROM = 100


def number_of(value: Any) -> float | None:
    """A number of a result as a float; None for null, NaN and what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = float(value)
    return number if number == number and abs(number) != float("inf") else None  # noqa: PLR0124 - NaN


@dataclass(frozen=True, slots=True)
class Scale:
    """How all numbers of one tile or column are written: divided, with a suffix, to so many decimals."""

    divisor: int = 1
    suffix: str = ""
    decimals: int = 0


def scale_of(values: Iterable[float | None], unit: Unit, *, exact: bool = False) -> Scale:
    """The scale that fits all of these values: thousands or more only where the smallest is that large too; never with
    `exact`, as in tables.
    """
    sizes = [abs(value) for value in values if value]
    largest, smallest = max(sizes, default=0.0), min(sizes, default=0.0)
    for divisor, suffix in _SCALES:
        long_enough = largest >= max(divisor, _THOUSANDS_FROM) and smallest >= divisor
        if long_enough and unit is not Unit.SECONDS and not exact:
            return Scale(divisor, suffix, 2 if largest < divisor * 10 else 1 if largest < divisor * 100 else 0)
    if unit is Unit.CURRENCY:
        return Scale(decimals=2 if largest < 1000 else 0)
    whole = unit is Unit.COUNT or (unit is Unit.DAYS and largest >= _WHOLE_DAYS_FROM and not exact)
    return Scale(decimals=0 if whole else 1)


def currency_symbol(currency: str) -> str:
    """The sign that stands before an amount."""
    return _SYMBOLS.get(currency, f"{currency}{_THIN}")


def value_text(value: Any, unit: Unit, *, currency: str, scale: Scale | None = None) -> str:
    """One number with its unit, on its own scale where none is given; an en dash for null."""
    if unit is Unit.TIME and isinstance(value, date):
        return f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else f"{value:%Y-%m-%d}"
    number = number_of(value)
    if number is None:
        return "\N{EN DASH}"
    if unit is Unit.PERCENT:
        return _signed(f"{abs(number):.1%}", negative=number < 0)
    if unit is Unit.SECONDS:
        return _signed(_duration(abs(number)), negative=number < 0)
    scale = scale or scale_of([number], unit)
    digits = f"{abs(number) / scale.divisor:,.{scale.decimals}f}{scale.suffix}"
    if unit is Unit.CURRENCY:
        digits = f"{currency_symbol(currency)}{digits}"
    return _signed(f"{digits}{' days' if unit is Unit.DAYS else ''}", negative=number < 0)


def _signed(text: str, *, negative: bool) -> str:
    return f"{_MINUS}{text}" if negative else text


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def change_text(value: Any, before: Any, unit: Unit) -> tuple[str, int]:
    """How a number changed, and the sign of the change: a share in points, every other number in percent of before."""
    now, then = number_of(value), number_of(before)
    if now is None or then is None:
        return "no value before", 0
    difference = now - then
    if unit is Unit.PERCENT:
        text, rounded = f"{abs(difference) * 100:.1f} points", round(difference * 100, 1)
    elif then == 0:
        return ("no change", 0) if now == 0 else ("from 0", 1 if now > 0 else -1)
    else:
        share = difference / abs(then)
        text, rounded = f"{abs(share):.1%}", round(share, 3)
    if rounded == 0:
        return "no change", 0
    return text, 1 if rounded > 0 else -1


def axis_unit(unit: Unit, *, currency: str) -> str:
    """The unit as an axis says it."""
    return {
        Unit.CURRENCY: currency,
        Unit.COUNT: "count",
        Unit.PERCENT: "%",
        Unit.NUMBER: "number",
        Unit.DAYS: "days",
        Unit.SECONDS: "seconds",
        Unit.TIME: "UTC",
    }[unit]


def ordered(values: Iterable[Any], dimension: Dimension) -> list[str]:
    """The distinct values of a dimension in words: in its own order, else by size; unknown ones and null at the end."""
    known = sorted({value for value in values if value is not None}, key=lambda value: (str(type(value)), value))
    known.sort(key=lambda value: dimension.order.index(value) if value in dimension.order else len(dimension.order))
    return [text_of(value, dimension.granularity) for value in known]


def text_of(value: Any, granularity: Granularity | None = None) -> str:
    """A dimension's value in words."""
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime) and granularity is None:
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        if granularity is Granularity.MONTH:
            return f"{value:%b %Y}"
        if granularity is Granularity.WEEK:
            return f"{value:%d %b} to {value + timedelta(days=6):%d %b}"
        return f"{value:%Y-%m-%d}"
    return str(value) if str(value).strip() else "(empty)"
