"""The project's dashboards as the console serves them: with a reader's choices, and what the warehouse holds now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from shoplake_console.dashboards_port import DashboardDocument, DashboardEntry
from shoplake_console.markup import Section
from shoplake_core.clock import Clock
from shoplake_core.errors import ResourceError
from shoplake_core.suggestions import did_you_mean
from shoplake_dashboards.csv_export import tile_csv
from shoplake_dashboards.page import Frame, dash_page, page_assets
from shoplake_dashboards.page_data import PageData, TileState
from shoplake_dashboards.page_state import PageState, page_state_from_url, ranked, url_of
from shoplake_dashboards.tree import Dashboard

from shoplake.console_warehouse import ConsoleWarehouse
from shoplake.dashboard_pages import page_of, project_dashboards
from shoplake.workspace import Workspace

__all__ = ["ConsoleDashboards"]

_MOST_OPTIONS = 500  # as many as a page reads of one filter


class ConsoleDashboards:
    """A `DashboardSource` over the Redshift Data API. Files are read anew for each page: who writes one sees it at once.

    Args:
        workspace: The project.
        warehouse: Where the rows are.
        label: Which environment on which AWS.
        clock: Which day it is.

    """

    def __init__(self, workspace: Workspace, warehouse: ConsoleWarehouse, *, label: str, clock: Clock) -> None:
        self._workspace = workspace
        self._warehouse = warehouse
        self._label = label
        self._clock = clock

    def listed(self) -> Sequence[DashboardEntry]:
        """The dashboards, by title."""
        return sorted(
            (
                DashboardEntry(
                    name=name,
                    title=one.title,
                    question=one.question,
                    sheets=tuple(sheet.title for sheet in one.sheets),
                    tiles={visual.id: visual.title for visual in one.visuals},
                )
                for name, one in project_dashboards(self._workspace).items()
            ),
            key=lambda entry: entry.title,
        )

    def page(self, name: str, query: str) -> DashboardDocument:
        """The dashboard of that name (KeyError if there is none) with the choices of the query string."""
        dashboard = project_dashboards(self._workspace)[name]
        state = page_state_from_url(dashboard, query, today=self._today())
        shown = ranked(dashboard, state.top)
        data = self._read(shown, state)
        data = replace(data, state=replace(state, notes=(*state.notes, *_unknown_values(dashboard, data))))
        frame = Frame(
            links=[(one.value[0], one.value[1], one is Section.DASHBOARDS) for one in Section],
            label=self._label,
            assets="/assets/",
            icon="/assets/icon.svg",
        )
        return DashboardDocument(
            html=dash_page(shown, data, served=True, frame=frame),
            query=url_of(state, dashboard),
            has_faults=bool(data.state.notes),
            is_down=all(tile.state is TileState.ERROR for tile in data.tiles.values()),
        )

    def csv(self, name: str, tile: str, query: str) -> str:
        """The rows of that tile (KeyError if there is none).

        Raises:
            ResourceError: They cannot be read.

        """
        dashboard = project_dashboards(self._workspace)[name]
        state = page_state_from_url(dashboard, query, today=self._today())
        for sheet in ranked(dashboard, state.top).sheets:
            for visual in sheet.visuals:
                if visual.id == tile:
                    alone = replace(dashboard, sheets=(replace(sheet, visuals=(visual,)),), filters=())
                    data = self._read(alone, replace(state, sheet=sheet.name))
                    found = data.tiles[tile]
                    if found.state is TileState.ERROR:
                        raise ResourceError(found.message, hint=found.hint)
                    return tile_csv(visual, data)
        raise KeyError(tile)

    def assets(self) -> Mapping[str, bytes]:
        """The pages' scripts and styles."""
        return page_assets()

    def _today(self) -> date:
        zone = ZoneInfo(self._workspace.project.config.store_time_zone)
        return self._clock.now().astimezone(zone).date()

    def _read(self, dashboard: Dashboard, state: PageState) -> PageData:
        return page_of(self._workspace, self._warehouse, dashboard, state)


def _unknown_values(dashboard: Dashboard, data: PageData) -> list[str]:
    """Sentences on chosen values that the data do not have; none where not all of theirs are known."""
    return [
        f'There is no {chosen.label.lower()} "{value}"{did_you_mean(value, known)}.'
        for chosen in dashboard.filters
        if 0 < len(known := data.options.get(chosen.column, ())) < _MOST_OPTIONS
        for value in data.state.selected.get(chosen.column, ())
        if value not in known
    ]
