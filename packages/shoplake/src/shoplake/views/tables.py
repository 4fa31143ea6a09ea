"""The one look of every table that the command prints."""

from rich import box
from rich.console import Console
from rich.table import Table

__all__ = ["calm_table", "data_console"]

_PIPE_WIDTH = 140  # a pipe has no width of its own; rich would cut numbers at 80


def data_console() -> Console:
    """The console of stdout: as wide as the terminal, or wide enough for every number where there is none."""
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)


def calm_table(title: str = "") -> Table:
    """An empty table: a rule under the header, no other lines."""
    return Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        collapse_padding=True,
    )
