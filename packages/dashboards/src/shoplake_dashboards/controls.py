"""What a reader of a served page may choose, as links and one form that need no script: period, dates, values, rankings.

A period is a link, because a form could not tell a new period from dates that were chosen before it.
"""

from dataclasses import replace

from shoplake_dashboards.markup import Html, join, tag
from shoplake_dashboards.page_data import PageData
from shoplake_dashboards.page_state import TOPS, is_ranking, url_of
from shoplake_dashboards.periods import PERIOD_NAMES, relative_period
from shoplake_dashboards.tree import Dashboard

__all__ = ["controls"]


def controls(dashboard: Dashboard, data: PageData) -> Html:
    """The controls of the sheet that `data` was read for; each leads to the page with that choice in its address."""
    return join(_periods(dashboard, data), _form(dashboard, data))


def _periods(dashboard: Dashboard, data: PageData) -> Html:
    state, dates = data.state, dashboard.dates
    if dates is None:
        return Html("")
    links = []
    for name in dates.periods:
        there = replace(state, period=relative_period(name, state.today), period_name=name)
        here = {"aria_current": "true"} if name == state.period_name else {}
        links.append(tag("a", PERIOD_NAMES[name], href=url_of(there, dashboard), **here))
    return tag("nav", *links, class_="periods", aria_label="Period")


def _form(dashboard: Dashboard, data: PageData) -> Html:
    state = data.state
    kept = [("sheet", state.sheet)] if state.sheet != dashboard.sheets[0].name else []
    kept += [(f"drill.{visual}", value) for visual, values in state.drill.items() for value in values]
    if dashboard.dates is not None and state.period_name not in {"", dashboard.dates.default}:
        kept.append(("period", state.period_name))
    fields: list[str] = [tag("input", type="hidden", name=name, value=value) for name, value in kept]
    if dashboard.dates is not None:
        own = state.period if state.period and not state.period_name else None
        for word, name, day in (("From", "from", own and own.first), ("to", "to", own and own.last)):
            given = {"value": day.isoformat()} if day else {}
            fields.append(tag("label", f"{word} ", tag("input", type="date", name=name, **given)))
    fields += [_values(chosen.column, chosen.label, data) for chosen in dashboard.filters]
    if any(is_ranking(visual) for visual in dashboard.sheet(state.sheet).visuals):
        options = [tag("option", "as designed", value="", selected=not state.top)]
        options += [tag("option", f"top {count}", value=str(count), selected=count == state.top) for count in TOPS]
        fields.append(tag("label", "Rankings ", tag("select", *options, name="top")))
    if len(fields) == len(kept):
        return Html("")
    fields += [tag("button", "Show", type="submit"), tag("a", "Reset", href="?")]
    return tag("form", *fields, method="get", class_="controls", aria_label="Filters")


def _values(column: str, label: str, data: PageData) -> Html:
    """One filter: its values as boxes to tick, none ticked for all."""
    chosen = data.state.selected.get(column, ())
    known = data.options.get(column, ())
    boxes = [
        tag(
            "label",
            tag("input", type="checkbox", name=f"f.{column}", value=value, checked=value in chosen),
            tag("bdi", value, dir="auto"),
        )
        for value in (*known, *(value for value in chosen if value not in known))
    ]
    if not boxes:
        boxes = [tag("p", "Its values could not be read.")]
    told = ", ".join(chosen) if len(chosen) <= 2 else f"{len(chosen)} chosen"
    summary = tag("summary", f"{label}: ", tag("bdi", told or "all", dir="auto"))
    legend = tag("legend", label, class_="hidden")
    return tag("details", summary, tag("fieldset", legend, *boxes), class_="choice")
