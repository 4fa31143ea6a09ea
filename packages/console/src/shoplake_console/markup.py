"""Small pieces of the console's pages; everything that comes from a run is escaped here. Pure."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from html import escape
from xml.sax.saxutils import quoteattr

__all__ = [
    "Section",
    "bidi",
    "document",
    "error_main",
    "pretty",
    "status_badge",
    "table",
    "time_tag",
    "told_ago",
    "told_bytes",
    "told_seconds",
]

_SIGNS = {"succeeded": "✓", "running": "…", "failed": "✗", "timed out": "✗", "stopped": "■", "caught error": "!"}
_SIGNS |= {"cancelled": "■", "waiting for its redrive": "…"}
_THOUSAND = 1000
_DAY_HOURS = 24
_HOURS_TOLD = 48
_LONGEST = 20_000
_CURRENT = ' aria-current="page"'
_MINUTE = 60  # and so many of those are an hour


class Section(Enum):
    """A part of the console: its word and its address."""

    RUNS = ("Runs", "/")
    DASHBOARDS = ("Dashboards", "/dashboards")
    DATA = ("Data", "/data")


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


def status_badge(status: str, words: str = "") -> str:
    """Colour, sign and word of a status; `words` in place of its own."""
    return (
        f'<span class="badge {escape(status.replace(" ", "-"))}">'
        f'<span aria-hidden="true">{_SIGNS.get(status, "·")}</span> {escape(words or status)}</span>'
    )


def time_tag(at: datetime, now: datetime | None = None) -> str:
    """A time with the exact one as its title: how long ago it was at `now`, or as it stands where that is None.

    The script tells both on, in the reader's own zone.
    """
    at = at if at.tzinfo else at.replace(tzinfo=UTC)  # the warehouse's times have no zone: they are UTC
    exact = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    told, kind = (exact, "") if now is None else (told_ago((now - at).total_seconds()), " data-ago")
    return f'<time datetime="{at.isoformat()}" title="{exact}"{kind}>{told}</time>'


def told_ago(seconds: float) -> str:
    """How long ago something was, as people say it: "just now", "4 min ago", "3 h ago" or "2 days ago"."""
    minutes = int(max(0.0, seconds)) // _MINUTE
    if minutes < 1:
        return "just now"
    if minutes < _MINUTE:
        return f"{minutes} min ago"
    hours = minutes // _MINUTE
    if hours < _HOURS_TOLD:
        return f"{hours} h ago"
    return f"{hours // _DAY_HOURS} days ago"


def told_bytes(count: int) -> str:
    """A size as people say it, such as "3.4 MB"."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < _THOUSAND:
            return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= _THOUSAND
    return f"{size:.1f} TB"


def table(
    label: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, wraps: bool = False, framed: bool = True
) -> str:
    """A table that may be scrolled sideways.

    Args:
        label: Its name for readers who do not see it.
        heads: A head that ends with "#" is of a column of numbers.
        rows: Cells as HTML.
        wraps: Whether long cells break.
        framed: Whether it brings the frame that it is scrolled in.

    """
    if not rows:
        return '<p class="empty">none yet</p>'
    kinds = [' class="number"' if head.endswith("#") else "" for head in heads]
    head = "".join(f'<th scope="col"{kind}>{name.rstrip("#")}</th>' for name, kind in zip(heads, kinds, strict=True))
    body = "".join(
        f"<tr>{''.join(f'<td{kind}>{cell}</td>' for cell, kind in zip(row, kinds, strict=True))}</tr>" for row in rows
    )
    whole = (
        f"<table{' class=wraps' if wraps else ''}{'' if framed else f' aria-label={quoteattr(label)}'}>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
    if not framed:
        return whole
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{whole}</div>'


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
