"""What a run did, layer by layer, and where the time went."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shoplake.views.tables import calm_table, data_console

__all__ = ["print_run", "print_times"]

_SILVER = ("read", "inserted", "updated", "deleted", "quarantined", "redelivered")
_GOLD = ("inserted", "updated", "deleted")


def _rows(title: str, tables: Mapping[str, Any], counters: tuple[str, ...]) -> Table:
    table = calm_table(title)
    table.add_column("table", no_wrap=True)
    for counter in counters:
        table.add_column(counter, justify="right", no_wrap=True)
    for name, entry in tables.items():
        table.add_row(name, *(f"{int(entry.get(counter, 0)):,}" for counter in counters))
    return table


def print_run(run: Mapping[str, Any], console: Console | None = None) -> None:
    """Print how many rows each layer touched, and what dashboards read anew, from a run's document."""
    out = console or data_console()
    parts = run["steps"]
    if "outcome" in parts.get("silver", {}):
        out.print(_rows("Silver: changes read and rows touched", parts["silver"]["outcome"]["tables"], _SILVER))
    if "outcome" in parts.get("gold", {}):
        out.print(_rows("Gold: rows touched", parts["gold"]["outcome"]["tables"], _GOLD))
    shown = run["output"].get("dashboards")
    if shown:
        out.print(
            f"Data sets that QuickSight read anew: {shown['refreshed']}, with {shown['rows']:,} rows", highlight=False
        )
        for warning in shown["warnings"]:
            out.print(f"warning: {escape(warning)}", style="yellow", highlight=False, soft_wrap=True)


def print_times(step_seconds: Mapping[str, float], total_seconds: float, console: Console | None = None) -> None:
    """Print where the time went, longest first."""
    out = console or data_console()
    table = calm_table("Where the time went")
    table.add_column("step")
    table.add_column("seconds", justify="right")
    table.add_column("share", justify="right")
    for title, seconds in sorted(step_seconds.items(), key=lambda item: -item[1]):
        table.add_row(title, f"{seconds:.1f}", f"{100 * seconds / total_seconds:.0f} %")
    table.add_row("all", f"{total_seconds:.1f}", "")
    out.print(table)
