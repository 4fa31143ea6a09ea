"""Names, stop, redrive, and an engine that was killed."""

import json
import threading

import pytest
from shoplake_core.clock import SystemClock
from shoplake_local.service import ServiceError
from shoplake_local.stepfunctions.faults import StateError
from shoplake_local.stepfunctions.waiting import SystemWaiter

from .conftest import Machine, Tasks

LAMBDA = "arn:aws:states:::lambda:invoke"
GLUE = "arn:aws:states:::glue:startJobRun.sync"
LONG_WAIT = {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}
JOB = {"Type": "Task", "Resource": GLUE, "Arguments": {"JobName": "j"}, "End": True}


@pytest.fixture
def real(tmp_path, tasks):
    made = Machine(tmp_path / "real.sqlite", tasks, clock=SystemClock(), waiter=SystemWaiter())
    yield made
    made.service.close()


def code(call, *arguments, **parameters):
    with pytest.raises(ServiceError) as caught:
        call(*arguments, **parameters)
    return caught.value.code


def test_same_name_and_input_is_the_same_execution_while_it_runs(real):
    made = real.create(LONG_WAIT)
    first = real.start(made, {"a": 1}, name="n")
    assert real.start(made, {"a": 1}, name="n") == first
    assert code(real.start, made, {"a": 2}, name="n") == "ExecutionAlreadyExists"
    real.call("StopExecution", executionArn=first)
    assert code(real.start, made, {"a": 1}, name="n") == "ExecutionAlreadyExists"


def test_stop_interrupts_at_once_and_ends_the_job(real, tasks):
    tasks.looks = 10**6
    execution = real.start(real.create({"J": JOB}))
    while "TaskSubmitted" not in real.types(execution):
        threading.Event().wait(0.01)
    real.call("StopExecution", executionArn=execution, error="Op", cause="asked")
    found = real.ended(execution)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Op", "asked")
    assert real.types(execution)[-2:] == ["TaskStateAborted", "ExecutionAborted"]
    real.until(execution, lambda _: tasks.cancelled)


def test_redrive_repeats_only_the_branch_that_failed(machine, tasks):
    broken = [True]

    def flaky(payload):
        if broken[0]:
            raise StateError("Broken", "still")
        return "mended"

    tasks.functions = {"good": lambda payload: "good", "flaky": flaky}
    branches = [
        {
            "StartAt": name,
            "States": {name: {"Type": "Task", "Resource": LAMBDA, "Arguments": {"FunctionName": name}, "End": True}},
        }
        for name in ("good", "flaky")
    ]
    branches[1]["States"]["flaky"]["Retry"] = [{"ErrorEquals": ["Broken"], "MaxAttempts": 2}]
    states = {
        "A": {"Type": "Pass", "Assign": {"kept": 1}, "Next": "P"},
        "P": {
            "Type": "Parallel",
            "Branches": branches,
            "Output": ["{% $states.result %}", "{% $kept %}", "{% $states.context.Execution.RedriveCount %}"],
            "End": True,
        },
    }
    execution = machine.start(machine.create(states))
    assert machine.ended(execution)["redriveStatus"] == "REDRIVABLE"
    broken[0] = False
    machine.call("RedriveExecution", executionArn=execution)
    found = machine.ended(execution)
    assert json.loads(found["output"]) == [["good", "mended"], 1, 1]
    assert found["redriveCount"] == 1
    assert [call["FunctionName"] for call in tasks.calls].count("good") == 1
    assert "ExecutionRedriven" in machine.types(execution)
    assert code(machine.call, "RedriveExecution", executionArn=execution) == "ExecutionNotRedrivable"


