"""The events of a run, a page at a time: all, or those that tell an error. Pure."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from shoplake_console.markup import bidi, table, time_tag
from shoplake_console.state_details import event_states

__all__ = ["error_of", "events_html"]

_PER_PAGE = 200
_LONGEST_CAUSE = 160
_ERROR_KINDS = ("Failed", "TimedOut", "Aborted")


def error_of(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """Error and cause that the event tells; None for an event that tells none."""
    for name, member in event.items():
        if name.endswith("EventDetails") and isinstance(member, Mapping) and member.get("error"):
            return str(member["error"]), str(member.get("cause", ""))
    return ("", "") if str(event["type"]).endswith(_ERROR_KINDS) else None


def events_html(
    events: Sequence[Mapping[str, Any]],
    *,
    state: str,
    page: int,
    errors_only: bool,
    url: Callable[..., str],
) -> str:
    """The view.

    Args:
        events: Oldest first.
        state: Whose events are marked.
        page: Which page, from 1; 0 for the newest.
        errors_only: Whether only events that tell an error are shown.
        url: The page's address with other choices.

    """
    state_of = event_states(events)
    errors = [event for event in events if error_of(event)]
    shown = errors if errors_only else events
    switch = (
        f'<a href="{escape(url(errors=""))}">all {len(events):,}</a> '
        f'<a href="{escape(url(errors="1"))}">errors only, {len(errors):,}</a>'
    ).replace(
        f'"{escape(url(errors="1" if errors_only else ""))}"',
        f'"{escape(url(errors="1" if errors_only else ""))}" aria-current="true"',
    )
    head = f'<nav aria-label="Events" class="inside">{switch}</nav>'
    if not shown:
        return head + f'<p class="empty">{"no event tells an error" if events else "no event yet"}</p>'
    last = -(-len(shown) // _PER_PAGE)
    number = min(page, last) if page > 0 else last
    ways = [("oldest", 1), ("older", number - 1), ("newer", number + 1), ("newest", last)]
    links = " ".join(
        f'<a href="{escape(url(page=str(to)))}">{word}</a>' for word, to in ways if 1 <= to <= last and to != number
    )
    rows = [_row(event, state_of[event["id"]], state) for event in shown[(number - 1) * _PER_PAGE : number * _PER_PAGE]]
    heads = ("Event#", "Time", "Type", "State", "Error")
    return f'{head}<p class="inside">page {number} of {last} {links}</p>' + table("Events", heads, rows, framed=False)


def _row(event: Mapping[str, Any], own: str, state: str) -> list[str]:
    error, cause = error_of(event) or ("", "")
    text = f"{error}: {cause}" if error and cause else error or cause
    cut = text[:_LONGEST_CAUSE] + ("…" if len(text) > _LONGEST_CAUSE else "")
    here = ' <span class="mark">selected</span>' if own and own == state else ""
    told = f'<span class="warn">{bidi(cut)}</span>' if cut else ""
    return [str(event["id"]), time_tag(event["timestamp"]), escape(event["type"]), bidi(own) + here, told]
