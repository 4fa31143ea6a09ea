"""HTML of single tiles: KPI, table and pivot whole; for the charts the frame, the state and the same rows as a table.

A tile is never blank: it shows its number or picture, or says that there is nothing, or says what failed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from shoplake_dashboards.formats import change_text, number_of, ordered, scale_of, text_of, value_text
from shoplake_dashboards.markup import Html, join, tag
from shoplake_dashboards.page_data import PageData, TileData, TileState
from shoplake_dashboards.page_state import url_of
from shoplake_dashboards.periods import is_unfinished, prior_label, prior_period
from shoplake_dashboards.sql import dimensions_at
from shoplake_dashboards.tree import (
    Bar,
    Dashboard,
    Dimension,
    HeatMap,
    Kpi,
    Line,
    Measure,
    Pivot,
    Table,
    Visual,
    measures_of,
)

__all__ = ["drill_links", "tile_html"]

_WIDTH, _HEIGHT = 160.0, 36.0
_MOST_SHOWN = 200
_SHORT_VALUE = 9  # letters; longer ones are set smaller, so that they stay in their card
_THEN = " \N{RIGHTWARDS ARROW} "


def tile_html(dashboard: Dashboard, visual: Visual, data: PageData, *, served: bool) -> Html:
    """One tile as a `<section>`; `served` where a server answers links with another state."""
    tile = data.tiles.get(visual.id) or TileData(
        state=TileState.ERROR, message="this tile was not read", hint="load the page again"
    )
    heading = tag("h3", visual.title, id=f"{visual.id}-title")
    parts = [
        tag("div", heading, _csv_link(visual, tile, served=served, dashboard=dashboard, data=data), class_="tile-head")
    ]
    if visual.note:
        parts.append(tag("p", visual.note, class_="note"))
    if isinstance(visual, Bar):
        parts.append(_breadcrumb(dashboard, visual, data, served=served))
    if tile.state is TileState.ERROR:
        parts.append(
            tag(
                "div",
                tag("strong", "This tile could not be read"),
                tag("p", tile.message),
                tag("p", f"Next: {tile.hint}") if tile.hint else "",
                class_="state state-error",
                role="alert",
            )
        )
    elif tile.state is TileState.EMPTY:
        parts.append(_empty(dashboard, visual, data))
    else:
        parts.append(_content(dashboard, visual, tile, data, served=served))
    kind = type(visual).__name__.lower()
    return tag(
        "section",
        *parts,
        class_=f"tile tile-{kind} w-{visual.width} h-{visual.height}",
        id=visual.id,
        aria_labelledby=f"{visual.id}-title",
    )


def _empty(dashboard: Dashboard, visual: Visual, data: PageData) -> Html:
    fresh = data.freshness.get(visual.dataset)
    if visual.empty and fresh is not None and not fresh.is_empty:
        return tag("div", tag("strong", visual.empty), class_="state state-empty")
    table = dashboard.dataset(visual.dataset).table
    if fresh is not None and fresh.is_empty:
        why, then = f"{table} has no rows yet.", "A run of the pipeline fills it."
    elif fresh is not None and fresh.last_day is not None:
        why, then = (
            "No rows for this choice.",
            f"The data go to {fresh.last_day}. Choose another period or fewer filters.",
        )
    else:
        why, then = "No rows for this choice.", "Choose another period or fewer filters."
    return tag("div", tag("strong", why), tag("p", then), class_="state state-empty")


def _content(dashboard: Dashboard, visual: Visual, tile: TileData, data: PageData, *, served: bool) -> Html:
    if isinstance(visual, Kpi):
        return _kpi(visual, tile, data)
    if isinstance(visual, Table):
        table = _scroll(_table(visual, tile, data), visual.alt)
        return join(table, _first_of_more(visual.limit, tile, visual.values[visual.sort_by]))
    if isinstance(visual, Pivot):
        return _scroll(_pivot(visual, tile, data), visual.alt)
    links = drill_links(dashboard, visual, data) if served and isinstance(visual, Bar) else {}
    top = _first_of_more(visual.top, tile, visual.value) if isinstance(visual, Bar) else Html("")
    chart = tag(
        "div",
        tag("p", "Drawing \N{HORIZONTAL ELLIPSIS}", class_="waiting"),
        class_="chart",
        id=f"{visual.id}-chart",
        role="img",
        aria_label=visual.alt,
    )
    return join(
        _scroll(chart, visual.title) if isinstance(visual, HeatMap) else chart,
        top,
        tag(
            "details",
            tag("summary", "Rows", tag("span", f" of {visual.title}", class_="hidden")),
            _scroll(_rows(visual, tile, data, links), f"Rows of {visual.title}"),
        ),
    )


def _first_of_more(limit: int, tile: TileData, measure: Measure) -> Html:
    """What a reader must know where only some rows are shown."""
    shown = f"The first {limit} by {measure.label.lower()}; there may be more."
    return tag("p", shown, class_="note") if len(tile.main) == limit else Html("")


def _scroll(table: Html, label: str) -> Html:
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)


def _kpi(visual: Kpi, tile: TileData, data: PageData) -> Html:
    measure = visual.value
    (row,) = tile.main
    text = value_text(row["v0"], measure.unit, currency=data.currency)
    parts = [tag("p", text, class_="value value-long" if len(text) > _SHORT_VALUE else "value")]
    if visual.compare and data.state.period is not None:
        label = prior_label(data.state.period)
        if (begin := _begins_within(visual, data)) is not None:
            parts.append(tag("p", f"no whole period before: the data begin {begin}", class_="change"))
        elif not tile.prior:
            parts.append(tag("p", f"no data in {label}", class_="change"))
        else:
            before = tile.prior[0]["v0"]
            change, sign = change_text(row["v0"], before, measure.unit)
            good = sign * (-1 if measure.lower_is_better else 1)
            arrow = {1: "▲ ", -1: "▼ ", 0: ""}[sign]
            was = value_text(before, measure.unit, currency=data.currency)
            parts.append(
                tag(
                    "p",
                    tag(
                        "span",
                        tag("span", arrow, aria_hidden="true"),
                        tag("span", {1: "up ", -1: "down ", 0: ""}[sign], class_="hidden"),
                        change,
                        tag("span", {1: ", better", -1: ", worse", 0: ""}[good], class_="hidden"),
                        class_={1: "good", -1: "bad", 0: "flat"}[good],
                    ),
                    f" on {was} in {label}",
                    class_="change",
                )
            )
    if visual.trend:
        parts.append(_sparkline([number_of(row["v0"]) for row in tile.trend], visual.alt))
    return join(*parts)


def _begins_within(visual: Visual, data: PageData) -> date | None:
    """The first day of the data, where the period before is not wholly after it: a change on it would be no change."""
    fresh = data.freshness.get(visual.dataset)
    if fresh is None or fresh.first_day is None or data.state.period is None:
        return None
    return fresh.first_day if fresh.first_day > prior_period(data.state.period).first else None


def _sparkline(values: Sequence[float | None], alt: str) -> Html:
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Html("")
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    points = [
        (3 + (_WIDTH - 6) * i / (len(values) - 1), 4 + (_HEIGHT - 8) * (high - value) / span)
        for i, value in enumerate(values)
        if value is not None
    ]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    x, y = points[-1]
    return tag(
        "svg",
        tag("path", d=path, class_="spark"),
        tag("path", d=f"M{x:.1f} {y:.1f}h0.01", class_="spark-end"),
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}",
        preserveAspectRatio="none",
        class_="sparkline",
        role="img",
        aria_label=alt,
    )


def _grid(caption: str, heads: Sequence[tuple[str, bool]], rows: Sequence[Sequence[Html]]) -> Html:
    """A table; a head is its text and whether its column holds numbers."""
    cells = [tag("th", text, scope="col", class_="number" if number else "text") for text, number in heads]
    return tag(
        "table",
        tag("caption", caption, class_="hidden"),
        tag("thead", tag("tr", *cells)),
        tag("tbody", *(tag("tr", *row) for row in rows)),
    )


def _text_cell(value: str, *, head: bool = False) -> Html:
    # dir="auto" keeps a right-to-left name from turning its neighbours around
    return tag(
        "th" if head else "td", tag("bdi", value, dir="auto"), class_="text", **({"scope": "row"} if head else {})
    )


def _number_cell(text: str, class_: str = "") -> Html:
    return tag("td", text, class_=f"number {class_}".strip())


def _column_texts(rows: Sequence[Mapping[str, Any]], key: str, measure: Measure, currency: str) -> list[str]:
    scale = scale_of((number_of(row[key]) for row in rows), measure.unit, exact=True)
    return [value_text(row[key], measure.unit, currency=currency, scale=scale) for row in rows]


def _table(visual: Table, tile: TileData, data: PageData) -> Html:
    texts = [_column_texts(tile.main, f"v{i}", measure, data.currency) for i, measure in enumerate(visual.values)]
    heads = [(d.label, False) for d in visual.group_by] + [(m.label, True) for m in visual.values]
    compares = visual.compare and data.state.period is not None
    begin = _begins_within(visual, data)
    sorted_by = visual.values[visual.sort_by]
    if compares and data.state.period is not None:
        why = f" (none: the data begin {begin})" if begin is not None else ""
        heads.append((f"Change on {prior_label(data.state.period)}{why}", True))
    rows = []
    for number, row in enumerate(tile.main):
        cells = [
            _text_cell(text_of(row[f"d{i}"], d.granularity), head=i == 0) for i, d in enumerate(visual.group_by)
        ] + [_number_cell(column[number]) for column in texts]
        if compares:
            change, sign = change_text(row[f"v{visual.sort_by}"], row["p0"], sorted_by.unit)
            if begin is not None:
                change, sign = "\N{EN DASH}", 0
            good = sign * (-1 if sorted_by.lower_is_better else 1)
            arrow = {1: "▲ ", -1: "▼ ", 0: ""}[sign]
            cells.append(_number_cell(f"{arrow}{change}", {1: "good", -1: "bad", 0: "flat"}[good]))
        rows.append(cells)
    return _grid(visual.title, heads, rows)


def _keys(values: Iterable[Any], dimension: Dimension) -> list[Any]:
    """The distinct values in the dimension's order, null last."""
    distinct = list(dict.fromkeys(values))
    order = ordered(distinct, dimension)
    return sorted(
        distinct, key=lambda v: order.index(text_of(v, dimension.granularity)) if v is not None else len(order)
    )


