"""The reconciliation as a table: rows and one sum a layer, and every finding in words."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from shoplake.views.tables import calm_table

__all__ = ["print_reconciliation"]

_LAYERS = ("mysql", "silver", "gold", "warehouse")


def _cell(layer: Mapping[str, Any] | None) -> str:
    return "-" if layer is None else f"{layer['rows']:,}"


def _sum_line(name: str, layers: Mapping[str, Any]) -> list[str]:
    """The sum of one column in each layer, "" where a layer has none."""
    return [str(layers.get(layer, {}).get("sums", {}).get(name, "")) for layer in _LAYERS]


def _common_sums(layers: Mapping[str, Any]) -> list[str]:
    """Columns that the last layer of the table sums, else nothing: identifiers are summed to find faults, not to be read."""
    last = next((layers[layer] for layer in reversed(_LAYERS) if layers.get(layer)), {})
    return list(last.get("sums", {})) if len([layer for layer in _LAYERS if layers.get(layer)]) > 2 else []


def print_reconciliation(document: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the report that `reconcile --json` gives."""
    out = console or Console()
    table = calm_table("Reconciliation")
    table.add_column("table")
    for layer in _LAYERS:
        table.add_column("MySQL" if layer == "mysql" else layer, justify="right")
    table.add_column("quarantine", justify="right")
    table.add_column("in flight", justify="right")
    table.add_column("agree")
    for entry in document["tables"]:
        layers = entry["layers"]
        table.add_row(
            escape(entry["table"]),
            *(_cell(layers.get(layer)) for layer in _LAYERS),
            f"{entry['rows_in_quarantine']:,}",
            f"{entry['rows_in_flight']:,}",
            "[green]yes[/green]" if entry["agree"] else "[bold red]NO[/bold red]",
        )
        for name in _common_sums(layers):
            table.add_row(f"[dim]  sum {escape(name)}[/dim]", *(f"[dim]{s}[/dim]" for s in _sum_line(name, layers)))
    out.print(table)
    cut = document["cut"]
    out.print(
        f"[dim]cut: {escape(str(cut['position']))}, taken {escape(str(cut['taken_at']))}; "
        f"{escape(str(document.get('formula', '')))}[/dim]",
        soft_wrap=True,
        highlight=False,
    )
    for entry in document["tables"]:
        for finding in entry["findings"]:
            out.print(
                f"[red]{escape(entry['table'])}[/red]: {escape(finding['message'])}", soft_wrap=True, highlight=False
            )
