"""The console's pages over HTTP, on loopback alone; newer ones are sent as they come, by server-sent events."""

import json
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

import anyio
import uvicorn
from shoplake_core.clock import Clock
from shoplake_core.errors import ConfigError, ShoplakeError
from shoplake_orchestration.graph import graph
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from shoplake_console.graph_layout import layout_of
from shoplake_console.graph_svg import GRAPH_STYLE
from shoplake_console.guard import Guard
from shoplake_console.list_page import list_main
from shoplake_console.markup import document, error_main
from shoplake_console.run_page import RunPage, RunView, run_main, selected_state
from shoplake_console.runs_port import RunEntry, RunSource

__all__ = ["console_app", "serve_console"]

_LISTED = 30
_LOG_LINES = 60
_KEPT_HISTORIES = 8
_LOOK_SECONDS = 0.4
_ASSETS = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}


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


def console_app(source: RunSource, *, clock: Clock, token: str, port: int) -> Starlette:
    """The console as an ASGI application.

    Args:
        source: The runs.
        clock: Time.
        token: The secret of the printed URL.
        port: Where it will listen: part of the Host that it answers to.

    """
    pages = _Pages(source, clock, token)

    def told(error: ShoplakeError) -> Response:
        status = 404 if isinstance(error, ConfigError) else 502
        return HTMLResponse(document("Error", source.label, error_main(error.message, error.hint)), status)

    def show_runs(request: Request) -> Response:
        live = f"/live?{urlencode(dict(request.query_params))}"
        return HTMLResponse(document("Runs", source.label, pages.runs(request.query_params), live=live))

    def show_run(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        _, main = pages.run(run_id, request.query_params)
        live = f"/runs/{quote(run_id, safe='')}/live?{urlencode(dict(request.query_params))}"
        return HTMLResponse(document(f"Run {run_id}", source.label, main, live=live))

    def follow_runs(request: Request) -> Response:
        return _stream(request, lambda: pages.runs(request.query_params))

    def follow_run(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        return _stream(request, lambda: pages.run(run_id, request.query_params)[1])

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

    def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "graph.css":
            return Response(GRAPH_STYLE, media_type="text/css")
        if name not in _ASSETS:
            return PlainTextResponse("no such file\n", 404)
        return Response(
            resources.files("shoplake_console.assets").joinpath(name).read_bytes(), media_type=_ASSETS[name]
        )

    def on_error(_request: Request, error: Exception) -> Response:
        if isinstance(error, ShoplakeError):
            return told(error)
        raise error

    return Starlette(
        routes=[
            Route("/", show_runs),
            Route("/live", follow_runs),
            Route("/assets/{name}", asset),
            # a run's name may hold anything, once it is decoded a "/" too
            Route("/runs/{run_id:path}/live", follow_run),
            Route("/runs/{run_id:path}/{action}", act, methods=["POST"]),
            Route("/runs/{run_id:path}", show_run, methods=["GET"]),
        ],
        middleware=[Middleware(Guard, token=token, port=port)],
        exception_handlers={ShoplakeError: on_error},
    )


def _stream(request: Request, look: Callable[[], str]) -> Response:
    """Main parts as they change, until the reader leaves. Each look runs in a thread of its own."""

    async def parts() -> AsyncIterator[str]:
        shown = ""
        while not await request.is_disconnected():
            try:
                main = await anyio.to_thread.run_sync(look)
            except ShoplakeError as error:
                main = error_main(error.message, error.hint)
            if main != shown:
                shown = main
                yield f"event: main\ndata: {json.dumps(main)}\n\n"
            await anyio.sleep(_LOOK_SECONDS)

    return StreamingResponse(parts(), media_type="text/event-stream")


def serve_console(source: RunSource, *, clock: Clock, port: int, opened: Callable[[str], None]) -> None:
    """Serve until it is interrupted.

    Args:
        source: The runs.
        clock: Time.
        port: Where; 0 for any free one.
        opened: Told the URL, with its token, once the port is ours.

    Raises:
        ConfigError: The port is taken.

    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise ConfigError(f"port {port} cannot be used: {error}", hint="shoplake console --port 0") from error
    bound, token = listener.getsockname()[1], secrets.token_urlsafe(24)
    app = console_app(source, clock=clock, token=token, port=bound)
    config = uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1, ws="none")
    opened(f"http://127.0.0.1:{bound}/?token={token}")
    with listener:
        uvicorn.Server(config).run([listener])
