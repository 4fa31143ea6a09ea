"""The runs, newest first. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from urllib.parse import quote

from shoplake_console.markup import bidi, status_badge, time_tag, told_seconds
from shoplake_console.runs_port import RunEntry

__all__ = ["STATUSES", "list_main"]

STATUSES = ("running", "succeeded", "failed", "stopped", "timed out")
_SIMILAR = 0.1


def list_main(runs: Sequence[RunEntry], *, status: str, now: datetime) -> str:
    """The main part of the page.

    Args:
        runs: Newest first; with their outputs where rows are to be told.
        status: Only runs of that status; "" for all.
        now: For the duration of what runs.

    """
    choices = "".join(_choice(word, status) for word in ("", *STATUSES))
    shown = [number for number, run in enumerate(runs) if not status or run.status == status]
    if not shown:
        found = f"no run of the newest {len(runs)} is {status}" if status and runs else "no run yet: shoplake run"
        return f'<h1>Runs</h1><nav aria-label="Filter">{choices}</nav><p class="empty">{escape(found)}</p>'
    rows = "".join(_row(runs[n], _before(runs, n), now) for n in shown)
    heads = ("Run", "Status", "Started", "Duration", "Silver rows", "Gold rows", "Warehouse rows", "Warnings")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        f'<h1>Runs</h1><nav aria-label="Filter">{choices}</nav>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="Runs"><table class="runs"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _choice(word: str, chosen: str) -> str:
    current = ' aria-current="page"' if word == chosen else ""
    return f'<a href="/?status={quote(word)}"{current}>{word or "all"}</a>'


def _before(runs: Sequence[RunEntry], number: int) -> float | None:
    """How long the newest successful run before that one took."""
    for run in runs[number + 1 :]:
        if run.status == "succeeded" and run.ended_at:
            return (run.ended_at - run.started_at).total_seconds()
    return None


def _row(run: RunEntry, before: float | None, now: datetime) -> str:
    seconds = ((run.ended_at or now) - run.started_at).total_seconds()
    trend = ""
    if before and run.status == "succeeded" and abs(seconds - before) > _SIMILAR * before:
        word = "slower" if seconds > before else "faster"
        arrow = "↑" if seconds > before else "↓"
        trend = f' <span class="trend">{arrow} {abs(seconds / before - 1):.0%} {word}</span>'
    silver, gold = _counts(run, "silver"), _counts(run, "gold")
    warnings = [f"{silver['quarantined']:,} quarantined"] if silver.get("quarantined") else []
    warnings += [f"{run.redrives} redrives"] if run.redrives else []
    cells = [
        f'<a href="/runs/{quote(run.run_id, safe="")}">{bidi(run.run_id)}</a>',
        status_badge(run.status),
        time_tag(run.started_at),
        told_seconds(seconds) + trend,
        _rows(silver),
        _rows(gold),
        f"{_counts(run, 'warehouse')['rows']:,}" if "rows" in _counts(run, "warehouse") else "-",
        escape(", ".join(warnings)) or "-",
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _counts(run: RunEntry, layer: str) -> dict[str, int]:
    member = run.output.get(layer)
    if not isinstance(member, Mapping):
        return {}
    return {str(name): value for name, value in member.items() if isinstance(value, int)}


def _rows(counts: Mapping[str, int]) -> str:
    if not counts:
        return "-"
    return f"{sum(counts.get(word, 0) for word in ('inserted', 'updated', 'deleted')):,}"
