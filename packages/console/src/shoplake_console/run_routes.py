"""The pages of the runs over HTTP: the list, one run, and what a reader may do to it."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

import anyio
from shoplake_core.clock import Clock
from shoplake_orchestration.graph import graph
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from shoplake_console.graph_layout import layout_of
from shoplake_console.list_page import list_main
from shoplake_console.live import live_answer
from shoplake_console.markup import Section, document
from shoplake_console.run_page import RunPage, RunView, run_main, selected_state
from shoplake_console.runs_port import RunEntry, RunSource

__all__ = ["run_routes"]

_LISTED = 30
_LOG_LINES = 60
_KEPT_HISTORIES = 8


@dataclass
class _Pages:
    """The main parts of the pages, from a source; histories are read once and gone on with."""

    source: RunSource
    clock: Clock
    token: str
    _histories: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    _ended: dict[tuple[str, Any], RunEntry] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def runs(self, query: Mapping[str, str]) -> str:
        return list_main(
            [self._with_output(run) for run in self.source.listed(_LISTED)],
            status=query.get("status", ""),
            now=self.clock.now(),
        )

    def _with_output(self, run: RunEntry) -> RunEntry:
        """The run with what it counted: that is told by a call of its own, once for each that has ended."""
        if run.is_running:
            return run
        key = (run.run_id, run.ended_at)
        if key not in self._ended:
            self._ended[key] = replace(self.source.run(run.run_id), status=run.status)
        return self._ended[key]

    def run(self, run_id: str, query: Mapping[str, str]) -> tuple[RunEntry, str]:
        run = self.source.run(run_id)  # before its events: an end is seen with all of them
        events = self._history(run_id)
        definition = self.source.definition(run_id)
        drawn = graph(definition)
        failure = self.source.failure(run, events)
        state = selected_state(query.get("state", ""), drawn, events, failure)
        page = query.get("page", "")
        view = query.get("view", "")
        shown = RunPage(
            run=run,
            definition=definition,
            graph=drawn,
            layout=layout_of(drawn),
            events=events,
            failure=failure,
            view=RunView(view) if view in set(RunView) else RunView.GRAPH,
            state=state,
            page=int(page) if page.isascii() and page.isdecimal() and len(page) < 9 else 0,
            log=self.source.log_tail(events, state, count=_LOG_LINES) if state else (),
            token=self.token,
            now=self.clock.now(),
        )
        return run, run_main(shown)

    def _history(self, run_id: str) -> Sequence[Mapping[str, Any]]:
        with self._lock:
            known = self._histories.pop(run_id, [])
            known = [*known, *self.source.events(run_id, after=known[-1]["id"] if known else 0)]
            self._histories[run_id] = known
            while len(self._histories) > _KEPT_HISTORIES:
                del self._histories[next(iter(self._histories))]
            return known


def run_routes(source: RunSource, *, clock: Clock, token: str) -> list[Route]:
    """Where the runs' pages are found.

    Args:
        source: The runs.
        clock: Time.
        token: What a form must send.

    """
    pages = _Pages(source, clock, token)

    def show_runs(request: Request) -> Response:
        live = f"/live?{urlencode(dict(request.query_params))}"
        main = pages.runs(request.query_params)
        return HTMLResponse(document("Runs", source.label, main, live=live, section=Section.RUNS))

    def show_run(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        _, main = pages.run(run_id, request.query_params)
        live = f"/runs/{quote(run_id, safe='')}/live?{urlencode(dict(request.query_params))}"
        return HTMLResponse(document(f"Run {run_id}", source.label, main, live=live, section=Section.RUNS))

    def follow_runs(request: Request) -> Response:
        return live_answer(request, lambda: pages.runs(request.query_params))

    def follow_run(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        return live_answer(request, lambda: pages.run(run_id, request.query_params)[1])

    async def act(request: Request) -> Response:
        body = parse_qs((await request.body()).decode("utf-8", "replace"))
        if not secrets.compare_digest(body.get("token", [""])[0].encode(), token.encode()):
            return PlainTextResponse("the form's token is missing: load the page again\n", 403)
        run_id, action = request.path_params["run_id"], request.path_params["action"]
        acts: dict[str, Callable[[str], str | None]] = {
            "stop": source.stop,
            "redrive": source.redrive,
            "again": source.run_again,
        }
        if action not in acts:
            return PlainTextResponse("no such action\n", 404)
        new = await anyio.to_thread.run_sync(acts[action], run_id)
        return RedirectResponse(f"/runs/{quote(new or run_id, safe='')}", 303)

    return [
        Route("/", show_runs),
        Route("/live", follow_runs),
        # a run's name may hold anything, once it is decoded a "/" too
        Route("/runs/{run_id:path}/live", follow_run),
        Route("/runs/{run_id:path}/{action}", act, methods=["POST"]),
        Route("/runs/{run_id:path}", show_run, methods=["GET"]),
    ]
