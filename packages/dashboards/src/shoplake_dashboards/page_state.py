"""What a reader has chosen, to and from the query string of a URL, so that a view can be shared as a link.

    ?sheet=overview&period=last_28_days&f.channel=web&f.channel=app&drill.by_category=Shoes
    ?from=2026-01-01&to=2026-01-31&top=10

A URL is untrusted text. What is unknown or wrong in it is left out and named in `notes`: a mistyped link still opens a page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from urllib.parse import parse_qsl, urlencode

from shoplake_core.suggestions import did_you_mean

from shoplake_dashboards.periods import PERIOD_NAMES, Period, relative_period
from shoplake_dashboards.tree import Bar, Dashboard, Table, Visual

__all__ = ["TOPS", "PageState", "is_ranking", "page_state_from_url", "period_words", "ranked", "url_of"]

TOPS = (5, 10, 20, 50)
"""How many rows of a ranking a reader may ask for."""

_PLAIN = ("sheet", "period", "from", "to", "top")
_MOST_PAIRS = 200
_LONGEST_VALUE = 200
_LONGEST_PERIOD_DAYS = 3660


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """A reader's choices.

    Attributes:
        sheet: Name of the sheet shown.
        today: The store's day.
        period: Days shown; None where the dashboard has no dates.
        period_name: A key of `PERIOD_NAMES`; "" for two dates of the reader's own.
        selected: Column -> values of the category filters; no entry for all.
        drill: Visual id -> values chosen on the way down.
        top: How many rows of each ranking; 0 for as many as its author chose.
        notes: What the URL held and the page could not use, as sentences.

    """

    sheet: str
    today: date
    period: Period | None = None
    period_name: str = ""
    selected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drill: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    top: int = 0
    notes: tuple[str, ...] = ()

    def drilled(self, visual_id: str, values: tuple[str, ...]) -> "PageState":
        """The state with one visual at another place of its hierarchy."""
        drill = {key: value for key, value in self.drill.items() if key != visual_id}
        return replace(self, drill=drill | ({visual_id: values} if values else {}))


def page_state_from_url(dashboard: Dashboard, query: str, *, today: date) -> PageState:
    """The state that a query string (with or without `?`) describes; "" for the dashboard's defaults."""
    notes: list[str] = []
    try:
        pairs = parse_qsl(query.removeprefix("?"), max_num_fields=_MOST_PAIRS)
    except ValueError:
        pairs = []
        notes.append("The link has too many parts; the page shows its defaults.")
    pairs = [(key, value.replace("\x00", "")[:_LONGEST_VALUE]) for key, value in pairs]
    single = dict(pairs)
    sheets = [sheet.name for sheet in dashboard.sheets]
    sheet = single.get("sheet", sheets[0])
    if sheet not in sheets:
        notes.append(f'There is no sheet "{sheet}"{did_you_mean(sheet, sheets)}.')
        sheet = sheets[0]
    period, period_name = _period(dashboard, single, today, notes)
    columns = {f.column for f in dashboard.filters}
    drills = {v.id: v for v in dashboard.visuals if isinstance(v, Bar) and v.drill}
    selected: dict[str, tuple[str, ...]] = {}
    drill: dict[str, tuple[str, ...]] = {}
    for key, value in pairs:
        kind, _, name = key.partition(".")
        if kind == "f" and name in columns:
            selected[name] = (*selected.get(name, ()), value)
        elif kind == "drill" and name in drills:
            if len(drill.get(name, ())) < len(drills[name].drill):
                drill[name] = (*drill.get(name, ()), value)
        elif key not in _PLAIN:
            near = did_you_mean(key, [*_PLAIN, *(f"f.{c}" for c in columns), *(f"drill.{d}" for d in drills)])
            notes.append(f'The link names "{key}", which this dashboard does not have{near}.')
    return PageState(
        sheet=sheet,
        today=today,
        period=period,
        period_name=period_name,
        selected=selected,
        drill=drill,
        top=_top(single.get("top", ""), notes),
        notes=tuple(notes),
    )


def _top(text: str, notes: list[str]) -> int:
    if text in {str(count) for count in TOPS}:
        return int(text)
    if text:
        notes.append(f'A ranking cannot show "{text}" rows: choose {", ".join(map(str, TOPS))}.')
    return 0


def ranked(dashboard: Dashboard, top: int) -> Dashboard:
    """The dashboard with `top` rows in each ranking: tables, and bars that are not over time; as it is where `top` is 0."""
    if not top:
        return dashboard

    def cut(visual: Visual) -> Visual:
        if isinstance(visual, Table):
            return replace(visual, limit=top)
        return replace(visual, top=top) if isinstance(visual, Bar) and is_ranking(visual) else visual

    sheets = (replace(sheet, visuals=tuple(map(cut, sheet.visuals))) for sheet in dashboard.sheets)
    return replace(dashboard, sheets=tuple(sheets))


def is_ranking(visual: Visual) -> bool:
    """Whether a reader may choose how many rows it shows."""
    return isinstance(visual, Table) or (isinstance(visual, Bar) and visual.category.granularity is None)


def _period(
    dashboard: Dashboard, single: Mapping[str, str], today: date, notes: list[str]
) -> tuple[Period | None, str]:
    if dashboard.dates is None:
        return None, ""
    if "from" in single or "to" in single:
        try:
            period = Period(date.fromisoformat(single.get("from", "")), date.fromisoformat(single.get("to", "")))
        except ValueError:
            notes.append("The link's dates are not both of the form 2026-01-31.")
        else:
            if 1 <= period.days <= _LONGEST_PERIOD_DAYS and period.first.year > _LONGEST_PERIOD_DAYS // 365:
                return period, ""
            notes.append("The link's period ends before it begins, or is longer than ten years.")
    name = single.get("period", dashboard.dates.default)
    if name not in dashboard.dates.periods:
        notes.append(f'There is no period "{name}"{did_you_mean(name, dashboard.dates.periods)}.')
        name = dashboard.dates.default
    return relative_period(name, today), name


def url_of(state: PageState, dashboard: Dashboard) -> str:
    """The query string (with `?`) that `page_state_from_url` reads back as this state; defaults are left out."""
    pairs: list[tuple[str, str]] = []
    if state.sheet != dashboard.sheets[0].name:
        pairs.append(("sheet", state.sheet))
    if state.period is not None and dashboard.dates is not None:
        if not state.period_name:
            pairs += [("from", state.period.first.isoformat()), ("to", state.period.last.isoformat())]
        elif state.period_name != dashboard.dates.default:
            pairs.append(("period", state.period_name))
    pairs += [(f"f.{column}", value) for column, values in state.selected.items() for value in values]
    pairs += [(f"drill.{visual}", value) for visual, values in state.drill.items() for value in values]
    pairs += [("top", str(state.top))] if state.top else []
    return f"?{urlencode(pairs)}"


def period_words(state: PageState) -> str:
    """The chosen period in words; "" where the dashboard has no dates."""
    if state.period is None:
        return ""
    if state.period_name:
        return PERIOD_NAMES[state.period_name]
    return f"{state.period.first.isoformat()} to {state.period.last.isoformat()}"
