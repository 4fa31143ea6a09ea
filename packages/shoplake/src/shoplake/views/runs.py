"""Runs as people read them: a list, and one run's parts with its failure in one sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from shoplake.views.tables import calm_table, data_console

__all__ = ["print_run_list", "print_run_story"]

_STYLES = {"succeeded": "green", "running": "blue", "failed": "bold red", "timed out": "bold red", "stopped": "yellow"}
_SIGNS = {"succeeded": "✓", "running": "…", "failed": "✗", "timed out": "✗", "stopped": "■"}


def _status(word: str) -> str:
    style = _STYLES.get(word, "dim")
    return f"[{style}]{_SIGNS.get(word, '·')} {word}[/{style}]"


def print_run_list(runs: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """Print one line a run, newest first."""
    out = console or data_console()
    if not runs:
        out.print("no run yet: shoplake run")
        return
    table = calm_table()
    for column in ("run", "status", "started (UTC)"):
        table.add_column(column, no_wrap=True)
    table.add_column("seconds", justify="right")
    table.add_column("redrives", justify="right")
    for run in runs:
        seconds = "" if run["seconds"] is None else f"{run['seconds']:,.1f}"
        started = run["started_at"][:19].replace("T", " ")
        table.add_row(escape(run["run_id"]), _status(run["status"]), started, seconds, str(run["redrives"] or ""))
    out.print(table)


def print_run_story(run: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a run's parts, each with its time, and why it failed."""
    out = console or data_console()
    out.print(
        f"run {escape(run['run_id'])}   {_status(run['status'])}   started {run['started_at'][:19]} UTC",
        highlight=False,
    )
    for name, part in run["steps"].items():
        word = "" if part["ended"] else "  [blue]now here[/blue]"
        out.print(f"  {name:<10} {part['seconds']:>8.1f} s{word}", highlight=False)
    failed = run["failed"]
    if failed:
        where = f' at "{failed["state"]}"' if failed["state"] else ""
        out.print(
            f"[bold red]failed{escape(where)}[/bold red]: {escape(failed['cause'] or failed['error'])}",
            soft_wrap=True,
            highlight=False,
        )
        out.print(
            f"  [bold]next:[/bold] mend the cause, then: shoplake runs redrive {escape(run['run_id'])}", highlight=False
        )
