"""Lines over time, each named at its end."""

import itertools
from collections.abc import Callable, Sequence
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
_MOST_TICKS = 14
_LOW = 0.2
_LABEL_PIXELS = 18
_AXIS_PIXELS = 50  # of the height: the days below and the unit above
_IS_WIDE = "(width > 560)"
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


def _mark_tails(line: Sequence[_Point]) -> None:
    """Names the unfinished first and last steps of a line, each with the finished step that it hangs on."""
    for here, there in itertools.pairwise(line):
        if here["open"]:
            here["tail"], there["tail"] = "first", "first"
    for here, there in itertools.pairwise(line):
        if there["open"]:
            here["tail"], there["tail"] = "last", "last"


def _label_offsets(heights: Sequence[float], *, pixels: int) -> list[int]:
    """Pixels that each end's label stands below it, for ends from high to low in shares of an axis of so many pixels, where
    labels stand beside the lines: as near to their ends as they can without touching each other.
    """
    offsets: list[int] = []
    lowest = -pixels  # where the label above stands
    for height in heights:
        at = round((1 - height) * pixels)
        place = max(at, lowest + _LABEL_PIXELS) if offsets else at
        offsets.append(place - at)
        lowest = place
    return offsets


def _offsets_above(heights: Sequence[float]) -> list[int]:
    """The same where labels stand over the lines, as on a phone: labels of near ends stand on both sides of them, and none
    lies on the axis.
    """
    offsets = [-14]
    for place, (above, height) in enumerate(itertools.pairwise(heights), start=1):
        if height >= _LOW:
            offsets.append(4 + 16 * place)
        else:
            near = above - height < _LOW
            offsets = [offset - 18 for offset in offsets] if near else offsets
            offsets.append(-14)
    return offsets


def _in_months(points: Sequence[_Point], granularity: Granularity) -> bool:
    return granularity is Granularity.DAY and len({point["x"] for point in points}) > _MOST_SHADED_DAYS


def _tick_format(points: Sequence[_Point], granularity: Granularity) -> str:
    return "%b %Y" if granularity is Granularity.MONTH or _in_months(points, granularity) else "%d %b"


def _tick_days(points: Sequence[_Point], granularity: Granularity) -> list[dict[str, Any]]:
    """Where the axis is named: Mondays in a few weeks of days, firsts in many months of them, else at most `_MOST_TICKS` of
    the steps that there are; an axis never names a day twice.
    """
    days = sorted({date.fromisoformat(point["x"]) for point in points})
    if granularity is Granularity.DAY and len(days) > _MOST_TICKS:
        months = _in_months(points, granularity)
        days = [day for day in days if (day.day == 1 if months else day.weekday() == 0)]
    step = -(-len(days) // _MOST_TICKS) or 1
    return [{"year": d.year, "month": d.month, "date": d.day, "utc": True} for d in days[::step]]


def _room(ends: Sequence[_Point]) -> str:
    """An expression: the pixels that are left for labels beside the lines; none where the picture is narrow."""
    return f"({_IS_WIDE} ? {16 + 8.5 * max(len(end['series']) for end in ends):.0f} : 0)"


def _labels(
    ends: Sequence[_Point], layer: Callable[..., dict[str, Any]], *, largest: float, height: int
) -> list[dict[str, Any]]:
    """The lines' names: beside their ends, over them where the picture is narrow."""
    lowest = min(0.0, *(end["y"] for end in ends))
    shares = [(end["y"] - lowest) / ((largest - lowest) or 1) for end in ends]
    found = []
    text = {"field": "series", "type": "nominal"}
    beside, above = _label_offsets(shares, pixels=height - _AXIS_PIXELS), _offsets_above(shares)
    for place, (wide, narrow) in enumerate(zip(beside, above, strict=True), start=1):
        mark = {
            "type": "text",
            "align": {"expr": f"{_IS_WIDE} ? 'left' : 'right'"},
            "baseline": "middle",
            "dx": {"expr": f"{_IS_WIDE} ? 10 : 0"},
            "dy": {"expr": f"{_IS_WIDE} ? {wide} : {narrow}"},
            "fontWeight": 600,
        }
        halo = mark | {"stroke": "@surface", "strokeWidth": 5, "strokeJoin": "round"}
        found += [layer(f"datum.end === {place}", entry, text=text) for entry in (halo, mark)]
    return found


def line_spec(visual: Line, tile: TileData, data: PageData, *, height: int) -> dict[str, Any]:
    """The specification: steps that are not finished are hollow points, the period before is dashed."""
    lines = _points(visual, tile, data)
    granularity = visual.x.granularity or Granularity.DAY
    names = list(lines)
    colours = [_COLOURS[i % len(_COLOURS)] for i in range(len(visual.values))]
    colours += ["@muted"] * (len(names) - len(colours))
    before = names[len(visual.values) :]
    points = [point for line in lines.values() for point in line]
    colour = {
        "field": "series",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": names, "range": colours},
    }
    for name, line in lines.items():
        for point in line:
            point["kind"] = "now" if name in names[: len(visual.values)] else "before"
        _mark_tails(line)
    ends = _ends(list(lines.values()))
    for place, end in enumerate(ends):
        end["end"] = place + 1

    def layer(test: str, mark: dict[str, Any], **encoding: Any) -> dict[str, Any]:
        return {"transform": [{"filter": test}], "mark": mark, "encoding": {"color": colour} | encoding}

    spec = base_spec(alt=visual.alt, height=height)
    largest = max((abs(point["y"]) for point in points if point["y"] is not None), default=0.0)
    spec["encoding"] = {
        "x": {
            "field": "x",
            "type": "temporal",
            "scale": {"type": "utc"} | ({"range": [0, {"expr": f"width - {_room(ends)}"}]} if len(ends) > 1 else {}),
            "axis": {
                "title": None,
                "format": _tick_format(points, granularity),
                "grid": False,
                "labelOverlap": "greedy",
                "labelSeparation": 16,
                "labelFlush": False,
                "values": _tick_days(points, granularity),
            },
        },
        "y": {"field": "y", "type": "quantitative", "axis": value_axis(visual.values, largest, data.currency)},
    }
    tooltip = [
        {"field": "When", "type": "nominal"},
        {"field": "series", "type": "nominal", "title": "Line"},
        {"field": "Value", "type": "nominal"},
    ]
    # One data set with filters: Vega-Lite loses one of two layers that bring equal rows of their own.
    spec["data"] = {"values": points, "format": _UTC_DAYS}
    spec["layer"] = _weekends(points, granularity)
    if before:
        spec["layer"].append(
            layer("datum.kind === 'before'", {"type": "line", "strokeDash": [5, 4], "strokeWidth": 1.75})
        )
    whole = "datum.kind === 'now' && !datum.open"
    spec["layer"].append(layer(whole, {"type": "line", "strokeWidth": 3, "strokeJoin": "round"}))
    if any(point["open"] for point in points):
        dotted = {"type": "line", "strokeWidth": 2, "strokeDash": [2, 4]}
        spec["layer"].append(layer("datum.tail", dotted, detail={"field": "tail", "type": "nominal"}))
        hollow = {"type": "point", "size": 80, "strokeWidth": 2.5, "fill": "@surface", "opacity": 1}
        spec["layer"].append(layer("datum.open", hollow))
    hover = {"type": "point", "size": 160, "opacity": 0, "filled": True}
    spec["layer"].append(layer("isValid(datum.y)", hover, tooltip=tooltip))
    if len(ends) > 1:  # one line alone is what the title says
        spec["layer"] += _labels(ends, layer, largest=largest, height=height)
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
