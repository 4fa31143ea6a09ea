"""The runs, newest first. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from urllib.parse import quote

from shoplake_console.markup import bidi, status_badge, table, time_tag, told_seconds
from shoplake_console.runs_port import RunEntry

__all__ = ["STATUSES", "list_main", "seconds_before", "trend"]

STATUSES = ("running", "succeeded", "failed", "stopped", "timed out")
_SIMILAR = 0.1


def list_main(
    runs: Sequence[RunEntry], *, status: str, now: datetime, warnings: Mapping[str, Sequence[str]] | None = None
) -> str:
    """The main part of the page.

    Args:
        runs: Newest first; with their outputs where rows are to be told.
        status: Only runs of that status; "" for all.
        now: For the duration of what runs.
        warnings: Run -> what should be known of it, each in a few words.

    """
    choices = "".join(_choice(word, status) for word in ("", *STATUSES))
    shown = [number for number, run in enumerate(runs) if not status or run.status == status]
    head = f'<h1>Runs</h1><nav aria-label="Filter">{choices}</nav>'
    if not shown:
        found = f"no run of the newest {len(runs)} is {status}" if status and runs else "no run yet: shoplake run"
        return f'{head}<p class="empty">{escape(found)}</p>'
    heads = ("Run", "Status", "Started", "Duration", "Silver rows#", "Gold rows#", "Warehouse rows#", "Warnings")
    told = warnings or {}
    rows = [_row(runs[n], seconds_before(runs, n), now, told.get(runs[n].run_id, ())) for n in shown]
    return head + table("Runs", heads, rows)


def _choice(word: str, chosen: str) -> str:
    current = ' aria-current="page"' if word == chosen else ""
    return f'<a href="/?status={quote(word)}"{current}>{word or "all"}</a>'


def seconds_before(runs: Sequence[RunEntry], number: int) -> float | None:
    """How long the newest successful run before that one took that wrote something as it did, or did not."""
    wrote = bool(runs[number].output.get("silver"))
    for run in runs[number + 1 :]:
        if run.status == "succeeded" and run.ended_at and bool(run.output.get("silver")) is wrote:
            return (run.ended_at - run.started_at).total_seconds()
    return None


def trend(run: RunEntry, before: float | None) -> str:
    """How the duration of a run that succeeded stands to the one before, in words; "" where it is about the same."""
    if not before or run.status != "succeeded" or not run.ended_at:
        return ""
    seconds = (run.ended_at - run.started_at).total_seconds()
    if abs(seconds - before) <= _SIMILAR * before:
        return ""
    word, arrow = ("slower", "↑") if seconds > before else ("faster", "↓")
    return f' <span class="trend">{arrow} {abs(seconds / before - 1):.0%} {word}</span>'


def _row(run: RunEntry, before: float | None, now: datetime, warnings: Sequence[str]) -> list[str]:
    seconds = ((run.ended_at or now) - run.started_at).total_seconds()
    silver, gold = _counts(run, "silver"), _counts(run, "gold")
    told = [*warnings, *([f"{run.redrives} redrive{'s' if run.redrives > 1 else ''}"] if run.redrives else [])]
    return [
        f'<a href="/runs/{quote(run.run_id, safe="")}">{bidi(run.run_id)}</a>',
        status_badge(run.status),
        time_tag(run.started_at, now),
        told_seconds(seconds) + trend(run, before),
        _rows(silver),
        _rows(gold),
        f"{_counts(run, 'warehouse')['rows']:,}" if "rows" in _counts(run, "warehouse") else "-",
        f'<span class="warn">! {escape(", ".join(told))}</span>' if told else "-",
    ]


def _counts(run: RunEntry, layer: str) -> dict[str, int]:
    member = run.output.get(layer)
    if not isinstance(member, Mapping):
        return {}
    return {str(name): value for name, value in member.items() if isinstance(value, int)}


def _rows(counts: Mapping[str, int]) -> str:
    if not counts:
        return "-"
    return f"{sum(counts.get(word, 0) for word in ('inserted', 'updated', 'deleted')):,}"
