"""The pages of the runs over HTTP: the list, one run, its log and its document, and what a reader may do to it."""

import json
import secrets
from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlencode

import anyio
from shoplake_core.clock import Clock
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from shoplake_console.live import live_answer
from shoplake_console.markup import Section, document, error_main
from shoplake_console.run_choices import ChoiceError, chosen
from shoplake_console.run_pages import RunPages
from shoplake_console.runs_port import RunSource

__all__ = ["run_routes"]


def run_routes(source: RunSource, *, clock: Clock, token: str) -> list[Route]:
    """Where the runs' pages are found.

    Args:
        source: The runs.
        clock: Time.
        token: What a form must send.

    """
    pages = RunPages(source, clock, token)

    def refused(error: ChoiceError) -> Response:
        return HTMLResponse(document("Error", source.label, error_main(error.message, error.hint)), 400)

    def shown(title: str, request: Request, live: str, look: Callable[[], str]) -> Response:
        try:
            main = look()
        except ChoiceError as error:
            return refused(error)
        live = f"{live}?{urlencode(dict(request.query_params))}"
        return HTMLResponse(document(title, source.label, main, live=live, section=Section.RUNS))

    def show_runs(request: Request) -> Response:
        return shown("Runs", request, "/live", lambda: pages.runs(request.query_params))

    def show_run(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        return shown(f"Run {run_id}", request, f"{_path(run_id)}/live", lambda: pages.run(run_id, request.query_params))

    def follow_runs(request: Request) -> Response:
        return live_answer(request, lambda: pages.runs(request.query_params), every_seconds=source.look_seconds)

    def follow_run(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        return live_answer(request, lambda: pages.run(run_id, request.query_params), every_seconds=source.look_seconds)

    def export(request: Request) -> Response:
        run = source.run(request.path_params["run_id"])
        told = pages.document(run, pages.history(run.run_id))
        text = json.dumps({"schema_version": 1} | dict(told), indent=1, default=str)
        return Response(text + "\n", media_type="application/json")

    def whole_log(request: Request) -> Response:
        run = source.run(request.path_params["run_id"])
        try:
            state = chosen(request.query_params, pages.drawing(run.run_id).graph).state
        except ChoiceError as error:
            return refused(error)
        lines = source.log(pages.history(run.run_id), state)
        return StreamingResponse((f"{line}\n" for line in lines), media_type="text/plain; charset=utf-8")

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
        return RedirectResponse(_path(new or run_id), 303)

    return [
        Route("/", show_runs),
        Route("/live", follow_runs),
        # a run's name may hold anything, once it is decoded a "/" too
        Route("/runs/{run_id:path}/live", follow_run),
        Route("/runs/{run_id:path}/log", whole_log),
        Route("/runs/{run_id:path}.json", export),
        Route("/runs/{run_id:path}/{action}", act, methods=["POST"]),
        Route("/runs/{run_id:path}", show_run, methods=["GET"]),
    ]


def _path(run_id: str) -> str:
    return f"/runs/{quote(run_id, safe='')}"
