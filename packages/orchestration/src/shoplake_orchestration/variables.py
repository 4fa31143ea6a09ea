"""Variables that are read where no path has assigned them.

An approximation that raises no false alarm: a variable counts as assigned where at least one path assigns it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shoplake_orchestration.expressions import StateText, read_expression, state_texts
from shoplake_orchestration.scopes import every_scope, ways_out

__all__ = ["variable_faults"]


def variable_faults(definition: Mapping[str, Any]) -> Iterator[str]:
    """Each fault as "<path>: <what>"."""
    at_state: dict[str, frozenset[str]] = {}
    for scope in every_scope(definition):
        outer = at_state.get(scope.holder, frozenset())
        before = _assigned_before(scope.states, scope.definition.get("StartAt"), outer)
        for name, state in scope.states.items():
            path = scope.path_of(name)
            at_state[path] = before.get(name, outer)
            for text in state_texts(state):
                for variable in sorted(_read(text) - at_state[path]):
                    yield f"{path}/{'/'.join(text.place)}: no path before assigns ${variable}"


def _read(text: StateText) -> frozenset[str]:
    return read_expression(text.code).variables if text.code else frozenset()


def _assigned_before(
    states: Mapping[str, Mapping[str, Any]], start: Any, outer: frozenset[str]
) -> dict[str, frozenset[str]]:
    """What some path has assigned when a state begins, by state."""
    before: dict[str, frozenset[str]] = {start: outer} if isinstance(start, str) and start in states else {}
    waiting = list(before)
    while waiting:
        name = waiting.pop()
        for _, target, holder in ways_out(states[name]):
            if not isinstance(target, str) or target not in states:
                continue
            known = before.get(target)
            now = (known or frozenset()) | before[name] | _names(holder)
            if now != known:
                before[target] = now
                waiting.append(target)
    return before


def _names(holder: Mapping[str, Any]) -> frozenset[str]:
    assigned = holder.get("Assign")
    return frozenset(assigned) if isinstance(assigned, Mapping) else frozenset()
