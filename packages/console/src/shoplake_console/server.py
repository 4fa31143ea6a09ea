"""The console's pages over HTTP, on loopback alone."""

import secrets
import socket
from collections.abc import Callable, Mapping
from importlib import resources

import uvicorn
from shoplake_core.clock import Clock
from shoplake_core.errors import ConfigError, ShoplakeError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from shoplake_console.dashboard_routes import dashboard_routes
from shoplake_console.dashboards_port import DashboardSource
from shoplake_console.data_port import DataSource
from shoplake_console.data_routes import data_routes
from shoplake_console.graph_svg import GRAPH_STYLE
from shoplake_console.guard import Guard
from shoplake_console.markup import document, error_main
from shoplake_console.run_routes import run_routes
from shoplake_console.runs_port import RunSource

__all__ = ["console_app", "serve_console"]

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_OWN_ASSETS = ("console.css", "console.js", "icon.svg")
_FOREVER = "private, max-age=31536000, immutable"


def console_app(
    source: RunSource,
    *,
    clock: Clock,
    token: str,
    port: int,
    dashboards: DashboardSource | None = None,
    data: DataSource | None = None,
) -> Starlette:
    """The console as an ASGI application.

    Args:
        source: The runs.
        clock: Time.
        token: The secret of the printed URL.
        port: Where it will listen: part of the Host that it answers to.
        dashboards: The dashboards; None for a console without.
        data: The data; None for a console without.

    """

    def told(_request: Request, error: Exception) -> Response:
        if not isinstance(error, ShoplakeError):
            raise error
        status = 404 if isinstance(error, ConfigError) else 502
        return HTMLResponse(document("Error", source.label, error_main(error.message, error.hint)), status)

    def no_such_page(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        message = f"there is no page {request.url.path}" if error.status_code == 404 else error.detail
        return HTMLResponse(document("Error", source.label, error_main(message, "")), error.status_code)

    def asset(request: Request) -> Response:
        name = request.path_params["name"]
        kind = _TYPES.get(name.rpartition(".")[2], "")
        if name == "graph.css":
            return Response(GRAPH_STYLE, media_type=kind)
        if name in _OWN_ASSETS:
            return Response(resources.files("shoplake_console.assets").joinpath(name).read_bytes(), media_type=kind)
        more: Mapping[str, bytes] = dashboards.assets() if dashboards else {}
        if name in more:
            return Response(more[name], media_type=kind, headers={"Cache-Control": _FOREVER})
        return PlainTextResponse("no such file\n", 404)

    return Starlette(
        routes=[
            Route("/assets/{name}", asset),
            *(dashboard_routes(dashboards, label=source.label) if dashboards else ()),
            *(data_routes(data, label=source.label, clock=clock) if data else ()),
            *run_routes(source, clock=clock, token=token),
        ],
        middleware=[Middleware(Guard, token=token, port=port)],
        exception_handlers={ShoplakeError: told, HTTPException: no_such_page},
    )


def serve_console(
    source: RunSource,
    *,
    clock: Clock,
    port: int,
    opened: Callable[[str], None],
    dashboards: DashboardSource | None = None,
    data: DataSource | None = None,
) -> None:
    """Serve until it is interrupted.

    Args:
        source: The runs.
        clock: Time.
        port: Where; 0 for any free one.
        opened: Told the URL, with its token, once the port is ours.
        dashboards: The dashboards; None for a console without.
        data: The data; None for a console without.

    Raises:
        ConfigError: The port is taken.

    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()  # who opens the URL in the moment that it is printed waits, and is not refused
    except OSError as error:
        listener.close()
        raise ConfigError(f"port {port} cannot be used: {error}", hint="shoplake console --port 0") from error
    bound, token = listener.getsockname()[1], secrets.token_urlsafe(24)
    app = console_app(source, clock=clock, token=token, port=bound, dashboards=dashboards, data=data)
    config = uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1, ws="none")
    opened(f"http://127.0.0.1:{bound}/?token={token}")
    with listener:
        uvicorn.Server(config).run([listener])
