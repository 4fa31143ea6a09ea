"""Shaded cells, each with its number."""

from typing import Any

from shoplake_dashboards.formats import Scale, number_of, ordered, scale_of, text_of, value_text
from shoplake_dashboards.page_data import PageData, TileData
from shoplake_dashboards.tree import HeatMap, Unit
from shoplake_dashboards.vega.common import base_spec, tooltip_title

__all__ = ["heat_map_spec"]


def heat_map_spec(visual: HeatMap, tile: TileData, data: PageData, *, height: int) -> dict[str, Any]:
    """Shaded cells, each with its number. A first column that is all 100 % is grey: it would eat the colour scale."""
    numbers = [number_of(row["v0"]) for row in tile.main]
    scale = scale_of(numbers, visual.value.unit)
    first = min((row["d1"] for row in tile.main if row["d1"] is not None), default=None)
    whole = visual.value.unit is Unit.PERCENT and all(
        number == 1 for row, number in zip(tile.main, numbers, strict=True) if row["d1"] == first
    )
    sizes = {
        row["d0"]: f" (n={value_text(row['v0'], visual.size.unit, currency=data.currency)})"
        for row in tile.size
        if visual.size is not None
    }
    this_month = data.state.today.replace(day=1)
    rows = [
        {
            "r": text_of(row["d0"], visual.rows.granularity) + sizes.get(row["d0"], ""),
            "c": text_of(row["d1"], visual.columns.granularity),
            "i": index,
            "y": number,
            "share": 0,
            "grey": whole and row["d1"] == first,
            "Value": _cell_text(row["v0"], visual.value.unit, data.currency, scale)
            + ("*" if visual.month and row["u0"] is not None and row["u0"] >= this_month else ""),
        }
        for index, (row, number) in enumerate(zip(tile.main, numbers, strict=True))
    ]
    largest = max(
        (number for row, number in zip(rows, numbers, strict=True) if number is not None and not row["grey"]),
        default=1.0,
    )
    domain = [0, largest or 1]
    for row in rows:
        row["share"] = number / domain[1] if isinstance(number := row["y"], float) else 0
    column_order = ordered((row["d1"] for row in tile.main), visual.columns)
    row_order = list(dict.fromkeys(row["r"] for row in rows))
    spec = base_spec(alt=visual.alt, height=height)
    spec["params"] = [{"name": "cut", "value": "@cut"}]
    spec["padding"] = {"left": 2, "right": 2, "top": 4, "bottom": 4}
    spec["data"] = {"values": rows}
    spec["encoding"] = {
        "x": {
            "field": "c",
            "type": "nominal",
            "sort": column_order,
            "axis": {"title": visual.columns.label, "orient": "top", "labelAngle": 0, "domain": False},
        },
        "y": {
            "field": "r",
            "type": "nominal",
            "sort": row_order,
            "axis": {
                "title": visual.rows.label,
                "titleAngle": 0,
                "titleAnchor": "start",
                "titleAlign": "right",
                "titleBaseline": "bottom",
                "titleX": -10,
                "titleY": -8,
                "labelLimit": 190,
            },
        },
        "tooltip": [
            {"field": "r", "type": "nominal", "title": tooltip_title(visual.rows.label)},
            {"field": "c", "type": "nominal", "title": tooltip_title(visual.columns.label)},
            {"field": "Value", "type": "nominal", "title": tooltip_title(visual.value.label)},
        ],
    }
    spec["layer"] = [
        {
            "mark": {"type": "rect", "stroke": "@surface", "strokeWidth": 2, "cornerRadius": 3},
            "encoding": {
                "color": {
                    "condition": {"test": "datum.grey || !isValid(datum.y)", "value": "@grid"},
                    "field": "y",
                    "type": "quantitative",
                    "legend": None,
                    "scale": {"domain": domain, "range": ["@soft", "@accent"]},
                }
            },
        },
        {
            "mark": {"type": "text", "fontSize": 13},
            "encoding": {
                "text": {"field": "Value", "type": "nominal"},
                "color": {
                    "condition": {"test": "!datum.grey && datum.share > cut", "value": "@on_accent"},
                    "value": "@ink",
                },
            },
        },
    ]
    return spec


def _cell_text(value: Any, unit: Unit, currency: str, scale: Scale) -> str:
    number = number_of(value)
    return (
        f"{number:.0%}"
        if unit is Unit.PERCENT and number is not None
        else value_text(value, unit, currency=currency, scale=scale)
    )
