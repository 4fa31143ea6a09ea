"""One table: its contract with each column's way, its batches, what runs wrote, and the rows that were refused. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from shoplake_console.data_page import problems_html, run_link, told_count
from shoplake_console.data_port import ColumnEntry, DataLayer, Place, Refused, TablePage
from shoplake_console.markup import bidi, table, time_tag, told_bytes, told_seconds

__all__ = ["table_main"]


def table_main(page: TablePage, *, now: datetime) -> str:
    """The main part of the page."""
    entry = page.entry
    return (
        f'<p class="facts"><a href="/data#{entry.layer}">{entry.layer.title()}</a></p><h1>{bidi(entry.name)}</h1>'
        f"{_facts(page, now)}{problems_html(page.problems)}{_ways(page)}{_columns(page)}{_tests(page)}"
        f"{_refused(page, now)}{_written(page, now)}{_batches(page, now)}"
    )


def _facts(page: TablePage, now: datetime) -> str:
    entry = page.entry
    parts = [escape(entry.grain)] if entry.grain else []
    if entry.layer is DataLayer.BRONZE:
        more = " or more" if entry.is_more else ""
        parts.append(
            f"{entry.files:,} files{more}, {entry.loads:,} of them of full loads, {told_bytes(entry.size_bytes)}"
        )
        parts.append("its rows hold personal values, so none is shown")
    else:
        parts.append(f"{told_count(entry.rows)} rows")
    if entry.warehouse_rows is not None:
        parts.append(f"{entry.warehouse_rows:,} in the warehouse")
    if entry.refused is not None:
        parts.append(f"{entry.refused:,} ever refused")
    if entry.changed_at:
        by = f" by run {run_link(entry.run_id)}" if entry.run_id else ""
        parts.append(f"last written {time_tag(entry.changed_at, now)}{by}")
    if entry.loaded_at:
        parts.append(f"loaded into the warehouse {time_tag(entry.loaded_at, now)}")
    if not entry.changed_at and entry.layer is not DataLayer.BRONZE:
        parts.append("no run has written it yet: shoplake run")
    doc = f'<p class="doc">{escape(page.doc)}</p>' if page.doc else ""
    return f'<p class="facts">{" · ".join(parts)}</p>{doc}'


def _ways(page: TablePage) -> str:
    if not (page.upstream or page.downstream or page.tiles):
        return ""
    note = f'<p class="facts">{escape(page.lineage_note)}</p>' if page.lineage_note else ""
    return (
        '<section><h2>Where it comes from, and where it goes</h2><dl class="ways">'
        + "".join(
            f"<div><dt>{title}</dt><dd>{_places(places) or '-'}</dd></div>"
            for title, places in (("Made of", page.upstream), ("Used by", page.downstream), ("Shown in", page.tiles))
        )
        + f"</dl>{note}</section>"
    )


def _places(places: Sequence[Place]) -> str:
    return ", ".join(
        f'<a href="{escape(one.href)}">{bidi(one.words)}</a>' if one.href else bidi(one.words) for one in places
    )


def _columns(page: TablePage) -> str:
    if not page.columns:
        return ""
    silver = page.entry.layer is DataLayer.SILVER
    heads = ("Column", "Type", "Made of", "Used by", "Shown in", *(("Rules",) if silver else ()), "Note")
    rows = [_column(one, with_rules=silver) for one in page.columns]
    return f"<section><h2>Contract</h2>{table('Columns', heads, rows, wraps=True)}</section>"


def _column(one: ColumnEntry, *, with_rules: bool) -> list[str]:
    marks = "".join(f' <span class="mark">{escape(mark)}</span>' for mark in one.marks)
    origins = _places(one.origins) or f'<span class="soft">{escape(one.origins_note or "-")}</span>'
    rules = [escape(", ".join(one.rules) or "-")] if with_rules else []
    name = f'<span id="column-{escape(one.name)}">{bidi(one.name)}</span>{marks}'
    return [
        name,
        f'<span class="type">{escape(one.type)}</span>',
        origins,
        _few(one.uses),
        _few(one.tiles),
        *rules,
        escape(one.doc),
    ]


def _few(places: Sequence[Place]) -> str:
    """The places; more than a few are folded."""
    if len(places) <= 3:
        return _places(places) or "-"
    return f"<details><summary>{len(places)} places</summary>{_places(places)}</details>"


def _tests(page: TablePage) -> str:
    if not page.tests:
        return ""
    items = "".join(
        f'<li>{escape(name.replace("_", " "))} <span class="mark">{escape(severity)}</span></li>'
        for name, severity in page.tests
    )
    return f"<section><h2>Tested before each commit</h2><ul>{items}</ul></section>"


def _refused(page: TablePage, now: datetime) -> str:
    if page.entry.layer is not DataLayer.SILVER:
        return ""
    if not page.refused:
        text = "no row was refused" if page.entry.refused == 0 else "none to show"
        return f'<section id="refused"><h2>Refused rows</h2><p class="empty">{text}</p></section>'
    reasons = "".join(f"<li>{bidi(_reason(reason))}: {count:,}</li>" for reason, count in page.reasons)
    heads = ("Key", "Reason", "Row, as the rules left it", "Committed", "Change", "By run", "In bronze")
    rows = [_refused_row(one, now) for one in page.refused]
    return (
        '<section id="refused"><h2>Refused rows</h2><p class="facts">The newest first. A row that MySQL mends comes back with '
        "its next change; these lines stay as the record.</p>"
        f'<ul class="reasons">{reasons}</ul>{table("Refused rows", heads, rows, wraps=True)}</section>'
    )


def _refused_row(one: Refused, now: datetime) -> list[str]:
    at = time_tag(one.committed_at, now) if one.committed_at else "-"
    change = {"I": "insert", "U": "update", "D": "delete"}.get(one.operation, one.operation)
    reasons = ", ".join(_reason(reason) for reason in one.reasons)
    broken = {reason.partition(":")[2] for reason in one.reasons}
    short = bidi(_pairs({name: value for name, value in one.row.items() if name in broken}) or "show")
    row = f"<details><summary>{short}</summary>{bidi(_pairs(one.row))}</details>" if one.row else "-"
    return [
        bidi(_pairs(one.key)),
        bidi(reasons),
        row,
        at,
        escape(change),
        run_link(one.run_id),
        f'<span class="soft">{bidi(one.source)}</span>',
    ]


_WORDS = {
    "null": "is missing",
    "format": "fits no format",
    "accepted": "is none of the accepted values",
    "pattern": "does not fit the pattern",
    "minimum": "is too small",
    "maximum": "is too great",
}


def _reason(reason: str) -> str:
    """`minimum:quantity` -> "quantity is too small"."""
    rule, _, column = reason.partition(":")
    return f"{column} {_WORDS[rule]}" if rule in _WORDS and column else reason


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _written(page: TablePage, now: datetime) -> str:
    if not page.written:
        return ""
    refuses = page.entry.layer is DataLayer.SILVER
    heads = ("Run", "Finished", "Rows written#", *(("Refused#", "Findings#") if refuses else ()), "Duration#")
    rows = [
        [
            run_link(one.run_id),
            time_tag(one.finished_at, now),
            f"{one.written:,}",
            *((f"{one.refused:,}", told_count(one.findings)) if refuses else ()),
            told_seconds(one.seconds),
        ]
        for one in page.written
    ]
    return f"<section><h2>Written by the last runs</h2>{table('Written by the last runs', heads, rows)}</section>"


def _batches(page: TablePage, now: datetime) -> str:
    if not page.batches:
        return ""
    heads = ("Batch#", "Run", "Committed", "Rows after it#", "Whole table")
    rows = [
        [
            f"{one.number:,}",
            run_link(one.run_id),
            time_tag(one.at, now),
            told_count(one.rows),
            "yes" if one.is_full else "",
        ]
        for one in page.batches
    ]
    return f"<section><h2>Batches in the lake</h2>{table('Batches in the lake', heads, rows)}</section>"
