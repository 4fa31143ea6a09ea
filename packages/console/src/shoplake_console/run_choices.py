"""What a reader has chosen of a run's page, from its address; what is not there is named with the nearest. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean
from shoplake_orchestration.graph import Graph

__all__ = ["ChoiceError", "RunChoices", "RunView", "chosen"]

_LONGEST_NUMBER = 8


class ChoiceError(ConfigError):
    """An address asks for what the page does not have."""


class RunView(StrEnum):
    """How the states are shown."""

    GRAPH = "graph"
    TABLE = "table"
    EVENTS = "events"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChoices:
    """The choices.

    Attributes:
        view: Which view.
        state: The state asked for; "" for none.
        page: Which page of the events, from 1; 0 for the newest.
        errors_only: Whether only events that tell an error are shown.

    """

    view: RunView = RunView.GRAPH
    state: str = ""
    page: int = 0
    errors_only: bool = False


def chosen(query: Mapping[str, str], graph: Graph) -> RunChoices:
    """The choices of a query.

    Raises:
        ChoiceError: There is no such view, state or page.

    """
    view, state, page, errors = (query.get(name, "") for name in ("view", "state", "page", "errors"))
    names = [node.name for node in graph.nodes]
    if view and view not in set(RunView):
        raise ChoiceError(f'no view "{view}"{did_you_mean(view, list(RunView))}', hint=f"one of: {', '.join(RunView)}")
    if state and state not in names:
        raise ChoiceError(
            f'the run\'s machine has no state "{state}"{did_you_mean(state, names)}', hint="choose one in the graph"
        )
    if page and not (page.isascii() and page.isdecimal() and len(page) <= _LONGEST_NUMBER):
        raise ChoiceError(f'"{page}" is no page of the events', hint="leave it out for the newest")
    if errors not in {"", "1"}:
        raise ChoiceError(f"errors={errors} is neither on nor off", hint="errors=1 shows errors only")
    return RunChoices(
        view=RunView(view) if view else RunView.GRAPH,
        state=state,
        page=int(page or 0),
        errors_only=bool(errors),
    )
