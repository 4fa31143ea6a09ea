"""The data over HTTP: every table, and one."""

from shoplake_core.clock import Clock
from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from shoplake_console.data_page import data_main
from shoplake_console.data_port import DataLayer, DataSource
from shoplake_console.markup import Section, document
from shoplake_console.table_page import table_main

__all__ = ["data_routes"]


def data_routes(source: DataSource, *, label: str, clock: Clock) -> list[Route]:
    """Where the data's pages are found.

    Args:
        source: The data.
        label: Which environment on which AWS.
        clock: For how long ago something was.

    """

    def show(_request: Request) -> Response:
        main = data_main(source.overview(), now=clock.now())
        return HTMLResponse(document("Data", label, main, section=Section.DATA))

    def show_table(request: Request) -> Response:
        word, name = request.path_params["layer"], request.path_params["name"]
        if word not in set(DataLayer):
            raise ConfigError(
                f'no layer "{word}"{did_you_mean(word, list(DataLayer))}', hint=f"one of: {', '.join(DataLayer)}"
            )
        layer = DataLayer(word)
        names = source.names(layer)
        if name not in names:
            there = [f"{other}/{name}" for other in DataLayer if other is not layer and name in source.names(other)]
            hint = f"{' or '.join(there)} is there" if there else f"one of: {', '.join(names) or 'none yet'}"
            raise ConfigError(f'no table "{name}" in {layer}{did_you_mean(name, names)}', hint=hint)
        main = table_main(source.table(layer, name), now=clock.now())
        return HTMLResponse(document(f"{name} in {layer}", label, main, section=Section.DATA))

    return [Route("/data", show), Route("/data/{layer}/{name}", show_table)]
