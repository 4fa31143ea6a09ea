import json

import pytest
from shoplake_infra.applying import apply
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resources.log_group import log_group
from shoplake_infra.resources.role import role
from shoplake_infra.resources.state_machine import state_machine

ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:shoplake-dev"


def machine(tags, comment="one"):
    definition = {"Comment": comment, "StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    logs = log_group("/aws/vendedlogs/states/shoplake-dev", retention_days=30, tags=tags)
    runner = role("shoplake-dev-state-machine", services=("states.amazonaws.com",), statements=(), tags=tags)
    return (
        logs,
        runner,
        state_machine("shoplake-dev", definition=definition, role=runner, log_group=logs, tags=tags),
    )


@pytest.fixture
def applied(aws, tags):
    apply(plan(machine(tags), aws), aws)
    return aws.client("stepfunctions")


def paths(desired, aws):
    return [".".join(change.path) for planned in plan(desired, aws).changes for change in planned.changes]


def test_it_is_made_with_logs_without_data_and_traces(aws, calls, tags, applied):
    answer = applied.describe_state_machine(stateMachineArn=ARN)
    assert answer["loggingConfiguration"]["includeExecutionData"] is False
    assert answer["tracingConfiguration"] == {"enabled": True}
    calls.reset()
    assert paths(machine(tags), aws) == []
    assert calls.writes == []


def test_only_the_states_that_changed_are_in_the_plan(aws, tags, applied):
    assert plan(machine(tags, "two"), aws).lines()[:2] == (
        "~ state_machine shoplake-dev",
        '    definition.Comment: "one" -> "two"',
    )
    apply(plan(machine(tags, "two"), aws), aws)
    assert paths(machine(tags, "two"), aws) == []


def test_what_was_changed_by_hand_is_set_again(aws, tags, applied):
    applied.update_state_machine(
        stateMachineArn=ARN,
        definition=json.dumps({"StartAt": "Stop", "States": {"Stop": {"Type": "Fail"}}}),
        loggingConfiguration={"level": "OFF"},
        tracingConfiguration={"enabled": False},
    )
    assert set(paths(machine(tags), aws)) >= {"definition.StartAt", "definition.States.Stop", "log_level", "tracing"}
    apply(plan(machine(tags), aws), aws)
    assert paths(machine(tags), aws) == []


def test_a_destroy_takes_it(aws, tags, applied):
    apply(plan_destroy(machine(tags), aws), aws)
    assert applied.list_state_machines()["stateMachines"] == []
