"""The reconciliation as a table: rows and one sum a layer, and every finding in words."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shoplake.views.tables import calm_table, data_console

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


def _rows_table(document: Mapping[str, Any]) -> Table:
    in_flight = any(entry["rows_in_flight"] for entry in document["tables"])
    table = calm_table("Rows")
    table.add_column("table", no_wrap=True)
    titles = ["MySQL", "silver", "refused", "orphans", "gold", "warehouse", *(["in flight"] if in_flight else [])]
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("agree", no_wrap=True)
    for entry in document["tables"]:
        layers = entry["layers"]
        table.add_row(
            escape(entry["table"]),
            _cell(layers.get("mysql")),
            _cell(layers.get("silver")),
            f"{entry['rows_in_quarantine']:,}",
            f"{entry['orphans']:,}",
            _cell(layers.get("gold")),
            _cell(layers.get("warehouse")),
            *([f"{entry['rows_in_flight']:,}"] if in_flight else []),
            "[green]yes[/green]" if entry["agree"] else "[bold red]NO[/bold red]",
        )
    return table


def _sums_table(document: Mapping[str, Any]) -> Table | None:
    """The sums that every layer has; those of fewer layers find faults and are not read."""
    table = calm_table("Sums")
    table.add_column("column", no_wrap=True)
    for title in _LAYERS:
        table.add_column("MySQL" if title == "mysql" else title, justify="right", no_wrap=True)
    for entry in document["tables"]:
        layers = [entry["layers"].get(layer) for layer in _LAYERS]
        if None in layers:
            continue
        # gold leaves orphans out, and says what it expected instead
        columns = layers[2]["sums"]
        table_sums = [(name, *(layer["sums"].get(name, "") for layer in layers)) for name in columns]
        for name, *sums in table_sums:
            table.add_row(escape(f"{entry['table']}.{name}"), *sums)
    return table if table.row_count else None


def print_reconciliation(document: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the report that `reconcile --json` gives."""
    out = console or data_console()
    out.print(_rows_table(document))
    sums = _sums_table(document)
    if sums is not None:
        out.print(sums)
    cut = document["cut"]
    for line in (
        "refused: rows that break a rule, in quarantine with the reason; orphans: rows whose parent lies there",
        f"cut: {cut['position']}, taken {cut['taken_at'][:19]} UTC",
        *document.get("formula", "").split("; "),
    ):
        out.print(f"[dim]{escape(line)}[/dim]", soft_wrap=True, highlight=False)
    for entry in document["tables"]:
        for finding in entry["findings"]:
            text = f"[red]{escape(entry['table'])}[/red]: {escape(finding_text(finding))}"
            out.print(text, soft_wrap=True, highlight=False)
    if all(entry["agree"] for entry in document["tables"]):
        out.print("[bold green]Every layer agrees.[/bold green]", highlight=False)
