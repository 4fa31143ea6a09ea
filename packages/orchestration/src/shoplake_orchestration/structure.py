"""What is wrong in the structure of a definition: fields, their forms, targets, names, reachability.

The language is Amazon States Language with JSONata only: https://states-language.net/spec.html and
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html. What belongs to JSONPath
(InputPath, Parameters, ResultPath ...) and what this project never uses (distributed maps) is refused, never ignored.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shoplake_orchestration.scopes import Scope, every_scope, every_state, ways_out

__all__ = ["LONGEST_NAME", "form_faults"]

LONGEST_NAME = 80
_LONGEST_SECONDS = 99_999_999
_LONGEST_DELAY_SECONDS = 31_622_399

Check = Callable[[Any], str]
"""What was expected, or "" where the value has that form."""


def is_expression(value: object) -> bool:
    """Whether a string is a JSONata expression: `{% ... %}`, nothing around it."""
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


def _whole(low: int, high: int) -> Check:
    def check(value: Any) -> str:
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return "" if fits else f"a whole number from {low} to {high}"

    return check


def _or_expression(check: Check) -> Check:
    def either(value: Any) -> str:
        expected = check(value)
        return "" if not expected or is_expression(value) else f"{expected}, or a JSONata expression"

    return either


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and value else "a text"


def _comment(value: Any) -> str:
    return "" if isinstance(value, str) else "a text"


def _anything(_value: Any) -> str:
    return ""


def _expression(value: Any) -> str:
    return "" if is_expression(value) else "a JSONata expression in {% %}"


def _condition(value: Any) -> str:
    return "" if isinstance(value, bool) or is_expression(value) else "true, false or a JSONata expression in {% %}"


def _mapping(value: Any) -> str:
    return "" if isinstance(value, Mapping) else "an object"


def _list(value: Any) -> str:
    return "" if isinstance(value, list) and value else "a list with at least one member"


def _one_of(*values: Any) -> Check:
    return lambda value: "" if value in values else " or ".join(repr(known) for known in values)


def _backoff(value: Any) -> str:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and value >= 1
    return "" if fits else "a number of at least 1"


def _true(value: Any) -> str:
    return "" if value is True else "true (a state that goes on has Next instead)"


def _items(value: Any) -> str:
    return "" if isinstance(value, list) or is_expression(value) else "a list, or a JSONata expression"


_COMMON: dict[str, Check] = {"Type": _text, "Comment": _comment, "QueryLanguage": _one_of("JSONata")}
_RESULT: dict[str, Check] = {"Output": _anything, "Assign": _mapping}
_ONWARD: dict[str, Check] = {"Next": _text, "End": _true}
_FAILING: dict[str, Check] = {"Retry": _list, "Catch": _list}
_SECONDS = _or_expression(_whole(1, _LONGEST_SECONDS))

_FIELDS: dict[str, dict[str, Check]] = {
    "Task": _COMMON
    | _RESULT
    | _ONWARD
    | _FAILING
    | {"Resource": _text, "Arguments": _anything, "TimeoutSeconds": _SECONDS, "HeartbeatSeconds": _SECONDS},
    "Choice": _COMMON | _RESULT | {"Choices": _list, "Default": _text},
    "Parallel": _COMMON | _RESULT | _ONWARD | _FAILING | {"Branches": _list, "Arguments": _anything},
    "Map": _COMMON
    | _RESULT
    | _ONWARD
    | _FAILING
    | {
        "Items": _items,
        "ItemSelector": _anything,
        "ItemProcessor": _mapping,
        "MaxConcurrency": _or_expression(_whole(0, 1000)),
    },
    "Wait": _COMMON | _RESULT | _ONWARD | {"Seconds": _or_expression(_whole(0, _LONGEST_SECONDS)), "Timestamp": _text},
    "Pass": _COMMON | _RESULT | _ONWARD,
    "Succeed": _COMMON | {"Output": _anything},
    "Fail": _COMMON | {"Error": _text, "Cause": _text},
}
_REQUIRED: dict[str, tuple[str, ...]] = {
    "Task": ("Resource",),
    "Choice": ("Choices",),
    "Parallel": ("Branches",),
    "Map": ("ItemProcessor",),
}
_MACHINE: dict[str, Check] = {
    "Comment": _comment,
    "QueryLanguage": _one_of("JSONata"),
    "StartAt": _text,
    "States": _mapping,
    "TimeoutSeconds": _whole(1, _LONGEST_SECONDS),
    "Version": _one_of("1.0"),
}
_BRANCH: dict[str, Check] = {"Comment": _comment, "StartAt": _text, "States": _mapping}
_PROCESSOR = _BRANCH | {"ProcessorConfig": _one_of({"Mode": "INLINE"})}
_CHOICE_RULE: dict[str, Check] = {"Condition": _condition, "Next": _text, "Comment": _comment} | _RESULT
_CATCHER: dict[str, Check] = {"ErrorEquals": _list, "Next": _text, "Comment": _comment} | _RESULT
_RETRIER: dict[str, Check] = {
    "ErrorEquals": _list,
    "IntervalSeconds": _whole(1, _LONGEST_SECONDS),
    "MaxAttempts": _whole(0, _LONGEST_SECONDS),
    "BackoffRate": _backoff,
    "MaxDelaySeconds": _whole(1, _LONGEST_DELAY_SECONDS),
    "JitterStrategy": _one_of("FULL", "NONE"),
    "Comment": _comment,
}


def form_faults(definition: Mapping[str, Any]) -> Iterator[str]:
    """Each fault as "<path>: <what>", from the machine inwards."""
    if definition.get("QueryLanguage") != "JSONata":
        yield "/QueryLanguage: the machine must say JSONata; JSONPath is not supported"
    for scope in every_scope(definition):
        yield from _scope_faults(scope)
    yield from _name_faults(definition)


def _field_faults(
    value: Mapping[str, Any], path: str, *, fields: Mapping[str, Check], required: tuple[str, ...]
) -> Iterator[str]:
    for field, given in value.items():
        check = fields.get(field)
        if check is None:
            yield f"{path}/{field}: this field is not known here; known are {', '.join(sorted(fields))}"
        elif expected := check(given):
            yield f"{path}/{field}: expected {expected}, found {given!r}"
    for field in required:
        if field not in value:
            yield f"{path}/{field}: this field is missing"


def _scope_faults(scope: Scope) -> Iterator[str]:
    fields = _PROCESSOR if scope.path.endswith("/ItemProcessor") else _BRANCH if scope.path else _MACHINE
    yield from _field_faults(scope.definition, scope.path, fields=fields, required=("StartAt", "States"))
    states = scope.definition.get("States")
    if isinstance(states, Mapping):
        if not states:
            yield f"{scope.path}/States: at least one state is needed"
        for name, state in states.items():
            if not isinstance(state, Mapping):
                yield f"{scope.path_of(name)}: expected an object, found {state!r}"
    for name, state in scope.states.items():
        yield from _state_faults(state, scope.path_of(name))
    yield from _target_faults(scope)


def _state_faults(state: Mapping[str, Any], path: str) -> Iterator[str]:
    kind = state.get("Type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        yield f"{path}/Type: expected {', '.join(_FIELDS)}, found {kind!r}"
        return
    fields = _FIELDS[kind]
    yield from _field_faults(state, path, fields=fields, required=_REQUIRED.get(kind, ()))
    if "Next" in fields and ("Next" in state) == ("End" in state):
        yield f"{path}: exactly one of Next and End is needed"
    if kind == "Wait" and ("Seconds" in state) == ("Timestamp" in state):
        yield f"{path}: exactly one of Seconds and Timestamp is needed"
    if kind == "Task":
        timeout, heartbeat = state.get("TimeoutSeconds"), state.get("HeartbeatSeconds")
        if isinstance(timeout, int) and isinstance(heartbeat, int) and heartbeat >= timeout:
            yield f"{path}/HeartbeatSeconds: {heartbeat} is not below TimeoutSeconds, {timeout}"
    yield from _member_faults(state, path)


def _member_faults(state: Mapping[str, Any], path: str) -> Iterator[str]:
    """Faults of the objects that a state's lists hold, and of what it assigns."""
    for field, fields, required in (
        ("Choices", _CHOICE_RULE, ("Condition", "Next")),
        ("Retry", _RETRIER, ("ErrorEquals",)),
        ("Catch", _CATCHER, ("ErrorEquals", "Next")),
        ("Branches", {}, ()),
    ):
        members = state.get(field)
        if not isinstance(members, list):
            continue
        for number, member in enumerate(members):
            where = f"{path}/{field}/{number}"
            if not isinstance(member, Mapping):
                yield f"{where}: expected an object, found {member!r}"
                continue
            if fields:
                yield from _field_faults(member, where, fields=fields, required=required)
                yield from _assign_faults(member, where)
            if "ErrorEquals" in fields:
                yield from _error_faults(member, where, last=number == len(members) - 1)
    yield from _assign_faults(state, path)


