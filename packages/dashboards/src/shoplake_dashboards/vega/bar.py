"""Horizontal bars, each with its number at the end."""

from collections.abc import Mapping
from typing import Any

from shoplake_dashboards.formats import number_of, scale_of, text_of, value_text
from shoplake_dashboards.page_data import PageData, TileData
from shoplake_dashboards.sql import dimensions_at
from shoplake_dashboards.tree import Bar
from shoplake_dashboards.vega.common import base_spec, tooltip_title

__all__ = ["bar_spec"]

_LABEL_PIXELS = 190


def bar_spec(visual: Bar, tile: TileData, data: PageData, *, height: int, links: Mapping[str, str]) -> dict[str, Any]:
    """Horizontal bars with their number at the end; `links` (category -> URL) make a bar open the level below it."""
    (dimension,) = dimensions_at(visual, data.state)
    numbers = [number_of(row["v0"]) or 0.0 for row in tile.main]
    scale = scale_of(numbers, visual.value.unit)
    rows = [
        {
            "c": text_of(row["d0"], dimension.granularity),
            "y": number,
            "i": index,
            "Value": value_text(row["v0"], visual.value.unit, currency=data.currency, scale=scale),
            "href": links.get(text_of(row["d0"]), ""),
        }
        for index, (row, number) in enumerate(zip(tile.main, numbers, strict=True))
    ]
    spec = base_spec(alt=visual.alt, height=height)
    # Room for the labels in pixels, not in share of the width: on a phone it is the same text.
    room = 14 + 9 * max((len(str(row["Value"])) for row in rows), default=0)
    low, high = min(0.0, *numbers, 0.0), max(0.0, *numbers, 0.0)
    category = {
        "field": "c",
        "type": "nominal",
        "sort": {"field": "i", "op": "min"},
        "axis": {"title": None, "labelLimit": _LABEL_PIXELS, "labelColor": "@ink", "labelFontSize": 14},
        "scale": {"paddingInner": 0.35},
    }
    spec["padding"] = {"left": 2, "right": 8, "top": 4, "bottom": 4}
    spec["data"] = {"values": rows}
    spec["encoding"] = {
        "y": category,
        "x": {
            "field": "y",
            "type": "quantitative",
            "axis": None,
            "scale": {
                "domain": [low, high if high > low else low + 1],
                "range": [room if low < 0 else 0, {"expr": f"max(20, width - {room if high > 0 else 0})"}],
                "nice": False,
            },
        },
        "tooltip": [
            {"field": "c", "type": "nominal", "title": tooltip_title(dimension.label)},
            {"field": "Value", "type": "nominal"},
        ],
    }
    if links:
        spec["encoding"]["href"] = {"field": "href", "type": "nominal"}
    spec["layer"] = [
        {"mark": {"type": "bar", "color": "@accent", "cornerRadiusEnd": 3, **({"cursor": "pointer"} if links else {})}},
        {
            "mark": {
                "type": "text",
                "fontWeight": 600,
                "align": {"expr": "datum.y < 0 ? 'right' : 'left'"},
                "dx": {"expr": "datum.y < 0 ? -6 : 6"},
            },
            "encoding": {"text": {"field": "Value", "type": "nominal"}},
        },
    ]
    return spec
