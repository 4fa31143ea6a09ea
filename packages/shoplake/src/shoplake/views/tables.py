"""The one look of every table that the command prints."""

from rich import box
from rich.table import Table

__all__ = ["calm_table"]


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