def _pivot(visual: Pivot, tile: TileData, data: PageData) -> Html:
    row_keys = _keys((row["d0"] for row in tile.main), visual.rows)
    column_keys = _keys((row["d1"] for row in tile.main), visual.columns)
    cells = {(row["d0"], row["d1"]): row["v0"] for row in tile.main}
    scale = scale_of(map(number_of, cells.values()), visual.value.unit, exact=True)
    additive = visual.value.per is None and visual.value.value.aggregation.value in {"sum", "count"}

    def shown(value: Any) -> str:
        return value_text(value, visual.value.unit, currency=data.currency, scale=scale)

    def total(values: list[Any]) -> Html:
        return _number_cell(shown(sum(v for v in values if v is not None)), "total")

    heads = [(visual.rows.label, False), *((text_of(key, visual.columns.granularity), True) for key in column_keys)]
    if additive:
        heads.append(("Total", True))
    rows = []
    for key in row_keys:
        values = [cells.get((key, column)) for column in column_keys]
        row = [_text_cell(text_of(key, visual.rows.granularity), head=True), *(_number_cell(shown(v)) for v in values)]
        rows.append([*row, total(values)] if additive else row)
    if additive:
        sums = [total([cells.get((key, column)) for key in row_keys]) for column in column_keys]
        rows.append([_text_cell("Total", head=True), *sums, total(list(cells.values()))])
    return _grid(f"{visual.title}: {visual.value.label}", heads, rows)


