"""The reconciliation as a table: rows and one sum a layer, and every finding in words."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from shoplake.views.tables import calm_table

__all__ = ["finding_text", "print_reconciliation"]

_LAYERS = ("mysql", "silver", "gold", "warehouse")


_KINDS = {
    "lost_row": "lost",
    "ghost_row": "ghost, there and not expected",
    "wrong_value": "wrong value",
    "missing_table": "missing table",
    "unproven": "not proven",
}


def finding_text(finding: Mapping[str, Any]) -> str:
    """One finding in a sentence: what, between which layers, where, which keys, and both numbers."""
    text = f"{_KINDS.get(finding['kind'], finding['kind'])} in {finding['found_in']} (against {finding['expected_in']})"
    if finding.get("key_range_text"):
        text += f", key range {finding['key_range_text']}"
    if finding.get("keys"):
        shown = "; ".join(", ".join(f"{name} {value}" for name, value in key.items()) for key in finding["keys"][:3])
        more = finding["key_count"] - len(finding["keys"][:3])
        text += f", keys {shown}" + (f" and {more} more" if more > 0 else "")
    if finding.get("expected_rows") is not None and finding.get("found_rows") is not None:
        text += f": {finding['expected_rows']:,} rows expected, {finding['found_rows']:,} found"
    for total in finding.get("sums", ()):
        text += (
            f"; sum of {total['column']} {total['expected']} expected, {total['found']} found ({total['difference']})"
        )
    if finding.get("columns"):
        text += f"; columns {', '.join(finding['columns'])}"
    return f"{text}; {finding['message']}" if finding.get("message") else text


def _cell(layer: Mapping[str, Any] | None) -> str:
    return "-" if layer is None else f"{layer['rows']:,}"


def _sum_line(name: str, layers: Mapping[str, Any]) -> list[str]:
    """The sum of one column in each layer, "" where a layer has none."""
    return [str(layers.get(layer, {}).get("sums", {}).get(name, "")) for layer in _LAYERS]


def _common_sums(layers: Mapping[str, Any]) -> list[str]:
    """Columns that the last layer of the table sums, else nothing: identifiers are summed to find faults, not to be read."""
    last: Mapping[str, Any] = next((layers[layer] for layer in reversed(_LAYERS) if layers.get(layer)), {})
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
                f"[red]{escape(entry['table'])}[/red]: {escape(finding_text(finding))}", soft_wrap=True, highlight=False
            )
