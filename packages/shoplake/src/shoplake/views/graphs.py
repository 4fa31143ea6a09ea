"""The graph of a run: in a terminal, and as a picture."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text
from shoplake_console.graph_layout import layout_of
from shoplake_console.graph_svg import run_svg
from shoplake_console.graph_text import run_lines
from shoplake_console.run_states import StateStatus, state_visits
from shoplake_orchestration.graph import graph

from shoplake.views.tables import data_console

__all__ = ["print_graph", "run_picture"]

_STYLES = {
    StateStatus.NOT_STARTED: "dim",
    StateStatus.RUNNING: "blue",
    StateStatus.SUCCEEDED: "green",
    StateStatus.CAUGHT: "yellow",
    StateStatus.FAILED: "bold red",
    StateStatus.CANCELLED: "dim",
}


def print_graph(
    definition: Mapping[str, Any], events: Sequence[Mapping[str, Any]], console: Console | None = None
) -> None:
    """Print every state in the machine's order; sign, word and colour say the same."""
    out = console or data_console()
    for status, text in run_lines(graph(definition), state_visits(events)):
        out.print(Text(text, style=_STYLES[status]), soft_wrap=True)


def run_picture(definition: Mapping[str, Any], events: Sequence[Mapping[str, Any]], *, title: str) -> str:
    """The run as one SVG."""
    drawn = graph(definition)
    return run_svg(drawn, layout_of(drawn), state_visits(events), title=title)
