"""The dashboards of a project: `dashboards/*.toml`, checked against its gold contracts and its metrics catalogue."""

from collections.abc import Mapping
from pathlib import Path

from shoplake_core.contracts import TableContract
from shoplake_core.metrics import METRICS_FILE_NAME, parse_metrics

from shoplake_dashboards.checking import check_dashboard
from shoplake_dashboards.metrics import measures_of_catalogue
from shoplake_dashboards.operational import operational_contracts
from shoplake_dashboards.parsing import parse_dashboard
from shoplake_dashboards.sql import Contracts
from shoplake_dashboards.tree import Dashboard

__all__ = ["all_contracts", "dashboards_from_files", "dashboards_from_folder"]


def all_contracts(gold: Contracts) -> dict[str, TableContract]:
    """Everything that a dashboard may show: the project's gold tables and the records of runs."""
    return {**operational_contracts(), **gold}


def dashboards_from_files(files: Mapping[str, str], gold: Contracts) -> dict[str, Dashboard]:
    """Name -> dashboard, of the project's files (path -> text): `dashboards/*.toml` and `metrics.toml`.

    Raises:
        ConfigError: A file is no valid dashboard or catalogue.

    """
    known = all_contracts(gold)
    catalogue = parse_metrics(files.get(METRICS_FILE_NAME, ""), gold, where=METRICS_FILE_NAME)
    metrics = measures_of_catalogue(catalogue)
    found = {}
    for path, text in sorted(files.items()):
        if path.startswith("dashboards/") and path.endswith(".toml"):
            name = Path(path).stem
            found[name] = check_dashboard(parse_dashboard(text, name=name, where=path, metrics=metrics), known)
    return found


def dashboards_from_folder(folder: Path, gold: Contracts) -> dict[str, Dashboard]:
    """Name -> dashboard, of the project in `folder` (the one that holds `shoplake.toml`).

    Raises:
        ConfigError: A file is no valid dashboard or catalogue.

    """
    paths = [folder / METRICS_FILE_NAME, *folder.glob("dashboards/*.toml")]
    files = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in paths if path.is_file()}
    return dashboards_from_files(files, gold)
