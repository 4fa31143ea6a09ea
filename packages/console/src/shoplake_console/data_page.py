"""The data: whether the layers agree, and every table of bronze, silver and gold. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from urllib.parse import quote

from shoplake_console.data_port import (
    CheckedRun,
    DataLayer,
    DataOverview,
    Problem,
    ReconciledTable,
    TableEntry,
)
from shoplake_console.markup import bidi, status_badge, table, time_tag, told_bytes, told_seconds

__all__ = ["data_main", "problems_html", "run_link", "table_link", "told_count"]

_LAYERS = ("mysql", "silver", "gold", "warehouse")
_ABOUT = {
    DataLayer.BRONZE: "What replication wrote, file by file, never changed. It holds personal values, so no row of it is shown.",
    DataLayer.SILVER: "One row per live, clean key; personal values masked, rows that break a rule refused with the reason.",
    DataLayer.GOLD: "The models that dashboards read, in the lake and in the warehouse.",
}


def data_main(data: DataOverview, *, now: datetime) -> str:
    """The main part of the page.

    Args:
        data: What there is.
        now: For how long ago something was.

    """
    return (
        f"<h1>Data</h1>{problems_html(data.problems)}{_agreement(data, now)}"
        + "".join(_layer(layer, [one for one in data.tables if one.layer is layer], now) for layer in DataLayer)
        + _runs(data.runs, now)
    )


def problems_html(problems: Iterable[Problem]) -> str:
    """What could not be read, each with its next step; "" for nothing."""
    return "".join(
        f'<div class="failure" role="alert"><p><strong>{escape(one.what)} could not be read:</strong> {bidi(one.message)}</p>'
        f"{f'<p>Next: {escape(one.hint)}</p>' if one.hint else ''}</div>"
        for one in problems
    )


def table_link(layer: DataLayer, name: str) -> str:
    """A way to the table's page."""
    return f'<a href="/data/{layer}/{quote(name, safe="")}">{bidi(name)}</a>'


def run_link(run_id: str) -> str:
    """A way to the run's page; "-" for no run."""
    return f'<a href="/runs/{quote(run_id, safe="")}">{bidi(run_id)}</a>' if run_id else "-"


def told_count(count: int | None) -> str:
    """A count; "-" where it is not known."""
    return "-" if count is None else f"{count:,}"


def _agreement(data: DataOverview, now: datetime) -> str:
    if not data.reconciled_run:
        return '<section><h2>Do the layers agree?</h2><p class="empty">no run has compared them yet: shoplake run</p></section>'
    wrong = sum(not one.agree for one in data.reconciled)
    verdict = (
        status_badge("failed", f"{wrong} of {len(data.reconciled)} tables differ")
        if wrong
        else status_badge("succeeded", "every layer agrees")
    )
    at = f", cut taken {time_tag(data.reconciled_at, now)}" if data.reconciled_at else ""
    heads = ("Table", "MySQL#", "Silver#", "Refused#", "Orphans#", "Gold#", "Warehouse#", "In flight#", "Agree")
    return (
        f"<section><h2>Do the layers agree?</h2><p>{verdict} by run {run_link(data.reconciled_run)}{at}</p>"
        f"{table('Rows by layer', heads, [_reconciled(one) for one in data.reconciled])}"
        f"{_findings(data.reconciled)}"
        '<p class="facts">MySQL = silver at the cut + refused; silver less orphans = gold = warehouse, where a gold table '
        "reconciles it. Sums are compared too: shoplake reconcile --json.</p></section>"
    )


def _reconciled(one: ReconciledTable) -> list[str]:
    rows = {layer: told_count(one.rows.get(layer)) for layer in _LAYERS}
    verdict = status_badge("succeeded", "yes") if one.agree else status_badge("failed", "no")
    return [
        table_link(DataLayer.SILVER, one.table),
        rows["mysql"],
        rows["silver"],
        f"{one.refused:,}",
        f"{one.orphans:,}",
        rows["gold"],
        rows["warehouse"],
        f"{one.in_flight:,}",
        verdict,
    ]


def _findings(tables: Sequence[ReconciledTable]) -> str:
    found = [f"<li>{bidi(one.table)}: {bidi(text)}</li>" for one in tables for text in one.findings]
    return f'<ul class="failure">{"".join(found)}</ul>' if found else ""


def _layer(layer: DataLayer, entries: Sequence[TableEntry], now: datetime) -> str:
    heads: tuple[str, ...]
    if layer is DataLayer.BRONZE:
        heads = ("Table", "Files#", "Of full loads#", "Size#", "Newest file")
    elif layer is DataLayer.SILVER:
        heads = ("Table", "One row per", "Rows#", "Refused#", "Last written", "By run")
    else:
        heads = ("Table", "One row per", "Rows#", "In the warehouse#", "Last written", "Last loaded", "By run")
    shown = table(f"Tables of {layer}", heads, [_entry(one, now) for one in entries])
    return f'<section id="{layer}"><h2>{layer.title()}</h2><p class="facts">{_ABOUT[layer]}</p>{shown}</section>'


def _entry(one: TableEntry, now: datetime) -> list[str]:
    name = table_link(one.layer, one.name)
    changed = time_tag(one.changed_at, now) if one.changed_at else "-"
    if one.layer is DataLayer.BRONZE:
        more = "+" if one.is_more else ""
        return [name, f"{one.files:,}{more}", f"{one.loads:,}", f"{told_bytes(one.size_bytes)}{more}", changed]
    grain = f'<span class="grain">{escape(one.grain.removeprefix("one row per "))}</span>'
    if one.layer is DataLayer.SILVER:
        return [name, grain, told_count(one.rows), told_count(one.refused), changed, run_link(one.run_id)]
    there = told_count(one.warehouse_rows)
    if one.rows is not None and one.warehouse_rows is not None and one.rows != one.warehouse_rows:
        there = f'<span class="warn">! {there}</span>'
    loaded = time_tag(one.loaded_at, now) if one.loaded_at else "-"
    return [name, grain, told_count(one.rows), there, changed, loaded, run_link(one.run_id)]


def _runs(runs: Sequence[CheckedRun], now: datetime) -> str:
    if not runs:
        return '<section><h2>Checks of the last runs</h2><p class="empty">the warehouse has recorded no run yet</p></section>'
    heads = ("Run", "Status", "Started", "Duration#", "Tables compared#", "Findings#", "Failed at")
    rows = [
        [
            run_link(one.run_id),
            status_badge(one.status),
            time_tag(one.started_at, now),
            told_seconds(one.seconds) if one.seconds is not None else "-",
            f"{one.checks:,}",
            f'<span class="warn">! {one.findings:,}</span>' if one.findings else f"{one.findings:,}",
            bidi(one.failed_state) if one.failed_state else "-",
        ]
        for one in runs
    ]
    return (
        '<section><h2>Checks of the last runs</h2><p class="facts">As the warehouse recorded them; a run that found nothing '
        f"new is not in here.</p>{table('Checks of the last runs', heads, rows)}</section>"
    )
