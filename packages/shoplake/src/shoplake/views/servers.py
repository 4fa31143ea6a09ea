"""Where the servers are, what they do, and what a person may do next."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from shoplake.laptop import Laptop
from shoplake.views.runs import print_run_story
from shoplake.views.tables import calm_table, data_console

__all__ = ["print_endpoints", "print_next_steps", "print_status"]


def print_endpoints(laptop: Laptop, *, to_stderr: bool = False) -> None:
    """Print each server's address. Passwords stay in the state folder."""
    out = Console(stderr=True) if to_stderr else data_console()
    for name, address in laptop.endpoints()["endpoints"].items():
        out.print(f"  {name:<13} {escape(str(address))}", highlight=False)


def print_next_steps(laptop: Laptop, pages: Mapping[str, Path]) -> None:
    """Print what to try next, the dashboards' files first."""
    out = data_console()
    out.print("[bold]Dashboards[/bold]")
    for path in pages.values():
        out.print(f"  {escape(os.path.relpath(path))}", highlight=False, soft_wrap=True)
    out.print("[bold]Next[/bold]")
    for command, why in (
        (laptop.psql_command(), "the warehouse, in any SQL client"),
        (
            './hatchw run shoplake query "select * from gold.agg_sales_daily limit 5"',
            "the same by the Redshift Data API",
        ),
        ("./hatchw run shoplake console", "every run, state by state, in the browser"),
        ("./hatchw run shoplake run", "carry what has changed since"),
        ("./hatchw run shoplake down", "end every server; `up` brings the state back"),
    ):
        out.print(f"  {escape(command)}\n      [dim]{escape(why)}[/dim]", highlight=False, soft_wrap=True)


def print_status(document: Mapping[str, Any]) -> None:
    """Print servers, replication and the last run."""
    out = data_console()
    table = calm_table()
    for column in ("server", "state", "pid", "port"):
        table.add_column(column)
    for server in document["servers"]:
        state = "[green]running[/green]" if server["running"] else "[dim]stopped[/dim]"
        table.add_row(server["name"], state, str(server["pid"] or ""), str(server["port"] or ""))
    out.print(table)
    replication = document["replication"]
    if replication and replication["tables"]:
        tables = calm_table(f"replication: {replication['state']} at {replication['position'] or 'no position yet'}")
        for column in ("table", "state", "loaded", "inserts", "updates", "deletes"):
            tables.add_column(column)
        for name, entry in replication["tables"].items():
            counts = (f"{int(entry.get(c) or 0):,}" for c in ("loaded_rows", "inserts", "updates", "deletes"))
            tables.add_row(name, entry["state"], *counts)
        out.print(tables)
    if replication and replication["message"]:
        out.print(
            f"[yellow]replication says[/yellow] {escape(replication['message'])}", soft_wrap=True, highlight=False
        )
    run = document["last_run"]
    if run is None:
        hint = "./hatchw run shoplake run" if replication else "./hatchw run shoplake up"
        out.print(f"no run to show: {hint}")
    else:
        print_run_story(run, out)
    out.print(f"[dim]state: {escape(os.path.relpath(document['state_folder']))}[/dim]")
