"""The dashboards of a project: `dashboards/*.toml`, checked against its gold contracts."""

from collections.abc import Mapping
from pathlib import Path

from shoplake_dashboards.checking import check_dashboard
from shoplake_dashboards.parsing import parse_dashboard
from shoplake_dashboards.sql import Contracts
from shoplake_dashboards.tree import Dashboard, Measure

__all__ = ["dashboards_from_files", "dashboards_from_folder"]


def dashboards_from_files(
    files: Mapping[str, str], contracts: Contracts, *, metrics: Mapping[str, Measure] | None = None
) -> dict[str, Dashboard]:
    """Name -> dashboard, of the project's files (path -> text) below `dashboards/`.

    Raises:
        ConfigError: A file is no valid dashboard.

    """
    found = {}
    for path, text in sorted(files.items()):
        if path.startswith("dashboards/") and path.endswith(".toml"):
            name = Path(path).stem
            found[name] = check_dashboard(parse_dashboard(text, name=name, where=path, metrics=metrics), contracts)
    return found


def dashboards_from_folder(
    folder: Path, contracts: Contracts, *, metrics: Mapping[str, Measure] | None = None
) -> dict[str, Dashboard]:
    """Name -> dashboard, of the project in `folder` (the one that holds `shoplake.toml`).

    Raises:
        ConfigError: A file is no valid dashboard.

    """
    paths = sorted(folder.glob("dashboards/*.toml"))
    files = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in paths}
    return dashboards_from_files(files, contracts, metrics=metrics)