def test_execution_goes_on_with_the_same_job_in_a_new_engine(tmp_path, tasks):
    tasks.looks = 10**6
    path = tmp_path / "kept.sqlite"
    first = Machine(path, tasks, clock=SystemClock(), waiter=SystemWaiter())
    execution = first.start(first.create({"J": JOB}))
    while "TaskSubmitted" not in first.types(execution):
        threading.Event().wait(0.01)
    first.service.close()
    again = Tasks()
    again.looks = 1
    second = Machine(path, again, clock=SystemClock(), waiter=SystemWaiter())
    try:
        assert json.loads(second.ended(execution)["output"])["JobRunId"] == "jr_1"
        assert again.jobs == 0
    finally:
        second.service.close()


def test_task_in_flight_is_asked_again_by_a_new_engine(tmp_path, tasks):
    never = threading.Event()
    tasks.functions["f"] = lambda payload: never.wait(60)
    path = tmp_path / "kept.sqlite"
    first = Machine(path, tasks, clock=SystemClock(), waiter=SystemWaiter())
    state = {"Type": "Task", "Resource": LAMBDA, "Arguments": {"FunctionName": "f"}, "End": True}
    execution = first.start(first.create({"T": state}))
    while not tasks.calls:
        threading.Event().wait(0.01)
    first.service.close()
    never.set()
    again = Tasks()
    again.functions["f"] = lambda payload: "again"
    second = Machine(path, again, clock=SystemClock(), waiter=SystemWaiter())
    try:
        assert json.loads(second.ended(execution)["output"]) == "again"
    finally:
        second.service.close()


def test_list_filters_and_pages(machine):
    made = machine.create({"P": {"Type": "Pass", "End": True}})
    started = [machine.start(made) for _ in range(3)]
    for execution in started:
        machine.ended(execution)
    page = machine.call("ListExecutions", stateMachineArn=made, statusFilter="SUCCEEDED", maxResults=2)
    rest = machine.call("ListExecutions", stateMachineArn=made, statusFilter="SUCCEEDED", nextToken=page["nextToken"])
    assert [found["executionArn"] for found in page["executions"] + rest["executions"]] == started[::-1]
    assert machine.call("ListExecutions", stateMachineArn=made, statusFilter="FAILED")["executions"] == []


def test_machines_are_described_updated_tagged_and_deleted(machine):
    made = machine.create({"P": {"Type": "Pass", "End": True}})
    assert machine.create({"P": {"Type": "Pass", "End": True}}) == made
    assert code(machine.create, {"Q": {"Type": "Pass", "End": True}}) == "StateMachineAlreadyExists"
    assert code(machine.create, {"Q": {"Type": "Pass", "Next": "Nowhere"}}, name="bad") == "InvalidDefinition"
    execution = machine.start(made)
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Q", "States": {"Q": {"Type": "Succeed"}}})
    machine.call("UpdateStateMachine", stateMachineArn=made, definition=definition)
    assert machine.call("DescribeStateMachine", stateMachineArn=made)["definition"] == definition
    assert '"P"' in machine.call("DescribeStateMachineForExecution", executionArn=execution)["definition"]
    machine.call("TagResource", resourceArn=made, tags=[{"key": "Project", "value": "shoplake"}])
    assert machine.call("ListTagsForResource", resourceArn=made)["tags"] == [{"key": "Project", "value": "shoplake"}]
    machine.call("UntagResource", resourceArn=made, tagKeys=["Project"])
    assert machine.call("ListTagsForResource", resourceArn=made)["tags"] == []
    machine.ended(execution)
    machine.call("DeleteStateMachine", stateMachineArn=made)
    assert code(machine.call, "DescribeStateMachine", stateMachineArn=made) == "StateMachineDoesNotExist"


def test_validation_names_each_fault(machine):
    answer = machine.call("ValidateStateMachineDefinition", definition='{"StartAt": "A", "States": {}}')
    assert answer["result"] == "FAIL"
    assert answer["diagnostics"]
    assert machine.call("ListStateMachines")["stateMachines"] == []


def test_heartbeats_are_refused(machine):
    assert code(machine.create, {"J": {**JOB, "TimeoutSeconds": 60, "HeartbeatSeconds": 5}}) == "InvalidDefinition"
