"""Wishes for a reload, left as files in the state folder: the command writes them, the running replicator serves them."""

import hashlib
from pathlib import Path

__all__ = ["ALL_TABLES", "finish_request", "request_reload", "requested_reloads"]

ALL_TABLES = "*"
_FOLDER = "requests"


def _path(folder: Path, table: str) -> Path:
    return folder / _FOLDER / hashlib.sha256(table.encode("utf-8")).hexdigest()[:32]


def request_reload(folder: Path, table: str) -> None:
    """The wish to load `schema.table` anew (or ALL_TABLES) is on record."""
    path = _path(folder, table)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(table, "utf-8")


def requested_reloads(folder: Path) -> list[str]:
    """Names of tables that are to be loaded anew."""
    try:
        paths = sorted((folder / _FOLDER).iterdir())
    except FileNotFoundError:
        return []
    return [text for path in paths if (text := path.read_text("utf-8"))]


def finish_request(folder: Path, table: str) -> None:
    """The wish is served."""
    _path(folder, table).unlink(missing_ok=True)
