"""A sheet of a dashboard as one HTML file that asks nobody for anything: styles, scripts, specifications and data are in it.

The Content-Security-Policy allows the page's own two scripts and its style sheet by their hashes, and nothing else: no
connection, no inline style, no `eval` (Vega runs its expressions by interpreter). A server may send scripts and styles as
files of their own instead, with a policy of its own.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import vl_convert  # type: ignore[import-not-found, unused-ignore]

from shoplake_dashboards.controls import controls
from shoplake_dashboards.csv_export import tile_csv
from shoplake_dashboards.fragments import drill_links, tile_html
from shoplake_dashboards.layout import ROW_PIXELS
from shoplake_dashboards.markup import Html, join, raw_json, tag
from shoplake_dashboards.page_data import PageData, TileState
from shoplake_dashboards.page_state import period_words, url_of
from shoplake_dashboards.parity import Rendering, account_for
from shoplake_dashboards.tree import Bar, Dashboard, Donut, HeatMap, Kpi, Line, Unit, Visual, named_measures
from shoplake_dashboards.vega.bar import bar_spec
from shoplake_dashboards.vega.common import DARK, LIGHT
from shoplake_dashboards.vega.donut import donut_spec
from shoplake_dashboards.vega.heat_map import heat_map_spec
from shoplake_dashboards.vega.line import line_spec

__all__ = ["VEGA_LITE_VERSION", "Frame", "dash_page", "page_assets", "visual_spec"]

VEGA_LITE_VERSION = "6.4"
_BAR_PIXELS = 24
_WIDEST_BAR_PIXELS = 52


@cache
def _asset(name: str) -> str:
    return resources.files("shoplake_dashboards").joinpath("assets").joinpath(name).read_text("utf-8")


@cache
def _bundle() -> str:
    """Vega, Vega-Lite and vega-embed with their interpreter, as vl-convert carries them, and with their licences."""
    carrier: Any = vl_convert  # its stub wants a snippet, itself it wants none
    script: str = carrier.javascript_bundle(vl_version=VEGA_LITE_VERSION)
    script = script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    return f"/*!\n{_asset('vega.licences.txt')}*/\n{script}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def visual_spec(dashboard: Dashboard, visual: Visual, data: PageData, *, served: bool = False) -> dict[str, Any] | None:
    """The Vega-Lite specification of a chart, with colour roles; None for what is plain HTML or has no rows."""
    tile = data.tiles.get(visual.id)
    if tile is None or tile.state is not TileState.READY:
        return None
    height = max(120, visual.height * ROW_PIXELS - 100)
    if isinstance(visual, Line):
        return line_spec(visual, tile, data, height=height)
    if isinstance(visual, Bar):
        links = drill_links(dashboard, visual, data) if served else {}
        step = min(_WIDEST_BAR_PIXELS, max(_BAR_PIXELS, height // max(1, len(tile.main))))
        return bar_spec(visual, tile, data, height=step * len(tile.main), links=links)
    if isinstance(visual, Donut):
        return donut_spec(visual, tile, data, height=height)
    return heat_map_spec(visual, tile, data, height=height) if isinstance(visual, HeatMap) else None


def _freshness(dashboard: Dashboard, data: PageData) -> Html:
    days = [fresh.last_day for fresh in data.freshness.values() if fresh.last_day is not None]
    loads = [fresh.loaded_at for fresh in data.freshness.values() if fresh.loaded_at is not None]
    parts = []
    if days:
        parts.append(f"Data to {min(days)}" if min(days) == max(days) else f"Data to {min(days)} at least")
        behind = (data.state.today - min(days)).days
        if behind > 1:
            parts.append(f"{behind} days behind")
    if loads:
        parts.append(f"loaded {min(loads):%Y-%m-%d %H:%M} UTC")
    if not parts:
        parts.append("How new the data are is not known")
    units = {measure.unit for visual in dashboard.visuals for _, measure in named_measures(visual)}
    amounts = f", amounts in {data.currency}" if Unit.CURRENCY in units else ""
    return tag("p", f"{', '.join(parts)}. Days are of {data.time_zone}{amounts}.", class_="freshness")


def _chosen(dashboard: Dashboard, data: PageData, *, served: bool) -> Html:
    """The choices in words: on a page without a server they cannot be changed, but must be said. Controls say their own."""
    state = data.state
    parts = [period_words(state)] if state.period and not served else []
    if state.period:
        parts.append(f"{state.period.first} to {state.period.last}")
    if state.period and state.period.last >= state.today:
        parts.append("today is not over")
    for chosen in () if served else dashboard.filters:
        values = state.selected.get(chosen.column, ())
        parts.append(f"{chosen.label}: {', '.join(values) if values else 'all'}")
    return tag("p", *(tag("span", part, class_="chip") for part in parts), class_="chips") if parts else Html("")


def _sheets(dashboard: Dashboard, data: PageData, *, served: bool) -> Html:
    if len(dashboard.sheets) == 1 or not served:
        return Html("")
    links = []
    for sheet in dashboard.sheets:
        here = sheet.name == data.state.sheet
        url = url_of(replace(data.state, sheet=sheet.name, drill={}), dashboard)
        links.append(tag("a", sheet.title, href=url, **({"aria_current": "page"} if here else {})))
    return tag("nav", *links, class_="sheets", aria_label="Sheets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a server puts around a page.

    Attributes:
        links: Words, address and whether it is here, of the ways to other pages.
        label: What stands beside them.
        assets: The address before the names of `page_assets`.
        icon: Address of the icon.

    """

    links: Sequence[tuple[str, str, bool]]
    label: str
    assets: str
    icon: str


