"""What executions did, in the log groups that their machines name: through the front, by what GetExecutionHistory tells."""

import json
import time
import uuid

import pytest
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_local.stepfunctions.log_events import is_logged

FAILING = {
    "QueryLanguage": "JSONata",
    "StartAt": "Go",
    "States": {
        "Go": {"Type": "Pass", "Output": {"secret": "p4ss"}, "Next": "Stop"},
        "Stop": {"Type": "Fail", "Error": "Shop.Closed", "Cause": "it is night"},
    },
}


@pytest.mark.parametrize(
    ("event_type", "levels"),
    [
        ("ExecutionStarted", {"ALL"}),
        ("PassStateExited", {"ALL"}),
        ("TaskFailed", {"ALL", "ERROR"}),
        ("MapIterationAborted", {"ALL", "ERROR"}),
        ("FailStateEntered", {"ALL", "ERROR"}),
        ("ExecutionTimedOut", {"ALL", "ERROR", "FATAL"}),
    ],
)
def test_an_event_is_logged_from_its_level_on(event_type, levels):
    assert {level for level in ("ALL", "ERROR", "FATAL", "OFF") if is_logged(event_type, level)} == levels


class Logged:
    """A machine that fails, logging to a group of its own."""

    def __init__(self, aws, level, *, with_data):
        self.aws, self.logs, self.states = aws, aws.client("logs"), aws.client("stepfunctions")
        self.group, iam = f"/aws/vendedlogs/states/{uuid.uuid4().hex[:8]}", aws.client("iam")
        self.name = self.group.rpartition("/")[2]
        self.logs.create_log_group(logGroupName=self.group)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "states.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=trust)
        arn = f"arn:aws:logs:{aws.endpoint.region}:{LOCAL_ACCOUNT}:log-group:{self.group}:*"
        self.machine = self.states.create_state_machine(
            name=self.name,
            definition=json.dumps(FAILING),
            roleArn=f"arn:aws:iam::{LOCAL_ACCOUNT}:role/{self.name}",
            loggingConfiguration={
                "level": level,
                "includeExecutionData": with_data,
                "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
            },
        )["stateMachineArn"]

    def run(self):
        execution = self.states.start_execution(stateMachineArn=self.machine, input='{"who": "me"}')["executionArn"]
        until = time.monotonic() + 60
        while self.states.describe_execution(executionArn=execution)["status"] == "RUNNING":
            assert time.monotonic() < until
            time.sleep(0.05)
        return execution

    def lines(self):
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=self.group)
        return [json.loads(event["message"]) for page in pages for event in page["events"]]


def test_every_event_is_logged_once_without_what_states_were_given_and_a_redrive_goes_on(local_aws):
    logged = Logged(local_aws, "ALL", with_data=False)
    assert logged.lines() == []
    execution = logged.run()
    logged.states.redrive_execution(executionArn=execution)
    while logged.states.describe_execution(executionArn=execution)["status"] == "RUNNING":
        time.sleep(0.05)
    history = logged.states.get_execution_history(executionArn=execution)["events"]
    for _ in range(2):
        lines = logged.lines()
        assert [(int(line["id"]), line["type"]) for line in lines] == [(e["id"], e["type"]) for e in history]
    assert "p4ss" not in json.dumps(lines)
    assert {line["execution_arn"] for line in lines} == {execution}
    assert {line["redrive_count"] for line in lines} == {"0", "1"}
    assert lines[-1]["details"] == {"error": "Shop.Closed", "cause": "it is night"}
    (stream,) = logged.logs.describe_log_streams(logGroupName=logged.group)["logStreams"]
    assert stream["logStreamName"].startswith(f"states/{logged.name}/20")
    logged.logs.delete_log_group(logGroupName=logged.group)
    logged.logs.create_log_group(logGroupName=logged.group)
    assert len(logged.lines()) == len(history)


def test_a_machine_that_logs_errors_logs_what_they_were_given(local_aws):
    logged = Logged(local_aws, "ERROR", with_data=True)
    logged.run()
    assert [line["type"] for line in logged.lines()] == ["FailStateEntered", "ExecutionFailed"]
    assert json.loads(logged.lines()[0]["details"]["input"]) == {"secret": "p4ss"}
