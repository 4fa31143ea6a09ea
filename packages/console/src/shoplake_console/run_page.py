"""One run: its state machine, its failure in one sentence, and the state that is looked at. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from shoplake_orchestration.graph import Graph
from shoplake_orchestration.scopes import every_state

from shoplake_console.event_view import events_html
from shoplake_console.graph_layout import Layout
from shoplake_console.graph_svg import run_svg
from shoplake_console.list_page import trend
from shoplake_console.markup import bidi, pretty, status_badge, table, time_tag, told_seconds
from shoplake_console.run_choices import RunView
from shoplake_console.run_rows import rows_by_layer
from shoplake_console.run_states import StateStatus, StateVisit, state_visits
from shoplake_console.runs_port import RunEntry, RunFailure
from shoplake_console.state_details import map_counts, state_detail

__all__ = ["Drawing", "RunPage", "run_main", "selected_state"]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A run's state machine: its definition, the same as states and ways, and where they stand."""

    definition: Mapping[str, Any]
    graph: Graph
    layout: Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """What one page of a run shows.

    Attributes:
        run: The run.
        drawing: Its state machine.
        events: Its history so far, oldest first.
        failure: Why it failed.
        view: Which view.
        state: The selected state; "" for none.
        page: Which page of the events, from 1; 0 for the newest.
        errors_only: Whether only events that tell an error are shown.
        log: The last lines of the selected state's jobs.
        progress: State -> how far the job in it is.
        document: The run as `runs show --json` prints it.
        before_seconds: How long the run before took; None where there is none to compare with.
        token: What a form must send.
        now: For the duration of what runs.

    """

    run: RunEntry
    drawing: Drawing
    events: Sequence[Mapping[str, Any]]
    failure: RunFailure | None
    view: RunView
    state: str
    page: int
    errors_only: bool
    log: Sequence[str]
    progress: Mapping[str, str]
    document: Mapping[str, Any]
    before_seconds: float | None
    token: str
    now: datetime

    @property
    def path(self) -> str:
        """The address of the run."""
        return f"/runs/{quote(self.run.run_id, safe='')}"

    def url(self, **changed: str) -> str:
        """The address of the page with other choices."""
        errors = "1" if self.errors_only else ""
        chosen = {"view": self.view.value, "state": self.state, "errors": errors} | changed
        return f"{self.path}?{urlencode({name: value for name, value in chosen.items() if value})}"


def selected_state(asked: str, graph: Graph, events: Sequence[Mapping[str, Any]], failure: RunFailure | None) -> str:
    """The state to show: the one asked for, else the one that failed, else the one that the run is in, else where it was last.

    Of several, the one that was entered last; of a Parallel or a Map and a state in it, that state.
    """
    names = {node.name for node in graph.nodes}
    if asked in names:
        return asked
    if failure and failure.state in names:
        return failure.state
    entered = [
        str(event["stateEnteredEventDetails"]["name"]) for event in events if "stateEnteredEventDetails" in event
    ]
    visits, holders = state_visits(events), {node.holder for node in graph.nodes}
    leaves = {node.name for node in graph.nodes if node.path not in holders}
    here = [name for name in entered if name in leaves and visits[name].status is StateStatus.RUNNING]
    return ([*entered[-1:], *here] or [""])[-1]


def run_main(page: RunPage) -> str:
    """The main part of the page."""
    visits = state_visits(page.events, now=page.now if page.run.is_running else None)
    notes = {**map_counts(page.events), **page.progress}
    views = "".join(
        f'<a href="{escape(page.url(view=view.value))}"{_current(view is page.view)}>{view.value}</a>'
        for view in RunView
    )
    if page.view is RunView.EVENTS:
        shown = events_html(page.events, state=page.state, page=page.page, errors_only=page.errors_only, url=page.url)
    else:
        shown = (_graph if page.view is RunView.GRAPH else _table)(page, visits, notes)
    return (
        f'{_head(page)}<nav aria-label="View">{views}</nav><div class="split">'
        f'<section class="scroll view" id="view" tabindex="0" role="region" aria-label="{page.view.value}">{shown}</section>'
        f"{_panel(page, visits)}</div>{rows_by_layer(page.document)}"
    )


