"""The project's own policy for machines: nothing hangs, nothing fails unseen, no token is left."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from shoplake_orchestration.binding import tokens_in
from shoplake_orchestration.expressions import state_texts
from shoplake_orchestration.scopes import every_state
from shoplake_orchestration.variables import variable_faults

__all__ = ["policy_faults"]


def policy_faults(definition: Mapping[str, Any], *, fails_on_purpose: Collection[str]) -> Iterator[str]:
    """Each fault as "<path>: <what>"; the states named may fail without a Catch."""
    for path, name, state in every_state(definition):
        kind = state.get("Type")
        if kind == "Task":
            if "TimeoutSeconds" not in state:
                yield f"{path}/TimeoutSeconds: a Task without a timeout may hang for a year"
            if not state.get("Retry"):
                yield f"{path}/Retry: a Task without a retry fails at the first throttled call"
        goes_on = state.get("End") is not True
        if kind in {"Task", "Parallel", "Map"} and goes_on and name not in fails_on_purpose and not _catches_all(state):
            yield f"{path}/Catch: no rule catches every error (States.ALL), so it would fail unseen"
        for where, text in _texts(state):
            for token in sorted(tokens_in(text)):
                yield f"{path}/{where}: the token ${{{token}}} is not bound"
    yield from variable_faults(definition)


def _catches_all(state: Mapping[str, Any]) -> bool:
    rules = state.get("Catch")
    members = [rule for rule in rules if isinstance(rule, Mapping)] if isinstance(rules, list) else []
    return any(rule.get("ErrorEquals") == ["States.ALL"] for rule in members)


def _texts(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(state.get("Resource"), str):
        yield "Resource", state["Resource"]
    for text in state_texts(state):
        yield "/".join(text.place), text.text
