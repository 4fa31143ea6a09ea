"""What all Vega-Lite specifications share: colour roles, frame, axis labels.

Specifications are plain dicts. Colours are roles such as "@accent", which the page replaces for the light or the dark theme.
Every label is made in Python (`formats`), so picture, table and CSV say the same. Field names are ours; data never becomes
part of an expression.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shoplake_dashboards.formats import axis_unit, currency_symbol, scale_of
from shoplake_dashboards.tree import Measure, Unit

__all__ = ["DARK", "LIGHT", "base_spec", "themed", "tooltip_title", "value_axis"]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name: nothing is read from there
LIGHT: Mapping[str, str | float] = {
    "@accent": "#1d5bd6",
    "@accent2": "#6f9bea",
    "@accent3": "#a3c0f4",
    "@accent4": "#c9dafa",
    "@soft": "#e3ecfd",
    "@ink": "#14181f",
    "@muted": "#566173",
    "@grid": "#e4e8ee",
    "@surface": "#ffffff",
    "@neutral": "#d5dae2",
    "@on_accent": "#ffffff",
    "@cut": 0.8,
}
DARK: Mapping[str, str | float] = {
    "@accent": "#7fb0ff",
    "@accent2": "#4f82d8",
    "@accent3": "#38609f",
    "@accent4": "#2a4672",
    "@soft": "#1f2d45",
    "@ink": "#eef2f8",
    "@muted": "#a5b0c2",
    "@grid": "#2a3342",
    "@surface": "#161c27",
    "@neutral": "#3a4557",
    "@on_accent": "#0b1220",
    "@cut": 0.57,
}
_FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"


_UNTOUCHED = frozenset({"data", "description", "domain", "sort", "title"})  # texts of the data or of the author


# @cut: from which share of the darkest shade on a label is written in @on_accent, to be read on it
def themed(spec: Any, colours: Mapping[str, str | float]) -> Any:
    """The specification with every colour role replaced; data are left as they are."""
    if isinstance(spec, dict):
        return {key: value if key in _UNTOUCHED else themed(value, colours) for key, value in spec.items()}
    if isinstance(spec, list):
        return [themed(entry, colours) for entry in spec]
    return colours.get(spec, spec) if isinstance(spec, str) else spec


def tooltip_title(text: str) -> str:
    """The text without what would end a string of Vega's expression language: Vega-Lite writes these titles into one."""
    kept = (" " if c in "\"'`\\{}" or not c.isprintable() else c for c in text)
    return " ".join("".join(kept).split()) or "Name"


def base_spec(*, alt: str, height: int) -> dict[str, Any]:
    """An empty specification: as wide as its tile, `height` pixels high, in the page's letters."""
    return {
        "$schema": SCHEMA,
        "description": alt,
        "width": "container",
        "height": height,
        "background": "transparent",
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": 2, "right": 8, "top": 22, "bottom": 4},
        "config": {
            "font": _FONT,
            "view": {"stroke": None},
            "axis": {
                "labelColor": "@muted",
                "titleColor": "@muted",
                "labelFontSize": 13,
                "titleFontSize": 13,
                "titleFontWeight": "normal",
                "domain": False,
                "ticks": False,
                "gridColor": {"condition": {"test": "datum.value === 0", "value": "@muted"}, "value": "@grid"},
                "labelPadding": 8,
            },
            "text": {"color": "@ink", "fontSize": 14},
        },
    }


def _number_label(unit: Unit, largest: float, currency: str) -> str:
    """A Vega expression for an axis label of that unit."""
    scale = scale_of([largest], unit)
    if unit is Unit.PERCENT:
        return "format(datum.value, '.0%')"
    sign = json.dumps(currency_symbol(currency)) if unit is Unit.CURRENCY else "''"
    digits = f"format(abs(datum.value) / {scale.divisor}, ',.2~f')"
    suffix = f"(datum.value ? {json.dumps(scale.suffix)} : '')"  # nothing is not "0k"
    return f"(datum.value < 0 ? '\N{MINUS SIGN}' : '') + {sign} + {digits} + {suffix}"


def value_axis(measures: Sequence[Measure], largest: float, currency: str) -> dict[str, Any]:
    """An axis of numbers up to `largest`, with its unit, and its measure where there is one, written above it."""
    measure = measures[0]
    unit = axis_unit(measure.unit, currency=currency)
    return {
        "title": f"{measure.label}, {unit}" if len(measures) == 1 else unit.capitalize(),
        "titleAngle": 0,
        "titleAlign": "left",
        "titleAnchor": "start",
        "titleX": 0,
        "titleY": -12,
        "titleBaseline": "bottom",
        "labelExpr": _number_label(measure.unit, largest, currency),
        "tickCount": 4,
        "grid": True,
    }
