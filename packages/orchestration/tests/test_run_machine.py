import json
from typing import Any

import pytest
from cfnlint.api import ManualArgs
from cfnlint.api import lint as cfn_lint
from jsonata.jsonata import Jsonata
from shoplake_orchestration.__main__ import GOLDEN
from shoplake_orchestration.binding import bind, tokens_in
from shoplake_orchestration.lint import lint
from shoplake_orchestration.policies import branch_fails, catch_in_branch, catch_to
from shoplake_orchestration.run_machine import BEGINNINGS, FAILS_ON_PURPOSE, run_definition
from shoplake_orchestration.scopes import every_state


@pytest.fixture(scope="module")
def run() -> dict[str, Any]:
    text = run_definition()
    return json.loads(bind(text, {name: "15" if _is_number(name) else f"x-{name}" for name in tokens_in(text)}))


def _is_number(token: str) -> bool:
    return token.endswith(("Seconds", "Polls"))


def test_the_golden_file_is_what_python_builds() -> None:
    """`python -m shoplake_orchestration` writes it anew."""
    assert GOLDEN.read_text(encoding="utf-8") == run_definition()


def test_the_run_has_no_finding(run: dict[str, Any]) -> None:
    assert lint(run, fails_on_purpose=FAILS_ON_PURPOSE) == ()


def test_cfn_lint_accepts_the_run(run: dict[str, Any]) -> None:
    """All but one thing: it takes no expression for TimeoutSeconds, which Step Functions does."""
    machine = {"RoleArn": "arn:aws:iam::123456789012:role/run", "Definition": run}
    resources = {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}}

    found = cfn_lint(json.dumps({"Resources": resources}), config=ManualArgs(regions=["eu-central-1"]))

    assert {match.message for match in found} == {"'{% 15 %}' is not of type 'number'"}
    assert {list(match.path)[-1] for match in found} == {"TimeoutSeconds"}


def test_a_redrive_goes_on_wherever_a_task_failed(run: dict[str, Any]) -> None:
    rules = run["States"]["Where to go on"]["Choices"]
    failing = {name for _path, name, state in every_state(run) if state["Type"] in {"Task", "Parallel", "Map"}}
    never_told = {"Tell what failed", "End as failed"}

    for name in failing - never_told:
        assert [rule["Next"] for rule in rules if _value(rule["Condition"], {"resume_at": name}) is True], name
    assert set(BEGINNINGS) <= {rule["Next"] for rule in rules}


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ({}, "Take the run lock"),
        ({"from": ""}, "Take the run lock"),
        ({"from": "Shape silver into gold"}, "Take the run lock"),
        ({"from": "Tell what failed"}, "Refuse an unknown beginning"),
    ],
)
def test_a_run_begins_only_where_it_can(run: dict[str, Any], given: dict[str, Any], target: str) -> None:
    begin = run["States"]["Where to begin"]
    taken = [rule["Next"] for rule in begin["Choices"] if _value(rule["Condition"], {"states": {"input": given}})]

    assert (taken or [begin["Default"]])[0] == target


STATISTICS = [
    {"SchemaName": "shop", "TableName": "orders", "TableState": "Full load"},
    {"SchemaName": "shop", "TableName": "items", "TableState": "Table error"},
    {"SchemaName": "shop", "TableName": "buyers", "TableState": "Table completed"},
]


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (STATISTICS, (3, 1, ["shop.items"])),
        (STATISTICS[:1], (1, 1, [])),
        (STATISTICS[2:], (1, 0, [])),
        ([], (0, 0, [])),
    ],
)
def test_tables_are_counted_by_how_their_load_is(
    run: dict[str, Any], tables: list[dict[str, str]], expected: tuple[Any, ...]
) -> None:
    assign = run["States"]["Ask whether the loads are complete"]["Assign"]
    before = {"tables": 0, "tables_loading": 0, "tables_in_error": [], "tables_page": "", "polls": 0}
    variables = before | {"states": {"result": {"TableStatistics": tables}}}

    after = {name: _value(text, variables) for name, text in assign.items()}

    assert (after["tables"], after["tables_loading"], list(after["tables_in_error"])) == expected
    assert (after["tables_page"], after["polls"]) == ("", 1)


GLUE_CAUSE = json.dumps({"JobName": "j", "JobRunState": "FAILED", "ErrorMessage": "orders: 3 rows are lost"})
LAMBDA_CAUSE = json.dumps({"errorMessage": "the source cannot be reached", "errorType": "ResourceError"})


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (GLUE_CAUSE, "orders: 3 rows are lost"),
        (LAMBDA_CAUSE, "the source cannot be reached"),
        ("a sentence", "a sentence"),
        ('{"cut": "in the mid', '{"cut": "in the mid'),
        ("", ""),
        ("x" * 30000, "x" * 2000),
    ],
)
def test_a_failure_keeps_state_error_and_a_readable_cause(cause: str, told: str) -> None:
    failed = _value(catch_to("T").to_asl()["Assign"]["failed"], _error("Clean", "States.TaskFailed", cause))

    assert failed == {"state": "Clean", "error": "States.TaskFailed", "cause": told}


def test_a_failure_without_a_cause_is_told_too() -> None:
    variables = _error("Clean", "States.Timeout", None)

    failed = _value(catch_to("T").to_asl()["Assign"]["failed"], variables)

    assert failed == {"state": "Clean", "error": "States.Timeout", "cause": ""}


def test_a_failure_inside_a_branch_names_the_inner_state_outside() -> None:
    inner = _value(catch_in_branch("F").to_asl()["Output"], _error("Clean", "States.TaskFailed", GLUE_CAUSE))
    fails = branch_fails().to_asl()
    error = _value(fails["Error"], {"states": {"input": inner}})
    cause = _value(fails["Cause"], {"states": {"input": inner}})

    outer = _value(catch_to("T").to_asl()["Assign"]["failed"], _error("Crawl and clean", error, cause))

    assert outer == {"state": "Clean", "error": "States.TaskFailed", "cause": "orders: 3 rows are lost"}


def _error(state: str, error: str, cause: str | None) -> dict[str, Any]:
    output = {"Error": error} if cause is None else {"Error": error, "Cause": cause}
    return {"states": {"errorOutput": output, "context": {"State": {"Name": state}}}}


def _value(expression: str, variables: dict[str, Any]) -> Any:
    """What jsonata-python makes of an expression, with the variables bound and Step Functions' $parse."""
    parsed = Jsonata(expression.removeprefix("{%").removesuffix("%}").strip())
    for name, value in variables.items():
        parsed.assign(name, value)
    parsed.register_lambda("parse", json.loads)
    return parsed.evaluate(None)
