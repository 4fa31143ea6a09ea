"""Lines over time, each named at its end."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from shoplake_dashboards.formats import number_of, scale_of, text_of, value_text
from shoplake_dashboards.page_data import PageData, TileData
from shoplake_dashboards.periods import is_unfinished, prior_label, prior_period
from shoplake_dashboards.tree import Granularity, Line
from shoplake_dashboards.vega.common import base_spec, value_axis

__all__ = ["line_spec"]

_COLOURS = ("@accent", "@muted", "@accent2", "@ink")
_MOST_SHADED_DAYS = 100
_SATURDAY = 5
_UTC_DAYS = {"parse": {"x": "utc:'%Y-%m-%d'"}}  # else a reader west of Greenwich sees the day before
_Point = dict[str, Any]


def _points(visual: Line, tile: TileData, data: PageData) -> dict[str, list[_Point]]:
    """Name of each line -> its points in order of time; the period before, moved onto this one, is the last."""
    state, granularity = data.state, visual.x.granularity or Granularity.DAY
    numbers = (number_of(row[f"v{i}"]) for row in tile.main for i in range(len(visual.values)))
    scale = scale_of(numbers, visual.values[0].unit)

    def point(day: date, value: Any, name: str, number: int, moved: timedelta = timedelta()) -> _Point:
        unfinished = (
            not moved
            and state.period is not None
            and is_unfinished(day, granularity, period=state.period, today=state.today)
        )
        text = value_text(value, visual.values[number].unit, currency=data.currency, scale=scale)
        return {
            "x": (day + moved).isoformat(),
            "y": number_of(value),
            "series": name,
            "When": text_of(day, granularity),
            "Value": text + (" (unfinished)" if unfinished else ""),
            "open": unfinished,
        }

    found = {
        measure.label: [point(row["d0"], row[f"v{i}"], measure.label, i) for row in tile.main if row["d0"] is not None]
        for i, measure in enumerate(visual.values)
    }
    if tile.prior and state.period is not None:
        name = prior_label(state.period).removeprefix("the ").capitalize()
        shift = state.period.first - prior_period(state.period).first
        found[name] = [point(row["d0"], row["v0"], name, 0, shift) for row in tile.prior if row["d0"] is not None]
    return found


def _ends(lines: Sequence[Sequence[_Point]]) -> list[_Point]:
    """The last point of each line, the higher ones first."""
    last = [[p for p in line if p["y"] is not None][-1:] for line in lines]
    return sorted((point for points in last for point in points), key=lambda point: -float(point["y"]))


def line_spec(visual: Line, tile: TileData, data: PageData, *, height: int) -> dict[str, Any]:
    """The specification: steps that are not finished are hollow points, the period before is dashed."""
    lines = _points(visual, tile, data)
    granularity = visual.x.granularity or Granularity.DAY
    names = list(lines)
    colours = [_COLOURS[i % len(_COLOURS)] for i in range(len(visual.values))]
    colours += ["@muted"] * (len(names) - len(colours))
    current, before = list(lines.values())[: len(visual.values)], list(lines.values())[len(visual.values) :]
    points = [point for line in lines.values() for point in line]
    colour = {
        "field": "series",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": names, "range": colours},
    }
    tooltip = [
        {"field": "When", "type": "nominal"},
        {"field": "series", "type": "nominal", "title": "Line"},
        {"field": "Value", "type": "nominal"},
    ]

    def layer(rows: list[_Point], mark: dict[str, Any], **encoding: Any) -> list[dict[str, Any]]:
        data_ = {"values": rows, "format": _UTC_DAYS}
        return [{"data": data_, "mark": mark, "encoding": {"color": colour} | encoding}] if rows else []

    spec = base_spec(alt=visual.alt, height=height)
    largest = max((abs(point["y"]) for point in points if point["y"] is not None), default=0.0)
    spec["encoding"] = {
        "x": {
            "field": "x",
            "type": "temporal",
            "scale": {"type": "utc"},
            "axis": {
                "title": None,
                "format": "%b %Y" if granularity is Granularity.MONTH else "%d %b",
                "grid": False,
                "labelOverlap": True,
                "labelFlush": True,
                "tickCount": {"expr": "max(2, floor(width / 110))"},
            },
        },
        "y": {"field": "y", "type": "quantitative", "axis": value_axis(visual.values[0], largest, data.currency)},
    }
    spec["layer"] = _weekends(points, granularity)
    spec["layer"] += layer(
        [p for line in before for p in line], {"type": "line", "strokeDash": [5, 4], "strokeWidth": 1.75}
    )
    spec["layer"] += layer(
        [p for line in current for p in line], {"type": "line", "strokeWidth": 3, "strokeJoin": "round"}
    )
    hollow = {"type": "point", "size": 80, "strokeWidth": 2.5, "fill": "@surface", "opacity": 1}
    spec["layer"] += layer([p for p in points if p["open"]], hollow)
    spec["layer"] += layer(points, {"type": "point", "size": 160, "opacity": 0, "filled": True}, tooltip=tooltip)
    text = {"field": "series", "type": "nominal"}
    for place, end in enumerate(_ends(list(lines.values()))):
        mark = {"type": "text", "align": "right", "dy": -14 if place == 0 else 4 + 16 * place, "fontWeight": 600}
        halo = mark | {"stroke": "@surface", "strokeWidth": 5, "strokeJoin": "round"}
        layers = [{"mark": entry, "encoding": {"color": colour, "text": text}} for entry in (halo, mark)]
        spec["layer"].append({"data": {"values": [end], "format": _UTC_DAYS}, "layer": layers})
    return spec


def _weekends(points: Sequence[_Point], granularity: Granularity) -> list[dict[str, Any]]:
    """Saturdays and Sundays as a faint band: a shop's week is the first pattern that a reader looks for."""
    days = {date.fromisoformat(point["x"]) for point in points}
    if granularity is not Granularity.DAY or not 1 < len(days) <= _MOST_SHADED_DAYS:
        return []
    first, last = f"{min(days)}T00:00:00Z", f"{max(days)}T00:00:00Z"  # a band never widens the axis
    bands = [
        {
            "from": max(f"{day - timedelta(days=1)}T12:00:00Z", first),
            "to": min(f"{day}T12:00:00Z", last),
        }
        for day in sorted(days)
        if day.weekday() >= _SATURDAY
    ]
    if not bands:
        return []
    return [
        {
            "data": {"values": bands, "format": {"parse": {"from": "date", "to": "date"}}},
            "mark": {"type": "rect", "color": "@grid", "opacity": 0.45},
            "encoding": {
                "x": {"field": "from", "type": "temporal", "scale": {"type": "utc"}},
                "x2": {"field": "to"},
                "y": {"value": 0},
                "y2": {"value": {"expr": "height"}},
            },
        }
    ]
