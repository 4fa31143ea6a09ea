"""Each state type through the service, on a clock that skips."""

import json
import threading
import time
from datetime import timedelta

import pytest
from shoplake_local.stepfunctions.expressions import evaluated
from shoplake_local.stepfunctions.faults import StateError

LAMBDA = "arn:aws:states:::lambda:invoke"
GLUE = "arn:aws:states:::glue:startJobRun.sync"


def task(name="f", **more):
    return {"Type": "Task", "Resource": LAMBDA, "Arguments": {"FunctionName": name}, **more}


def test_pass_assigns_and_the_next_state_reads(machine):
    states = {
        "A": {
            "Type": "Pass",
            "Assign": {"x": "{% $states.input.n + 1 %}"},
            "Output": {"y": "{% $states.input.n %}"},
            "Next": "B",
        },
        "B": {"Type": "Pass", "Output": {"x": "{% $x %}", "y": "{% $states.input.y %}"}, "End": True},
    }
    assert machine.run(states, {"n": 1}) == {"x": 2, "y": 1}


def test_output_and_assign_see_the_variables_from_before(machine):
    states = {
        "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "B"},
        "B": {"Type": "Pass", "Assign": {"x": 2}, "Output": {"then": "{% $x %}"}, "Next": "C"},
        "C": {"Type": "Pass", "Output": {"then": "{% $states.input.then %}", "now": "{% $x %}"}, "End": True},
    }
    assert machine.run(states) == {"then": 1, "now": 2}


@pytest.mark.parametrize(("n", "expected"), [(1, "one"), (2, "other")])
def test_choice_goes_where_its_first_true_rule_says(machine, n, expected):
    states = {
        "C": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.n = 1 %}", "Assign": {"w": "one"}, "Next": "E"}],
            "Assign": {"w": "other"},
            "Default": "E",
        },
        "E": {"Type": "Pass", "Output": "{% $w %}", "End": True},
    }
    assert machine.run(states, {"n": n}) == expected


def test_choice_without_a_match_fails(machine):
    states = {
        "C": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.n = 1 %}", "Next": "E"}]},
        "E": {"Type": "Succeed"},
    }
    assert machine.run(states)[0] == "States.NoChoiceMatched"


def test_wait_takes_its_time(machine, clock):
    before = clock.now()
    assert machine.run({"W": {"Type": "Wait", "Seconds": 3600, "Next": "S"}, "S": {"Type": "Succeed"}}, {"a": 1}) == {
        "a": 1
    }
    assert clock.now() - before == timedelta(hours=1)


def test_wait_until_a_time(machine, clock):
    machine.run({"W": {"Type": "Wait", "Timestamp": "2026-11-25T07:30:00Z", "End": True}})
    assert clock.now().isoformat() == "2026-11-25T07:30:00+00:00"


def test_fail_gives_error_and_cause(machine):
    states = {"F": {"Type": "Fail", "Error": "Held", "Cause": "{% 'by ' & $states.input.who %}"}}
    assert machine.run(states, {"who": "another"}) == ("Held", "by another")


def test_task_result_and_history(machine, tasks):
    tasks.functions["f"] = lambda payload: {"Payload": {"n": 1}}
    states = {"T": task(Output="{% $states.result.Payload %}", Next="S"), "S": {"Type": "Succeed"}}
    execution = machine.start(machine.create(states))
    assert json.loads(machine.ended(execution)["output"]) == {"n": 1}
    assert machine.types(execution) == [
        "ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
        "SucceedStateEntered", "SucceedStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    assert [(event["id"], event["previousEventId"]) for event in machine.events(execution)] == [
        (n, n - 1) for n in range(1, 10)
    ]


def test_history_pages_both_ways(machine):
    execution = machine.start(machine.create({"P": {"Type": "Pass", "End": True}}))
    machine.ended(execution)
    first = machine.call("GetExecutionHistory", executionArn=execution, maxResults=3)
    rest = machine.call("GetExecutionHistory", executionArn=execution, maxResults=3, nextToken=first["nextToken"])
    assert [event["id"] for event in first["events"] + rest["events"]] == [1, 2, 3, 4]
    assert "nextToken" not in rest
    newest = machine.call("GetExecutionHistory", executionArn=execution, maxResults=1, reverseOrder=True)
    assert newest["events"][0]["type"] == "ExecutionSucceeded"


def test_retry_waits_longer_each_time_then_catch(machine, tasks, clock):
    def fail(payload):
        raise StateError("Lambda.TooManyRequestsException", "busy")

    tasks.functions["f"] = fail
    retry = {
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": 10,
        "MaxAttempts": 3,
        "BackoffRate": 3,
        "MaxDelaySeconds": 50,
    }
    catch = {"ErrorEquals": ["States.ALL"], "Assign": {"why": "{% $states.errorOutput.Cause %}"}, "Next": "E"}
    states = {
        "T": task(Retry=[retry], Catch=[catch], End=True),
        "E": {"Type": "Pass", "Output": ["{% $why %}", "{% $states.input.Error %}"], "End": True},
    }
    before = clock.now()
    assert machine.run(states) == ["busy", "Lambda.TooManyRequestsException"]
    assert len(tasks.calls) == 4
    assert clock.now() - before == timedelta(seconds=10 + 30 + 50)


