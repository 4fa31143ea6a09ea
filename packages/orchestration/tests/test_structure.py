from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shoplake_orchestration.lint import structure_faults

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["Task", "Map", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["States", "StartAt", "a", "Type", "Next", "Catch", "Choices", "Branches", "ItemProcessor", "Assign"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def test_a_valid_machine_with_every_type_of_state_has_no_fault(machine: dict[str, Any]) -> None:
    assert structure_faults(machine) == ()


def _set(*place: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def plant(machine: dict[str, Any]) -> None:
        at: Any = machine["States"]
        for step in place[:-1]:
            at = at[step]
        at[place[-1]] = to

    return plant


def _drop(*place: str | int) -> Callable[[dict[str, Any]], None]:
    def plant(machine: dict[str, Any]) -> None:
        at: Any = machine["States"]
        for step in place[:-1]:
            at = at[step]
        del at[place[-1]]

    return plant


def _add(*place: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def plant(machine: dict[str, Any]) -> None:
        at: Any = machine["States"]
        for step in place:
            at = at[step]
        at.append(value)

    return plant


LOAD = ("Load each", "ItemProcessor", "States", "Load")

PLANTED = {
    "target missing": (
        _set("Both", "Catch", 0, "Next", to="Nowhere"),
        "/States/Both/Catch/0/Next: there is no state 'Nowhere'",
    ),
    "target in another scope": (
        _set(
            *LOAD, "Catch", to=[{"ErrorEquals": ["A"], "Next": "Done"}, {"ErrorEquals": ["B"], "Next": "Load failed"}]
        ),
        "/States/Load each/ItemProcessor/States/Load/Catch/0/Next: there is no state 'Done'",
    ),
    "default missing": (_set("Any", "Default", to="Nowhere"), "/States/Any/Default: there is no state"),
    "rule's target missing": (
        _add("Any", "Choices", value={"Condition": True, "Next": "No"}),
        "/States/Any/Choices/1/Next: there is no",
    ),
    "unreachable": (_set("Island", to={"Type": "Succeed"}), "/States/Island: no path from StartAt reaches"),
    "start missing": (
        _set("Both", "Branches", 0, "StartAt", to="Middle"),
        "/States/Both/Branches/0/StartAt: there is no state 'Middle'",
    ),
    "never ends": (
        _set("Both", "Branches", 1, "States", "Right", to={"Type": "Pass", "Next": "Right"}),
        "/States/Both/Branches/1/States: no state that is reached ends",
    ),
    "next and end": (_set("Pause", "End", to=True), "/States/Pause: exactly one of Next and End"),
    "neither next nor end": (_drop("Load each", "Next"), "/States/Load each: exactly one of Next and"),
    "name twice": (
        _set("Both", "Branches", 1, to={"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
        "this name is taken by",
    ),
    "name too long": (
        _set("Both", "Branches", 1, to={"StartAt": "x" * 81, "States": {"x" * 81: {"Type": "Succeed"}}}),
        "this has 81",
    ),
    "JSONPath field": (_set("Ask", "ResultPath", to="$.x"), "/States/Ask/ResultPath: this field is not known"),
    "JSONPath parameters": (_set("Ask", "Parameters", to={}), "/States/Ask/Parameters: this field is not known"),
    "other language": (_set("Ask", "QueryLanguage", to="JSONPath"), "/States/Ask/QueryLanguage: expected 'JSONata'"),
    "unknown type": (_set("Pause", "Type", to="Sleep"), "/States/Pause/Type: expected Task"),
    "no resource": (_drop("Ask", "Resource"), "/States/Ask/Resource: this field is missing"),
    "timeout of zero": (_set("Ask", "TimeoutSeconds", to=0), "/States/Ask/TimeoutSeconds: expected a whole number"),
    "seconds and timestamp": (_set("Pause", "Timestamp", to="2026-01-01T00:00:00Z"), "one of Seconds and Timestamp"),
    "retry without errors": (_set("Ask", "Retry", to=[{"MaxAttempts": 1}]), "/Retry/0/ErrorEquals: this field is"),
    "all errors not last": (
        _set("Ask", "Retry", to=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["A"]}]),
        "/States/Ask/Retry/0/ErrorEquals: States.ALL must stand alone",
    ),
    "delay below interval": (
        _set("Ask", "Retry", to=[{"ErrorEquals": ["A"], "IntervalSeconds": 9, "MaxDelaySeconds": 5}]),
        "MaxDelaySeconds: 5 is not above",
    ),
    "unknown jitter": (
        _set("Ask", "Retry", to=[{"ErrorEquals": ["A"], "JitterStrategy": "SOME"}]),
        "JitterStrategy: expected 'FULL' or 'NONE'",
    ),
    "distributed map": (
        _set("Load each", "ItemProcessor", "ProcessorConfig", to={"Mode": "DISTRIBUTED"}),
        "ProcessorConfig: expected",
    ),
    "variable's name": (_set("Ask", "Assign", to={"a b": 1}), "/States/Ask/Assign/a b: a variable's name"),
    "shadowed variable": (
        _set("Both", "Branches", 0, "States", "Left", "Assign", to={"loads": 1}),
        "/States/Both/Branches/0/States/Left/Assign/loads: an outer scope has",
    ),
    "unknown integration": (
        _set("Ask", "Resource", to="arn:aws:states:::sqs:sendMessage"),
        "/States/Ask/Resource: 'arn:aws:states:::sqs:sendMessage' is not supported",
    ),
    "unknown sdk service": (
        _set("Ask", "Resource", to="arn:aws:states:::aws-sdk:dms:describeReplicationTasks"),
        "aws-sdk:dms:describeReplicationTasks' is not supported",
    ),
    "unknown sdk action": (
        _set("Ask", "Resource", to="arn:aws:states:::aws-sdk:glue:startCrawlers"),
        "/States/Ask/Resource: the service glue has no action StartCrawlers",
    ),
    "unknown argument": (_set(*LOAD, "Arguments", "Sql", to="x"), "Load/Arguments/Sql: BatchExecuteStatementInput has"),
    "argument not in pascal case": (
        _set(*LOAD, "Arguments", "Parameters", to=[{"name": "a", "Name": "a", "Value": "b"}]),
        "Load/Arguments/Parameters/0/name: SqlParameter has no such parameter",
    ),
    "argument missing": (_drop(*LOAD, "Arguments", "Sqls"), "Load/Arguments/Sqls: this parameter is missing"),
    "argument of another form": (_set(*LOAD, "Arguments", "Database", to=7), "Arguments/Database: expected string"),
    "broken expression": (_set("Any", "Choices", 0, "Condition", to="{% 1 + %}"), "Condition: this is no JSONata"),
    "half braces": (_set("Failed", "Cause", to="{% $cause %} "), "/States/Failed/Cause: an expression begins"),
    "eval": (_set("Failed", "Cause", to="{% $eval('1') %}"), "/States/Failed/Cause: $eval is not supported"),
    "result before there is one": (
        _set("Ask", "Arguments", "Qualifier", to="{% $states.result.x %}"),
        "/States/Ask/Arguments/Qualifier: $states.result cannot be read here",
    ),
    "error output without an error": (
        _set("Failed", "Cause", to="{% $states.errorOutput.Cause %}"),
        "/States/Failed/Cause: $states.errorOutput cannot be read here",
    ),
    "unknown member of states": (_set("Failed", "Cause", to="{% $states.inputs %}"), "$states has no member inputs"),
}


@pytest.mark.parametrize("case", PLANTED)
def test_one_planted_fault_is_the_one_finding(case: str, machine: dict[str, Any]) -> None:
    plant, expected = PLANTED[case]
    plant(machine)

    found = structure_faults(machine)

    assert len(found) == 1, found
    assert expected in found[0]


@given(JSON.filter(lambda value: isinstance(value, dict)))
def test_any_json_object_is_judged_and_never_crashes(definition: dict[str, Any]) -> None:
    assert all(fault.startswith("/") for fault in structure_faults(definition))
