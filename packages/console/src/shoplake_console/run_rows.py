"""What a run did to the rows of each layer, from its document. Pure."""

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from shoplake_console.markup import bidi, table, told_seconds

__all__ = ["rows_by_layer"]

_COUNTERS = {
    "silver": ("read", "inserted", "updated", "deleted", "quarantined"),
    "gold": ("inserted", "updated", "deleted"),
}
_TITLES = {"quarantined": "refused"}


def rows_by_layer(document: Mapping[str, Any]) -> str:
    """Sums by layer, each layer's tables folded below; "" where no job has left anything yet."""
    steps = document.get("steps", {})
    parts = []
    for layer, counters in _COUNTERS.items():
        outcome = steps.get(layer, {}).get("outcome", {})
        tables = outcome.get("tables", {}) if isinstance(outcome, Mapping) else {}
        if tables:
            parts.append(_layer(layer, counters, tables))
    warehouse = document.get("output", {}).get("warehouse", {})
    if isinstance(warehouse, Mapping) and "rows" in warehouse:
        batches = warehouse.get("batches", 0)
        parts.append(f"<p><strong>Warehouse</strong>: {warehouse['rows']:,} rows in {batches} batches</p>")
    return f"<section><h2>Rows by layer</h2>{''.join(parts)}</section>" if parts else ""


def _layer(layer: str, counters: tuple[str, ...], tables: Mapping[str, Mapping[str, Any]]) -> str:
    sums = ", ".join(
        f"{sum(int(one.get(counter, 0)) for one in tables.values()):,} {_TITLES.get(counter, counter)}"
        for counter in counters
    )
    failed = [name for name, one in tables.items() if "error" in one]
    told = f' <span class="warn">! {len(failed)} of {len(tables)} tables failed</span>' if failed else ""
    heads = ("Table", *(f"{_TITLES.get(counter, counter).title()}#" for counter in counters), "Duration#", "To know")
    rows = [_row(layer, name, one, counters) for name, one in tables.items()]
    return (
        f"<details{' open' if failed else ''}><summary><strong>{layer.title()}</strong>: {sums}{told}</summary>"
        f"{table(f'Rows of {layer}', heads, rows)}</details>"
    )


def _row(layer: str, name: str, one: Mapping[str, Any], counters: tuple[str, ...]) -> list[str]:
    link = f'<a href="/data/{layer}/{quote(name, safe="")}">{bidi(name)}</a>'
    counts = [f"{int(one.get(counter, 0)):,}" for counter in counters]
    return [link, *counts, told_seconds(float(one.get("seconds", 0))), _to_know(one)]


def _to_know(one: Mapping[str, Any]) -> str:
    if "error" in one:
        return f'<span class="warn">{bidi(str(one["error"].get("message", "")))}</span>'
    warnings = one.get("warnings", {})
    told = [
        f"{name.replace('_', ' ')}: {value['rows'] if isinstance(value, Mapping) and 'rows' in value else value}"
        for name, value in warnings.items()
    ]
    return escape("; ".join(told)) or "-"
