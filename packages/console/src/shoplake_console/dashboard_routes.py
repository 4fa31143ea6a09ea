"""The dashboards over HTTP: which there are, one with a reader's choices, and a tile's rows as CSV."""

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from shoplake_core.errors import ConfigError, ShoplakeError
from shoplake_core.suggestions import did_you_mean
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from shoplake_console.dashboards_port import DashboardEntry, DashboardSource
from shoplake_console.markup import Section, bidi, document, error_main

__all__ = ["dashboard_list_main", "dashboard_routes"]


def dashboard_list_main(entries: Sequence[DashboardEntry]) -> str:
    """The main part of the page that lists the dashboards. Pure."""
    if not entries:
        return '<h1>Dashboards</h1><p class="empty">this project has none yet: write dashboards/sales.toml</p>'
    cards = "".join(
        f'<li class="card"><h2><a href="/dashboards/{quote(one.name, safe="")}">{bidi(one.title)}</a></h2>'
        f"<p>{bidi(one.question)}</p>"
        f'<p class="facts">{escape(_count(len(one.tiles), "tile"))}'
        f"{' · ' + bidi(', '.join(one.sheets)) if len(one.sheets) > 1 else ''}</p></li>"
        for one in entries
    )
    return f'<h1>Dashboards</h1><ul class="cards">{cards}</ul>'


def _count(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def dashboard_routes(source: DashboardSource, *, label: str) -> list[Route]:
    """Where the dashboards are found.

    Args:
        source: The dashboards.
        label: Which environment on which AWS.

    """

    def answered(title: str, main: str, status: int = 200) -> Response:
        return HTMLResponse(document(title, label, main, section=Section.DASHBOARDS), status)

    def broken(error: ShoplakeError) -> Response:
        """A dashboard's file is wrong, or the warehouse did not answer for a file that is not a page."""
        return answered("Error", error_main(error.message, error.hint), 500 if isinstance(error, ConfigError) else 502)

    def found(name: str, entries: Sequence[DashboardEntry]) -> DashboardEntry:
        for entry in entries:
            if entry.name == name:
                return entry
        names = [entry.name for entry in entries]
        raise ConfigError(
            f'no dashboard "{name}"{did_you_mean(name, names)}', hint=f"one of: {', '.join(names) or 'none yet'}"
        )

    def show_list(_request: Request) -> Response:
        try:
            return answered("Dashboards", dashboard_list_main(source.listed()))
        except ShoplakeError as error:
            return broken(error)

    def show(request: Request) -> Response:
        try:
            entries = source.listed()
        except ShoplakeError as error:
            return broken(error)
        entry = found(request.path_params["name"], entries)
        kept = _without_blanks(request.url.query)
        if kept != request.url.query:
            return RedirectResponse(f"/dashboards/{quote(entry.name, safe='')}{'?' + kept if kept else ''}", 303)
        page = source.page(entry.name, request.url.query)
        return HTMLResponse(page.html, 400 if page.has_faults else 502 if page.is_down else 200)

    def download(request: Request) -> Response:
        try:
            entries = source.listed()
        except ShoplakeError as error:
            return broken(error)
        entry, tile = found(request.path_params["name"], entries), request.path_params["tile"]
        if tile not in entry.tiles:
            raise ConfigError(
                f'dashboard "{entry.name}" has no tile "{tile}"{did_you_mean(tile, entry.tiles)}',
                hint=f"one of: {', '.join(entry.tiles)}",
            )
        try:
            rows = source.csv(entry.name, tile, request.url.query)
        except ShoplakeError as error:
            return broken(error)
        file = f"{entry.name}_{tile}.csv"
        return Response(
            "\ufeff" + rows,  # by which spreadsheets know that it is UTF-8
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file, safe='')}"},
        )

    return [
        Route("/dashboards", show_list),
        Route("/dashboards/{name}/{tile}.csv", download),
        Route("/dashboards/{name}", show),
    ]


def _without_blanks(query: str) -> str:
    """A form sends its empty fields too: the address that is kept and shared goes without them."""
    return "&".join(pair for pair in query.split("&") if pair.partition("=")[2])