def _dimensions(visual: Visual, data: PageData) -> tuple[Dimension, ...]:
    return dimensions_at(visual, data.state)


def _rows(visual: Visual, tile: TileData, data: PageData, links: Mapping[str, str]) -> Html:
    dimensions, measures = _dimensions(visual, data), measures_of(visual)
    texts = [_column_texts(tile.main, f"v{i}", measure, data.currency) for i, measure in enumerate(measures)]
    rows = []
    for number, row in enumerate(tile.main[:_MOST_SHOWN]):
        cells = []
        for i, dimension in enumerate(dimensions):
            name = text_of(row[f"d{i}"], dimension.granularity)
            open_ = (
                isinstance(visual, Line)
                and data.state.period is not None
                and dimension.granularity is not None
                and row["d0"] is not None
                and is_unfinished(row["d0"], dimension.granularity, period=data.state.period, today=data.state.today)
            )
            if i == 0 and name in links:
                cells.append(
                    tag("th", tag("a", tag("bdi", name, dir="auto"), href=links[name]), class_="text", scope="row")
                )
            else:
                cells.append(_text_cell(name + (" (unfinished)" if open_ else ""), head=i == 0))
        rows.append([*cells, *(_number_cell(column[number]) for column in texts)])
    heads = [(d.label, False) for d in dimensions] + [(m.label, True) for m in measures]
    return _grid(visual.title, heads, rows)