def test_full_jitter_takes_a_share_of_the_pause(machine, tasks, clock):
    answers = iter([StateError("Busy"), None])

    def once(payload):
        fault = next(answers)
        if fault:
            raise fault
        return 1

    tasks.functions["f"] = once
    retry = {"ErrorEquals": ["Busy"], "IntervalSeconds": 60, "JitterStrategy": "FULL"}
    before = clock.now()
    assert machine.run({"T": task(Retry=[retry], End=True)}) == 1
    assert clock.now() - before == timedelta(seconds=30)


def test_job_is_waited_for_and_too_slow_is_stopped(machine, tasks):
    job = {"Type": "Task", "Resource": GLUE, "Arguments": {"JobName": "j"}, "TimeoutSeconds": 60, "End": True}
    execution = machine.start(machine.create({"J": job}))
    assert json.loads(machine.ended(execution)["output"])["JobRunState"] == "SUCCEEDED"
    assert "TaskSubmitted" in machine.types(execution)
    tasks.looks = 10**6
    execution = machine.start(machine.create({"J": job}))
    assert machine.ended(execution)["error"] == "States.Timeout"
    assert "TaskTimedOut" in machine.types(execution)
    until, pause = time.monotonic() + 30, threading.Event()
    while not tasks.cancelled and time.monotonic() < until:  # it is told after the history says so
        pause.wait(0.01)
    assert tasks.cancelled == [{"JobName": "j", "JobRunId": "jr_2"}]


def test_machine_that_takes_too_long_times_out(machine):
    execution = machine.start(machine.create({"W": {"Type": "Wait", "Seconds": 100, "End": True}}, TimeoutSeconds=10))
    assert machine.ended(execution)["status"] == "TIMED_OUT"
    assert machine.types(execution)[-2:] == ["WaitStateAborted", "ExecutionTimedOut"]


def test_parallel_gives_results_in_the_branches_order(machine):
    branches = [
        {
            "StartAt": f"W{n}",
            "States": {f"W{n}": {"Type": "Wait", "Seconds": 9 - n, "Output": n, "Assign": {"v": n}, "End": True}},
        }
        for n in range(3)
    ]
    assert machine.run({"P": {"Type": "Parallel", "Branches": branches, "End": True}}) == [0, 1, 2]


def test_branch_that_fails_ends_the_others_and_is_caught(machine):
    branches = [
        {"StartAt": "Slow", "States": {"Slow": {"Type": "Wait", "Seconds": 999, "End": True}}},
        {"StartAt": "Bad", "States": {"Bad": {"Type": "Fail", "Error": "No", "Cause": "why"}}},
    ]
    catch = [{"ErrorEquals": ["No"], "Next": "E"}]
    states = {"P": {"Type": "Parallel", "Branches": branches, "Catch": catch, "End": True}, "E": {"Type": "Succeed"}}
    execution = machine.start(machine.create(states))
    assert json.loads(machine.ended(execution)["output"]) == {"Error": "No", "Cause": "why"}
    types = machine.types(execution)
    assert types.index("WaitStateAborted") < types.index("ParallelStateFailed") < types.index("ParallelStateExited")


def test_map_selects_items_and_keeps_their_order(machine, tasks):
    tasks.functions["f"] = lambda payload: payload
    processor = {
        "StartAt": "T",
        "States": {"T": {**task(End=True), "Arguments": {"FunctionName": "f", "Payload": "{% $states.input %}"}}},
    }
    states = {
        "M": {
            "Type": "Map",
            "Items": "{% $states.input.items %}",
            "ItemSelector": {"i": "{% $states.context.Map.Item.Index %}", "v": "{% $states.context.Map.Item.Value %}"},
            "MaxConcurrency": 2,
            "ItemProcessor": processor,
            "End": True,
        }
    }
    assert machine.run(states, {"items": ["a", "b", "c"]}) == [{"i": n, "v": v} for n, v in enumerate("abc")]
    assert machine.run(states, {"items": []}) == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("$states.input.none", "undefined"),
        ("1 / 0", "failed"),
        ("( $f := function($n){ 1 + $f($n) }; $f(1) )", "failed"),
    ],
    ids=["undefined", "zero", "endless"],
)
def test_query_without_a_value_fails(machine, query, said):
    error, cause = machine.run({"P": {"Type": "Pass", "Output": f"{{% {query} %}}", "End": True}})
    assert error == "States.QueryEvaluationError"
    assert said in cause


def test_eval_is_refused():
    with pytest.raises(StateError, match=r"no \$eval"):
        evaluated("{% $eval('1') %}", {}, location="Output")


def test_quotes_and_nulls_pass_through_variables(machine):
    text = 'it\'s "quoted" {% not a query %} \\ \n'
    states = {
        "A": {"Type": "Pass", "Assign": {"t": "{% $states.input.t %}", "n": "{% $states.input.n %}"}, "Next": "B"},
        "B": {"Type": "Pass", "Output": {"t": "{% $t %}", "n": "{% $n %}"}, "End": True},
    }
    assert machine.run(states, {"t": text, "n": None}) == {"t": text, "n": None}


def test_too_much_data_is_caught_by_name_but_not_by_all(machine, tasks):
    tasks.functions["f"] = lambda payload: "x" * 300_000
    states = {"T": task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "E"}], End=True), "E": {"Type": "Succeed"}}
    assert machine.run(states)[0] == "States.DataLimitExceeded"
