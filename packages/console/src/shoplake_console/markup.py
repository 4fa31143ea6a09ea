"""Small pieces of the console's pages; everything that comes from a run is escaped here. Pure."""

import json
from contextlib import suppress
from datetime import datetime
from enum import Enum
from html import escape

__all__ = ["Section", "bidi", "document", "error_main", "pretty", "status_badge", "time_tag", "told_seconds"]

_SIGNS = {"succeeded": "✓", "running": "…", "failed": "✗", "timed out": "✗", "stopped": "■", "caught error": "!"}
_SIGNS |= {"cancelled": "■", "waiting for its redrive": "…"}
_LONGEST = 20_000
_CURRENT = ' aria-current="page"'
_MINUTE = 60  # and so many of those are an hour


class Section(Enum):
    """A part of the console: its word and its address."""

    RUNS = ("Runs", "/")
    DASHBOARDS = ("Dashboards", "/dashboards")


def document(title: str, label: str, main: str, *, live: str = "", section: Section | None = None) -> str:
    """The whole page around a main part.

    Args:
        title: Of the browser's tab.
        label: Which environment on which AWS.
        main: HTML.
        live: Where its newer main parts come from; "" for nowhere.
        section: Which part of the console it is in.

    """
    source = f' data-live="{escape(live)}"' if live else ""
    links = "".join(
        f'<a href="{one.value[1]}"{_CURRENT if one is section else ""}>{one.value[0]}</a>' for one in Section
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)} · Shoplake</title>"
        '<link rel="stylesheet" href="/assets/console.css"><link rel="stylesheet" href="/assets/graph.css">'
        '<link rel="icon" href="/assets/icon.svg"><script src="/assets/console.js" defer></script></head><body>'
        f'<header class="top"><nav aria-label="Console">{links}</nav><span>{bidi(label)}</span>'
        f'<span id="link" role="status"></span></header><main{source}>{main}</main></body></html>'
    )


def error_main(message: str, hint: str) -> str:
    """The main part of a page that names what went wrong and the next step."""
    next_step = f"<p>Next: <code>{escape(hint)}</code></p>" if hint else ""
    return (
        f'<h1>This cannot be shown</h1><p class="failure">{bidi(message)}</p>{next_step}<p><a href="/">All runs</a></p>'
    )


def bidi(text: str) -> str:
    """The text, kept from turning around what stands beside it."""
    return f"<bdi>{escape(text)}</bdi>"


def status_badge(status: str) -> str:
    """Colour, sign and word of a status."""
    return (
        f'<span class="badge {escape(status.replace(" ", "-"))}">'
        f'<span aria-hidden="true">{_SIGNS.get(status, "·")}</span> {escape(status)}</span>'
    )


def time_tag(at: datetime) -> str:
    """A time in UTC, which the script tells in the reader's own zone."""
    return f'<time datetime="{at.isoformat()}" title="{at:%Y-%m-%d %H:%M:%S} UTC">{at:%Y-%m-%d %H:%M:%S} UTC</time>'


def told_seconds(seconds: float) -> str:
    """A duration as people say it: "3.2 s", "4 min 05 s" or "1 h 02 min"."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest:02} s" if minutes < _MINUTE else f"{minutes // _MINUTE} h {minutes % _MINUTE:02} min"


def pretty(text: str) -> str:
    """A state's input or output, indented where it is JSON, cut where it is long; escaped."""
    with suppress(ValueError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    more = f"\n… {len(text) - _LONGEST:,} more characters: shoplake runs history" if len(text) > _LONGEST else ""
    return escape(text[:_LONGEST] + more)
