"""The project's dashboards with what the warehouse holds now, one page each."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from shoplake_dashboards.loading import all_contracts, dashboards_from_folder
from shoplake_dashboards.page import dash_page
from shoplake_dashboards.page_data import PageData, TileState, read_page
from shoplake_dashboards.page_state import PageState, page_state_from_url
from shoplake_dashboards.reads import page_reads
from shoplake_dashboards.sql import freshness_queries, option_queries
from shoplake_dashboards.tree import Dashboard

from shoplake.cloud import Cloud
from shoplake.console_warehouse import ConsoleWarehouse, warehouse_of
from shoplake.workspace import Workspace

__all__ = ["failed_tiles", "page_file_names", "page_of", "project_dashboards", "read_dashboard", "write_pages"]


def project_dashboards(workspace: Workspace) -> dict[str, Dashboard]:
    """Name -> dashboard of the project, each checked against its gold contracts.

    Raises:
        ConfigError: A file is no valid dashboard.

    """
    return dashboards_from_folder(workspace.folder, workspace.project.gold)


def page_of(workspace: Workspace, warehouse: ConsoleWarehouse, dashboard: Dashboard, state: PageState) -> PageData:
    """What the sheet of that state shows; a tile that cannot be read says why."""
    config, contracts = workspace.project.config, all_contracts(workspace.project.gold)
    return read_page(
        dashboard,
        state,
        contracts=contracts,
        run=warehouse.asked(
            (
                *(read.query for read in page_reads(dashboard, state, contracts=contracts)),
                *freshness_queries(dashboard, contracts=contracts),
                *option_queries(dashboard, contracts=contracts),
            )
        ),
        currency=config.store_currency,
        time_zone=config.store_time_zone,
    )


def read_dashboard(cloud: Cloud, dashboard: Dashboard) -> PageData:
    """What the page shows, asked of the warehouse by the Data API; a tile that cannot be read says why."""
    zone = ZoneInfo(cloud.workspace.project.config.store_time_zone)
    state = page_state_from_url(dashboard, "", today=cloud.clock.now().astimezone(zone).date())
    return page_of(cloud.workspace, warehouse_of(cloud), dashboard, state)


def page_file_names(names: Sequence[str], folder: Path) -> dict[str, Path]:
    """Name -> the file of its page."""
    return {name: folder / f"{name}.html" for name in names}


def write_pages(
    cloud: Cloud, dashboards: Mapping[str, Dashboard], folder: Path, *, note: Callable[[str], None]
) -> dict[str, list[str]]:
    """Dashboard -> tiles that could not be read; each page is one file without any request to elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    failed = {}
    for name, path in page_file_names(list(dashboards), folder).items():
        note(name)
        data = read_dashboard(cloud, dashboards[name])
        path.write_text(dash_page(dashboards[name], data), "utf-8")
        failed[name] = failed_tiles(data)
    return failed


def failed_tiles(data: PageData) -> list[str]:
    """Ids of the tiles whose rows could not be read."""
    return [tile for tile, rows in data.tiles.items() if rows.state is TileState.ERROR]
