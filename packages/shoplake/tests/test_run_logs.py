"""Which job runs a history started, and from which state; what was logged of it."""

import json
from datetime import timedelta

import boto3
import pytest
from moto import mock_aws
from shoplake.run_logs import JobRun, job_runs_in, lines_from_laptop, logged_events
from shoplake_core.clock import SystemClock


def submitted(number, previous, kind, output):
    return {
        "id": number,
        "previousEventId": previous,
        "type": "TaskSubmitted",
        "taskSubmittedEventDetails": {
            "resourceType": kind,
            "resource": "startJobRun.sync",
            "output": json.dumps(output),
        },
    }


def entered(number, previous, name):
    return {
        "id": number,
        "previousEventId": previous,
        "type": "TaskStateEntered",
        "stateEnteredEventDetails": {"name": name},
    }


def test_a_job_run_belongs_to_the_state_before_it_in_its_own_branch():
    events = [
        entered(1, 0, "Ask how the crawler is"),
        entered(2, 0, "Clean bronze into silver"),
        {"id": 3, "previousEventId": 2, "type": "TaskScheduled"},
        entered(4, 1, "Is the crawler done"),
        submitted(5, 3, "glue", {"JobRunId": "jr_1"}),
        submitted(6, 5, "lambda", {"x": 1}),
        entered(7, 5, "Shape silver into gold"),
        submitted(8, 7, "glue", {"JobRunId": "jr_2"}),
        submitted(9, 8, "glue", {"JobRunId": "jr_2"}),
    ]
    assert job_runs_in(events) == (
        JobRun("Clean bronze into silver", "jr_1"),
        JobRun("Shape silver into gold", "jr_2"),
    )


def test_lines_of_a_job_run_come_from_its_own_folder(tmp_path):
    run = JobRun("Clean bronze into silver", "jr_1")
    assert list(lines_from_laptop(tmp_path, run)) == []
    folder = tmp_path / "front/state/glue/runs/jr_1"
    folder.mkdir(parents=True)
    (folder / "run.log").write_text("one\ntwö\n", "utf-8")
    assert list(lines_from_laptop(tmp_path, run)) == ["one", "twö"]


@pytest.fixture
def logs():
    with mock_aws():
        yield boto3.client(
            "logs", region_name="eu-central-1", aws_access_key_id="AKIDTEST", aws_secret_access_key="test"
        )


def test_the_events_of_one_execution_come_in_the_order_of_its_history(logs):
    now = SystemClock().now()  # CloudWatch takes nothing old
    since = now - timedelta(minutes=1)
    assert list(logged_events(logs, "g", "arn:one", since=since)) == []
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    at = int(now.timestamp() * 1000)
    lines = [
        {"id": number, "execution_arn": arn} for number, arn in (("10", "arn:one"), ("1", "arn:two"), ("9", "arn:one"))
    ]
    events = [{"timestamp": at, "message": json.dumps(line)} for line in lines]
    logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)
    assert [line["id"] for line in logged_events(logs, "g", "arn:one", since=since)] == ["9", "10"]