def _current(is_current: bool) -> str:
    return ' aria-current="page"' if is_current else ""


def _head(page: RunPage) -> str:
    run = page.run
    seconds = ((run.ended_at or page.now) - run.started_at).total_seconds()
    ended = f" · ended {time_tag(run.ended_at, page.now)}" if run.ended_at else ""
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
        f'<h1>Run {bidi(run.run_id)} {status_badge(run.status)}</h1><p class="facts">started {time_tag(run.started_at, page.now)}'
        f"{ended} · {told_seconds(seconds)}{trend(run, page.before_seconds)} · {len(page.events):,} events{redrives}</p>{failure}"
        f'<div class="actions">{"".join(actions)}<a href="{escape(page.path)}.json" download>JSON</a></div>'
    )


def _button(page: RunPage, action: str, words: str) -> str:
    return (
        f'<form method="post" action="{escape(page.path)}/{action}">'
        f'<input type="hidden" name="token" value="{escape(page.token)}"><button id="{action}">{words}</button></form>'
    )


def _graph(page: RunPage, visits: Mapping[str, StateVisit], notes: Mapping[str, str]) -> str:
    return run_svg(
        page.drawing.graph,
        page.drawing.layout,
        visits,
        title=f"Run {page.run.run_id}",
        notes=notes,
        link=lambda name: page.url(state=name),
        selected=page.state,
    )


def _table(page: RunPage, visits: Mapping[str, StateVisit], notes: Mapping[str, str]) -> str:
    longest = max((visit.seconds for visit in visits.values()), default=0) or 1
    rows = []
    for node in page.drawing.graph.nodes:
        visit = visits.get(node.name, StateVisit())
        note = f" · {escape(notes[node.name])}" if node.name in notes else ""
        link = f'<a href="{escape(page.url(state=node.name))}"{_current(node.name == page.state)}>{bidi(node.name)}</a>{note}'
        bar = f'<meter min="0" max="{longest}" value="{visit.seconds}" aria-label="part of the longest"></meter>'
        taken = f"{told_seconds(visit.seconds)} {bar}" if visit.visits else ""
        rows.append([link, escape(node.kind), status_badge(visit.status.value), taken, str(visit.visits or "")])
    return table("States", ("State", "Type", "Status", "Duration", "Visits#"), rows, framed=False)


def _panel(page: RunPage, visits: Mapping[str, StateVisit]) -> str:
    if not page.state:
        return '<aside class="panel" aria-label="State"><p class="empty">no state was entered yet</p></aside>'
    visit = visits.get(page.state, StateVisit())
    detail = state_detail(page.events, page.state)
    definition = next((state for _, name, state in every_state(page.drawing.definition) if name == page.state), {})
    parts = [f"<h2>{bidi(page.state)}</h2><p>{status_badge(visit.status.value)}"]
    if visit.visits:
        parts.append(f" {told_seconds(visit.seconds)}")
    if detail.attempts > 1:
        parts.append(f" · {detail.attempts - 1} retries")
    parts.append("</p>")
    if detail.error and visit.status in {StateStatus.FAILED, StateStatus.CAUGHT}:
        parts.append(f"<h3>Error</h3><p class='failure'>{bidi(detail.error)}</p>")
    cause = detail.cause if visit.status in {StateStatus.FAILED, StateStatus.CAUGHT} else ""
    parts.append(_block("Cause", cause))
    if page.log:
        whole = f"{page.path}/log?{urlencode({'state': page.state})}"
        parts.append(_block("Log, last lines", "\n".join(page.log)))
        parts.append(f'<p><a href="{escape(whole)}">The whole log</a></p>')
    parts.append(_block("Input", detail.input))
    parts.append(_block("Output", detail.output))
    parts.append(_block("Definition", json.dumps(definition, ensure_ascii=False)))
    return f'<aside class="panel" aria-label="State">{"".join(parts)}</aside>'


def _block(title: str, text: str) -> str:
    if not text:
        return ""
    return f'<h3>{title}</h3><pre tabindex="0" role="region" aria-label="{title}">{pretty(text)}</pre>'