def _around(frame: Frame) -> Html:
    links = [
        tag("a", words, href=href, **({"aria_current": "page"} if here else {})) for words, href, here in frame.links
    ]
    return tag("nav", *links, tag("bdi", frame.label), class_="frame", aria_label="Console")


@cache
def page_assets() -> dict[str, bytes]:
    """Name -> content of the files that a page in a `Frame` loads. A name holds the hash of its content."""
    return {_asset_name(name): text.encode() for name, text in _parts().items()}


@cache
def _parts() -> dict[str, str]:
    return {"page.css": _asset("page.css"), "vega.js": _bundle(), "page.js": _asset("page.js")}


@cache
def _asset_name(name: str) -> str:
    stem, _, ending = name.partition(".")
    return f"dashboard-{stem}-{hashlib.sha256(_parts()[name].encode()).hexdigest()[:16]}.{ending}"


def dash_page(dashboard: Dashboard, data: PageData, *, served: bool = False, frame: Frame | None = None) -> str:
    """The sheet that `data` was read for, as one HTML document.

    Args:
        dashboard: A checked dashboard.
        data: From `read_page`.
        served: A server answers this page's links: filters become controls, bars open the level below.
        frame: What that server puts around it; it sends the files of `page_assets` and the policy for them.

    """
    sheet = dashboard.sheet(data.state.sheet)
    for node in (*sheet.visuals, *dashboard.filters, *((dashboard.dates,) if dashboard.dates else ())):
        account_for(node, Rendering.PAGE)
    specs = {
        visual.id: spec for visual in sheet.visuals if (spec := visual_spec(dashboard, visual, data, served=served))
    }
    csvs = (
        {}
        if served
        else {
            visual.id: tile_csv(visual, data)
            for visual in sheet.visuals
            if visual.id in data.tiles and data.tiles[visual.id].state is TileState.READY
        }
    )
    content = {
        "specs": specs,
        "csv": csvs,
        "themes": {"light": LIGHT, "dark": DARK},
        "name": dashboard.name,
    }
    style, script, bundle = _asset("page.css"), _asset("page.js"), _bundle()
    policy = (
        f"default-src 'none'; script-src {_hash(bundle)} {_hash(script)}; style-src {_hash(style)}; "
        "img-src data:; form-action 'self'; base-uri 'none'"
    )
    kpis = [v for v in sheet.visuals if isinstance(v, Kpi)]
    if frame is None:
        head_parts = [tag("meta", http_equiv="Content-Security-Policy", content=policy), tag("style", Html(style))]
        scripts = [tag("script", Html(bundle)), tag("script", Html(script))]
    else:
        head_parts = [
            tag("link", rel="stylesheet", href=frame.assets + _asset_name("page.css")),
            tag("link", rel="icon", href=frame.icon),
        ]
        scripts = [tag("script", src=frame.assets + _asset_name(name)) for name in ("vega.js", "page.js")]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{dashboard.title}: {sheet.title}"),
        *head_parts,
    )
    body = tag(
        "body",
        tag("a", "Skip to the tiles", href="#tiles", class_="skip"),
        _around(frame) if frame else "",
        tag(
            "header",
            tag("div", tag("h1", dashboard.title), tag("p", dashboard.question, class_="question"), class_="titles"),
            tag("button", "Dark theme", type="button", id="theme", aria_pressed="false"),
            _sheets(dashboard, data, served=served),
            controls(dashboard, data) if served else Html(""),
            _chosen(dashboard, data, served=served),
            _freshness(dashboard, data),
            *(tag("p", note, class_="url-note", role="status") for note in data.state.notes),
        ),
        tag(
            "main",
            tag("noscript", tag("p", "Without JavaScript the charts are not drawn; the rows of each stand below it.")),
            tag("h2", sheet.title, class_="hidden" if len(dashboard.sheets) == 1 else "sheet-title"),
            tag(
                "div",
                *(tile_html(dashboard, visual, data, served=served) for visual in sheet.visuals),
                class_=f"grid kpis-{len(kpis)}",
            ),
            id="tiles",
        ),
        tag("script", raw_json(json.dumps(content, ensure_ascii=False)), type="application/json", id="content"),
        *scripts,
    )
    return join(Html("<!doctype html>\n"), tag("html", head, body, lang="en"))
