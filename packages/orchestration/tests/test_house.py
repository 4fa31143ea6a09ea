from collections.abc import Callable
from typing import Any

import pytest
from shoplake_orchestration.lint import house_faults, lint


def test_the_small_machine_keeps_the_policy(machine: dict[str, Any]) -> None:
    assert lint(machine) == ()


def _inner(machine: dict[str, Any]) -> dict[str, Any]:
    return machine["States"]["Load each"]["ItemProcessor"]["States"]["Load"]


PLANTED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no timeout": (lambda m: m["States"]["Ask"].pop("TimeoutSeconds"), "/States/Ask/TimeoutSeconds: a Task without"),
    "no timeout inside a map": (
        lambda m: _inner(m).pop("TimeoutSeconds"),
        "/States/Load each/ItemProcessor/States/Load/TimeoutSeconds: a Task without",
    ),
    "no retry": (lambda m: m["States"]["Ask"].pop("Retry"), "/States/Ask/Retry: a Task without"),
    "no catch on a map": (lambda m: m["States"]["Load each"].pop("Catch"), "/States/Load each/Catch: no rule"),
    "no catch on a parallel": (lambda m: m["States"]["Both"].pop("Catch"), "/States/Both/Catch: no rule catches"),
    "catches some errors only": (
        lambda m: m["States"]["Both"]["Catch"][0].update(ErrorEquals=["States.Timeout"]),
        "/States/Both/Catch: no rule catches every error",
    ),
    "token left": (
        lambda m: m["States"]["Ask"]["Arguments"].update(FunctionName="${RunLockFunction}"),
        "/States/Ask/Arguments/FunctionName: the token ${RunLockFunction} is not bound",
    ),
    "variable never assigned": (
        lambda m: m["States"]["Any"]["Choices"][0].update(Condition="{% $count($batches) > 0 %}"),
        "/States/Any/Choices/0/Condition: no path before assigns $batches",
    ),
    "variable assigned later": (
        lambda m: m["States"]["Ask"]["Arguments"].update(Qualifier="{% $loads[0].name %}"),
        "/States/Ask/Arguments/Qualifier: no path before assigns $loads",
    ),
    "variable of another branch": (
        lambda m: (
            m["States"]["Both"]["Branches"][0]["States"]["Left"].update(Assign={"left": 1}),
            m["States"]["Done"].update(Output="{% $left %}"),
        ),
        "/States/Done/Output: no path before assigns $left",
    ),
}


@pytest.mark.parametrize("case", PLANTED)
def test_one_planted_fault_is_the_one_finding(case: str, machine: dict[str, Any]) -> None:
    plant, expected = PLANTED[case]
    plant(machine)

    found = lint(machine)

    assert len(found) == 1, found
    assert expected in found[0]


def test_a_state_that_fails_on_purpose_needs_no_catch(machine: dict[str, Any]) -> None:
    del machine["States"]["Both"]["Catch"]

    assert house_faults(machine, fails_on_purpose={"Both"}) == ()
