"""The scopes of a definition: the machine itself, each branch of a Parallel and the body of each Map.

States see only the states of their own scope as targets, yet their names are unique over the whole machine.
It takes any JSON value: what has the wrong form is left out here and found by `structure`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Scope", "every_scope", "every_state", "ways_out"]


@dataclass(frozen=True, slots=True)
class Scope:
    """States that may name each other as targets."""

    path: str
    """Where it stands, such as "/States/Crawl/Branches/0"; "" for the machine."""
    definition: Mapping[str, Any]
    """The object with StartAt and States."""
    holder: str = ""
    """Path of the state that holds it; "" for the machine."""

    @property
    def states(self) -> Mapping[str, Mapping[str, Any]]:
        """The states that are objects, by name."""
        states = self.definition.get("States")
        if not isinstance(states, Mapping):
            return {}
        return {name: state for name, state in states.items() if isinstance(state, Mapping)}

    def path_of(self, name: str) -> str:
        """Where the state stands."""
        return f"{self.path}/States/{name}"


def every_scope(definition: Mapping[str, Any], path: str = "", *, holder: str = "") -> Iterator[Scope]:
    """The machine first, then what its states hold, outer before inner."""
    scope = Scope(path, definition, holder)
    yield scope
    for name, state in scope.states.items():
        for place, body in _bodies(state):
            yield from every_scope(body, f"{scope.path_of(name)}/{place}", holder=scope.path_of(name))


def every_state(definition: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(path, name, state) of every state, in whatever scope."""
    for scope in every_scope(definition):
        for name, state in scope.states.items():
            yield scope.path_of(name), name, state


def _bodies(state: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    branches = state.get("Branches")
    if isinstance(branches, list):
        for number, branch in enumerate(branches):
            if isinstance(branch, Mapping):
                yield f"Branches/{number}", branch
    processor = state.get("ItemProcessor")
    if isinstance(processor, Mapping):
        yield "ItemProcessor", processor


def ways_out(state: Mapping[str, Any]) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """(place in the state, target, the object whose Assign holds on this way) of every way out of a state."""
    for field in ("Next", "Default"):
        if field in state:
            yield field, state[field], state
    for field in ("Choices", "Catch"):
        rules = state.get(field)
        for number, rule in enumerate(rules if isinstance(rules, list) else []):
            if isinstance(rule, Mapping) and "Next" in rule:
                yield f"{field}/{number}/Next", rule["Next"], rule
