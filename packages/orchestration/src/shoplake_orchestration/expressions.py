"""What is wrong in the JSONata expressions of a definition: syntax, functions, `$states`, shadowed variables.

Parsing needs jsonata-python, which `local` and the tests bring: without it only the braces are looked at.
"""

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shoplake_orchestration.scopes import every_scope, every_state

__all__ = ["Reading", "StateText", "expression_faults", "read_expression", "state_texts"]

_NO_EXPRESSIONS = frozenset(
    {"Type", "Comment", "QueryLanguage", "Next", "Default", "Resource", "ErrorEquals", "Branches", "ItemProcessor"}
)
_STEP_FUNCTIONS = frozenset({"partition", "range", "hash", "uuid", "random", "parse"})
_STATES_MEMBERS = frozenset({"input", "result", "errorOutput", "context"})


@dataclass(frozen=True, slots=True)
class StateText:
    """A text in a state that may hold an expression."""

    place: tuple[str, ...]
    """Keys and numbers from the state to the text, such as ("Catch", "0", "Output", "state")."""
    text: str

    @property
    def code(self) -> str | None:
        """What stands between the braces; None where the text is a plain one."""
        if self.text.startswith("{%") and self.text.endswith("%}"):
            return self.text[2:-2].strip()
        return None


@dataclass(frozen=True, slots=True)
class Reading:
    """What an expression reads."""

    fault: str
    """Why it cannot be read; "" where it can."""
    variables: frozenset[str] = frozenset()
    """Variables of the machine that it uses: neither functions, nor bound in the expression, nor `$states`."""
    states_members: frozenset[str] = frozenset()
    """Members of `$states` that it uses."""


def state_texts(state: Mapping[str, Any]) -> Iterator[StateText]:
    """Every text of the state itself, not of the states that it holds."""
    for field, value in state.items():
        if field not in _NO_EXPRESSIONS:
            yield from _texts(value, (field,))


def _texts(value: Any, place: tuple[str, ...]) -> Iterator[StateText]:
    if isinstance(value, str):
        yield StateText(place, value)
    elif isinstance(value, Mapping):
        for key, member in value.items():
            if not (place[0] in {"Choices", "Catch", "Retry"} and len(place) == 2 and key in _NO_EXPRESSIONS):
                yield from _texts(member, (*place, str(key)))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _texts(member, (*place, str(number)))


def expression_faults(definition: Mapping[str, Any]) -> Iterator[str]:
    """Each fault as "<path>: <what>"."""
    for path, _name, state in every_state(definition):
        for text in state_texts(state):
            where = f"{path}/{'/'.join(text.place)}"
            code = text.code
            if code is None:
                if text.text.startswith("{%") or text.text.endswith("%}"):
                    yield f"{where}: an expression begins with {{% and ends with %}}, with nothing around it"
                continue
            reading = read_expression(code)
            if reading.fault:
                yield f"{where}: {reading.fault}"
            for member in sorted(reading.states_members - _members_at(text.place, state.get("Type"))):
                yield f"{where}: $states.{member} cannot be read here"
    yield from _shadow_faults(definition)


def _members_at(place: tuple[str, ...], kind: Any) -> frozenset[str]:
    """The members of `$states` that exist where the expression stands."""
    members = {"input", "context"}
    if place[0] in {"Output", "Assign"} and kind in {"Task", "Parallel", "Map"}:
        members.add("result")
    if place[0] == "Catch":
        members.add("errorOutput")
    return frozenset(members)


@lru_cache(maxsize=4096)
def read_expression(code: str) -> Reading:
    """What the expression reads, or why it cannot be parsed."""
    try:
        jsonata = importlib.import_module("jsonata.jsonata")
    except ImportError:
        return Reading("")
    if not code:
        return Reading("the expression is empty")
    try:
        tree = jsonata.Jsonata(code).ast
    except Exception as error:  # noqa: BLE001 - the library raises JException, ValueError, IndexError and others
        return Reading(f"this is no JSONata expression: {error}")
    used: set[str] = set()
    bound: set[str] = set()
    members: set[str] = set()
    for symbol in _symbols(tree):
        if symbol.type == "variable" and symbol.value:
            used.add(symbol.value)
        elif symbol.type == "bind":
            bound.add(symbol.lhs.value)
        elif symbol.type == "lambda":
            bound.update(argument.value for argument in symbol.arguments)
        elif symbol.type == "path" and len(symbol.steps) > 1 and _is_states(symbol.steps[0]):
            members.add(str(symbol.steps[1].value))
        bound.update(name for name in (getattr(symbol, "focus", None), getattr(symbol, "index", None)) if name)
    if "eval" in used:
        return Reading("$eval is not supported by Step Functions")
    if unknown := members - _STATES_MEMBERS:
        return Reading(f"$states has no member {', '.join(sorted(unknown))}")
    functions = _STEP_FUNCTIONS | set(jsonata.Jsonata.static_frame.bindings)
    return Reading("", frozenset(used - bound - functions - {"states"}), frozenset(members))


def _is_states(symbol: Any) -> bool:
    return bool(symbol.type == "variable" and symbol.value == "states")


def _symbols(tree: Any) -> Iterator[Any]:
    """Every node of a syntax tree, each once: nodes point at each other in several ways."""
    seen: set[int] = set()
    waiting = [tree]
    while waiting:
        symbol = waiting.pop()
        if isinstance(symbol, list | tuple):
            waiting.extend(symbol)
        elif hasattr(symbol, "type") and hasattr(symbol, "value") and id(symbol) not in seen:
            seen.add(id(symbol))
            yield symbol
            waiting.extend(value for name, value in vars(symbol).items() if name != "_outer_instance")


def _shadow_faults(definition: Mapping[str, Any]) -> Iterator[str]:
    """Variables of a branch or a map's body that have the name of one of an outer scope, which AWS refuses."""
    scopes = {scope.path: scope for scope in every_scope(definition)}
    assigned = {place: _assigned(scope.states) for place, scope in scopes.items()}
    for place, scope in scopes.items():
        above = {name for other, names in assigned.items() if place.startswith(f"{other}/") for name in names}
        for name, state in scope.states.items():
            for holder in _assign_holders(state):
                for variable in sorted(above.intersection(holder)):
                    yield f"{scope.path_of(name)}/Assign/{variable}: an outer scope has a variable of this name"


def _assign_holders(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    rules = [rule for field in ("Choices", "Catch") if isinstance(state.get(field), list) for rule in state[field]]
    for holder in (state, *rules):
        assigned = holder.get("Assign") if isinstance(holder, Mapping) else None
        if isinstance(assigned, Mapping):
            yield assigned


def _assigned(states: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(name for state in states.values() for holder in _assign_holders(state) for name in holder)