def drill_links(dashboard: Dashboard, visual: Bar, data: PageData) -> dict[str, str]:
    """Category -> the URL of the level below it; empty on the lowest level."""
    path = data.state.drill.get(visual.id, ())
    if len(path) >= len(visual.drill):
        return {}
    tile = data.tiles[visual.id]
    return {
        text_of(row["d0"]): url_of(data.state.drilled(visual.id, (*path, str(row["d0"]))), dashboard) + f"#{visual.id}"
        for row in tile.main
        if row["d0"] is not None
    }


def _breadcrumb(dashboard: Dashboard, visual: Bar, data: PageData, *, served: bool) -> Html:
    path = data.state.drill.get(visual.id, ())
    ready = visual.id in data.tiles and data.tiles[visual.id].state is TileState.READY
    if not path:
        hint = f"Choose a bar to see its {visual.drill[0].label.lower()}s." if visual.drill and served and ready else ""
        return tag("p", hint, class_="note") if hint else Html("")
    parts: list[str] = [
        tag(
            "a",
            f"All: {visual.category.label}",
            href=url_of(data.state.drilled(visual.id, ()), dashboard) + f"#{visual.id}",
        )
    ]
    for depth, name in enumerate(path[:-1], start=1):
        parts += [
            _THEN,
            tag("a", name, href=url_of(data.state.drilled(visual.id, path[:depth]), dashboard) + f"#{visual.id}"),
        ]
    parts += [_THEN, tag("span", tag("bdi", path[-1], dir="auto"), aria_current="page")]
    return tag("nav", *parts, class_="crumbs", aria_label=f"Path in {visual.title}")


def _csv_link(visual: Visual, tile: TileData, *, served: bool, dashboard: Dashboard, data: PageData) -> Html:
    if tile.state is not TileState.READY:
        return Html("")
    label = f"Download {visual.title} as CSV"
    if served:
        return tag(
            "a",
            "CSV",
            href=f"{dashboard.name}/{visual.id}.csv{url_of(data.state, dashboard)}",
            class_="csv",
            aria_label=label,
        )
    return tag("button", "CSV", type="button", class_="csv", data_csv=visual.id, aria_label=label)
