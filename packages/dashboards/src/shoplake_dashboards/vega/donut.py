"""A ring of shares, in shades of one hue."""

import math
from typing import Any

from shoplake_dashboards.formats import number_of, scale_of, text_of, value_text
from shoplake_dashboards.page_data import PageData, TileData
from shoplake_dashboards.tree import Donut
from shoplake_dashboards.vega.common import base_spec, tooltip_title

__all__ = ["donut_spec"]

_RAMP = ("@accent", "@accent2", "@accent3", "@accent4", "@neutral", "@grid")
_LABEL_PIXELS = 110


def _slices(visual: Donut, tile: TileData) -> list[tuple[str, float]]:
    named = [(text_of(row["d0"]), number_of(row["v0"]) or 0.0) for row in tile.main]
    shown, rest = named[: visual.top], named[visual.top :]
    return [*shown, (f"Other ({len(rest)})", sum(number for _, number in rest))] if rest else shown


def donut_spec(visual: Donut, tile: TileData, data: PageData, *, height: int) -> dict[str, Any]:
    """The specification: name and share stand at each slice, the whole in the middle."""
    slices = _slices(visual, tile)
    whole = sum(number for _, number in slices)
    scale = scale_of([whole], visual.value.unit)
    rows, so_far = [], 0.0
    for index, (name, number) in enumerate(slices):
        share = max(number, 0.0) / whole if whole > 0 else 0.0
        rows.append(
            {
                "c": name,
                "y": max(number, 0.0),
                "i": index,
                "label": f"{name}\n{share:.0%}",
                "left": math.sin(2 * math.pi * (so_far + share / 2)) < 0,
                "Value": value_text(number, visual.value.unit, currency=data.currency, scale=scale),
            }
        )
        so_far += share
    room = min(_LABEL_PIXELS, 9 * max(len(name) for name, _ in slices))
    radius = f"max(0.2 * min(width, height), min(width / 2 - {room + 12}, height / 2.4))"
    theta = {"field": "y", "type": "quantitative", "stack": True}
    order = {"field": "i", "type": "quantitative"}
    domain = list(range(len(rows)))
    middle = value_text(whole, visual.value.unit, currency=data.currency, scale=scale)
    spec = base_spec(alt=visual.alt, height=height)
    spec["padding"] = 0
    spec["layer"] = [
        {
            "data": {"values": rows},
            "mark": {
                "type": "arc",
                "outerRadius": {"expr": radius},
                "innerRadius": {"expr": f"{radius} * 0.64"},
                "stroke": "@surface",
                "strokeWidth": 2,
            },
            "encoding": {
                "theta": theta,
                "order": order,
                "color": {
                    "field": "i",
                    "type": "ordinal",
                    "legend": None,
                    "scale": {"domain": domain, "range": [_RAMP[min(i, len(_RAMP) - 1)] for i in domain]},
                },
                "tooltip": [
                    {"field": "c", "type": "nominal", "title": tooltip_title(visual.category.label)},
                    {"field": "Value", "type": "nominal"},
                ],
            },
        },
        *(
            {
                # Every slice is in the data, so that the angles are the ring's; the other side's labels are empty.
                "data": {"values": [row | {"label": row["label"] if row["left"] is left else ""} for row in rows]},
                "mark": {
                    "type": "text",
                    "radius": {"expr": f"{radius} + 16"},
                    "fontWeight": 600,
                    "limit": _LABEL_PIXELS,
                    "lineBreak": "\n",
                    "baseline": "middle",
                    "align": "right" if left else "left",
                },
                "encoding": {"theta": theta, "order": order, "text": {"field": "label", "type": "nominal"}},
            }
            for left in (True, False)
        ),
        {
            "data": {"values": [{"whole": middle}]},
            "mark": {
                "type": "text",
                "fontSize": {"expr": f"min(22, {radius} * {1.7 / max(4, len(middle)):.2f})"},  # it stays in the ring
                "fontWeight": 700,
                "radius": 0,
            },
            "encoding": {"text": {"field": "whole", "type": "nominal"}},
        },
    ]
    return spec