def _error_faults(rule: Mapping[str, Any], path: str, *, last: bool) -> Iterator[str]:
    errors = rule.get("ErrorEquals")
    if not isinstance(errors, list):
        return
    if not all(isinstance(error, str) and error for error in errors):
        yield f"{path}/ErrorEquals: expected error names, found {errors!r}"
    if "States.ALL" in errors and (len(errors) > 1 or not last):
        yield f"{path}/ErrorEquals: States.ALL must stand alone and in the last rule"
    interval, longest = rule.get("IntervalSeconds", 1), rule.get("MaxDelaySeconds")
    if isinstance(interval, int) and isinstance(longest, int) and longest <= interval:
        yield f"{path}/MaxDelaySeconds: {longest} is not above IntervalSeconds, {interval}"


def _assign_faults(holder: Mapping[str, Any], path: str) -> Iterator[str]:
    assigned = holder.get("Assign")
    if not isinstance(assigned, Mapping):
        return
    for name in assigned:
        if name == "states" or not name.isidentifier() or len(name) > LONGEST_NAME:
            yield f"{path}/Assign/{name}: a variable's name is an identifier of at most 80 characters, not states"


def _target_faults(scope: Scope) -> Iterator[str]:
    """Targets that do not exist in the scope, and states that no path from StartAt reaches."""
    names = scope.states
    start = scope.definition.get("StartAt")
    if isinstance(start, str) and start and start not in names:
        yield f"{scope.path}/StartAt: there is no state {start!r} in this scope"
    ahead: dict[str, list[str]] = {name: [] for name in names}
    for name, state in names.items():
        for place, target, _ in ways_out(state):
            if not isinstance(target, str) or not target:
                continue
            if target not in names:
                yield f"{scope.path_of(name)}/{place}: there is no state {target!r} in this scope"
            else:
                ahead[name].append(target)
    if not isinstance(start, str) or start not in names:
        return
    reached, waiting = {start}, [start]
    while waiting:
        fresh = [target for target in ahead[waiting.pop()] if target not in reached]
        reached.update(fresh)
        waiting.extend(fresh)
    for name in names:
        if name not in reached:
            yield f"{scope.path_of(name)}: no path from StartAt reaches this state"
    if not any(_ends(names[name]) for name in reached):
        yield f"{scope.path}/States: no state that is reached ends this scope"


def _ends(state: Mapping[str, Any]) -> bool:
    return state.get("End") is True or state.get("Type") in {"Succeed", "Fail"}


def _name_faults(definition: Mapping[str, Any]) -> Iterator[str]:
    first: dict[str, str] = {}
    for path, name, _state in every_state(definition):
        if not name or len(name) > LONGEST_NAME:
            yield f"{path}: a state's name has 1 to {LONGEST_NAME} characters, this has {len(name)}"
        if name in first:
            yield f"{path}: this name is taken by {first[name]}; names are unique over the whole machine"
        first.setdefault(name, path)
