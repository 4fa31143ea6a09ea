"""One run: its state machine, its failure in one sentence, and the state that is looked at. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from shoplake_orchestration.graph import Graph
from shoplake_orchestration.scopes import every_state

from shoplake_console.graph_layout import Layout
from shoplake_console.graph_svg import run_svg
from shoplake_console.markup import bidi, pretty, status_badge, time_tag, told_seconds
from shoplake_console.run_states import StateStatus, StateVisit, state_visits
from shoplake_console.runs_port import RunEntry, RunFailure
from shoplake_console.state_details import event_states, map_counts, progress_in, state_detail

__all__ = ["RunPage", "RunView", "run_main", "selected_state"]

_PER_PAGE = 200


class RunView(StrEnum):
    """How the states are shown."""

    GRAPH = "graph"
    TABLE = "table"
    EVENTS = "events"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """What one page of a run shows.

    Attributes:
        run: The run.
        definition: Its state machine.
        graph: The same as states and ways.
        layout: Where they stand.
        events: Its history so far, oldest first.
        failure: Why it failed.
        view: Which view.
        state: The selected state; "" for none.
        page: Which page of the events, from 1; 0 for the newest.
        log: The last lines of the selected state's jobs.
        token: What a form must send.
        now: For the duration of what runs.

    """

    run: RunEntry
    definition: Mapping[str, Any]
    graph: Graph
    layout: Layout
    events: Sequence[Mapping[str, Any]]
    failure: RunFailure | None
    view: RunView
    state: str
    page: int
    log: Sequence[str]
    token: str
    now: datetime

    def url(self, **changed: str) -> str:
        """The address of the page with other choices."""
        chosen = {"view": self.view.value, "state": self.state} | changed
        return f"{_path(self.run)}?{urlencode({name: value for name, value in chosen.items() if value})}"


def selected_state(asked: str, graph: Graph, events: Sequence[Mapping[str, Any]], failure: RunFailure | None) -> str:
    """The state to show: the one asked for, else the one that failed, else the one that was entered last."""
    names = {node.name for node in graph.nodes}
    if asked in names:
        return asked
    if failure and failure.state in names:
        return failure.state
    entered = (
        event["stateEnteredEventDetails"]["name"] for event in reversed(events) if "stateEnteredEventDetails" in event
    )
    return next(entered, "")


def run_main(page: RunPage) -> str:
    """The main part of the page."""
    visits = state_visits(page.events)
    notes = map_counts(page.events)
    progress = progress_in(page.log)
    if progress:
        notes = {**notes, page.state: progress}
    views = "".join(
        f'<a href="{escape(page.url(view=view.value))}"{_current(view is page.view)}>{view.value}</a>'
        for view in RunView
    )
    if page.view is RunView.EVENTS:
        shown = _events(page)
    else:
        shown = (_graph if page.view is RunView.GRAPH else _table)(page, visits, notes)
    return (
        f'{_head(page)}<nav aria-label="View">{views}</nav><div class="split">'
        f'<section class="scroll view" id="view" tabindex="0" role="region" aria-label="{page.view.value}">{shown}</section>'
        f"{_panel(page, visits)}</div>"
    )


def _path(run: RunEntry) -> str:
    return f"/runs/{quote(run.run_id, safe='')}"


def _current(is_current: bool) -> str:
    return ' aria-current="page"' if is_current else ""


def _head(page: RunPage) -> str:
    run = page.run
    seconds = ((run.ended_at or page.now) - run.started_at).total_seconds()
    ended = f" · ended {time_tag(run.ended_at)}" if run.ended_at else ""
    redrives = f" · redriven {run.redrives} times" if run.redrives else ""
    failure = ""
    if page.failure:
        where = f" at “{bidi(page.failure.state)}”" if page.failure.state else ""
        failure = (
            f'<div class="failure" role="alert"><p><strong>Failed{where}:</strong> '
            f"{bidi(page.failure.cause or page.failure.error)}</p><p>Next: {escape(page.failure.hint)}</p></div>"
        )
    actions = [_button(page, "stop", "Stop")] if run.is_running else [_button(page, "again", "Run again")]
    if not run.is_running and run.status != "succeeded":
        if run.not_redrivable_because:
            actions.append(f"<span>cannot be redriven: {escape(run.not_redrivable_because)}</span>")
        else:
            actions.insert(0, _button(page, "redrive", "Redrive from the failure"))
    return (
        f'<h1>Run {bidi(run.run_id)} {status_badge(run.status)}</h1><p class="facts">started {time_tag(run.started_at)}'
        f"{ended} · {told_seconds(seconds)} · {len(page.events):,} events{redrives}</p>{failure}"
        f'<div class="actions">{"".join(actions)}</div>'
    )


def _button(page: RunPage, action: str, words: str) -> str:
    return (
        f'<form method="post" action="{escape(_path(page.run))}/{action}">'
        f'<input type="hidden" name="token" value="{escape(page.token)}"><button id="{action}">{words}</button></form>'
    )


def _graph(page: RunPage, visits: Mapping[str, StateVisit], notes: Mapping[str, str]) -> str:
    return run_svg(
        page.graph,
        page.layout,
        visits,
        title=f"Run {page.run.run_id}",
        notes=notes,
        link=lambda name: page.url(state=name),
        selected=page.state,
    )


def _table(page: RunPage, visits: Mapping[str, StateVisit], notes: Mapping[str, str]) -> str:
    longest = max((visit.seconds for visit in visits.values()), default=0) or 1
    rows = []
    for node in page.graph.nodes:
        visit = visits.get(node.name, StateVisit())
        note = f" · {escape(notes[node.name])}" if node.name in notes else ""
        link = f'<a href="{escape(page.url(state=node.name))}"{_current(node.name == page.state)}>{bidi(node.name)}</a>{note}'
        bar = f'<meter min="0" max="{longest}" value="{visit.seconds}" aria-label="part of the longest"></meter>'
        taken = f"{told_seconds(visit.seconds)} {bar}" if visit.visits else ""
        cells = (link, escape(node.kind), status_badge(visit.status.value), taken, str(visit.visits or ""))
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("State", "Type", "Status", "Duration", "Visits"))
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _events(page: RunPage) -> str:
    if not page.events:
        return '<p class="empty">no event yet</p>'
    last = -(-len(page.events) // _PER_PAGE)
    number = min(page.page, last) if page.page > 0 else last
    state_of = event_states(page.events)
    rows = "".join(
        f"<tr{' class=here' if state_of[event['id']] == page.state else ''}><td>{event['id']}</td><td>{time_tag(event['timestamp'])}</td>"
        f"<td>{escape(event['type'])}</td><td>{bidi(state_of[event['id']])}</td></tr>"
        for event in page.events[(number - 1) * _PER_PAGE : number * _PER_PAGE]
    )
    ways = [("oldest", 1), ("older", number - 1), ("newer", number + 1), ("newest", last)]
    links = " ".join(
        f'<a href="{escape(page.url(page=str(to)))}">{word}</a>'
        for word, to in ways
        if 1 <= to <= last and to != number
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Event", "Time", "Type", "State"))
    return f"<p>page {number} of {last} {links}</p><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _panel(page: RunPage, visits: Mapping[str, StateVisit]) -> str:
    if not page.state:
        return '<aside class="panel" aria-label="State"><p class="empty">no state was entered yet</p></aside>'
    visit = visits.get(page.state, StateVisit())
    detail = state_detail(page.events, page.state)
    definition = next((state for _, name, state in every_state(page.definition) if name == page.state), {})
    parts = [f"<h2>{bidi(page.state)}</h2><p>{status_badge(visit.status.value)}"]
    if visit.visits:
        parts.append(f" {told_seconds(visit.seconds)}")
    if detail.attempts > 1:
        parts.append(f" · {detail.attempts - 1} retries")
    parts.append("</p>")
    if detail.error and visit.status in {StateStatus.FAILED, StateStatus.CAUGHT}:
        parts.append(f"<h3>Error</h3><p class='failure'>{bidi(detail.error)}</p>")
    cause = detail.cause if visit.status in {StateStatus.FAILED, StateStatus.CAUGHT} else ""
    for title, text in (("Cause", cause), ("Log, last lines", "\n".join(page.log)), ("Input", detail.input)):
        parts.append(_block(title, text))
    parts.append(_block("Output", detail.output))
    parts.append(_block("Definition", json.dumps(definition, ensure_ascii=False)))
    return f'<aside class="panel" aria-label="State">{"".join(parts)}</aside>'


def _block(title: str, text: str) -> str:
    if not text:
        return ""
    return f'<h3>{title}</h3><pre tabindex="0" role="region" aria-label="{title}">{pretty(text)}</pre>'
