"""The real task runner: against moto where it answers, against answers held to botocore's model else."""

import io
import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from moto import mock_aws
from shoplake_local.stepfunctions.faults import StateError
from shoplake_local.stepfunctions.tasks_aws import AwsTasks

ROLE = "arn:aws:iam::000000000000:role/shoplake-test-state-machine"
SDK = "arn:aws:states:::aws-sdk:"
GLUE = "arn:aws:states:::glue:startJobRun.sync"


def client(service):
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.session.Session().client(service, region_name="eu-central-1", **keys)


def stubbed(service):
    made = client(service)
    stub = Stubber(made)
    stub.activate()
    return AwsTasks(lambda name, role: made), stub


@mock_aws
def test_sdk_answers_are_json_and_errors_have_aws_names():
    tasks = AwsTasks(lambda name, role: client(name))
    tasks.call(f"{SDK}secretsmanager:createSecret", {"Name": "a", "SecretString": "x"}, role_arn=ROLE)
    found = tasks.call(f"{SDK}secretsmanager:describeSecret", {"SecretId": "a"}, role_arn=ROLE)
    assert found["Name"] == "a"
    assert json.loads(json.dumps(found))["CreatedDate"].endswith("Z")
    with pytest.raises(StateError) as caught:
        tasks.call(f"{SDK}secretsmanager:describeSecret", {"SecretId": "b"}, role_arn=ROLE)
    assert caught.value.error == "SecretsManager.ResourceNotFoundException"


@mock_aws
def test_sns_message_may_be_an_object():
    topic = client("sns").create_topic(Name="t")["TopicArn"]
    tasks = AwsTasks(lambda name, role: client(name))
    answer = tasks.call("arn:aws:states:::sns:publish", {"TopicArn": topic, "Message": {"a": 1}}, role_arn=ROLE)
    assert set(answer) == {"MessageId"}


def test_fault_of_dms_is_an_exception_and_names_are_pascal_case():
    tasks, stub = stubbed("dms")
    stub.add_client_error("start_replication_task", "InvalidResourceStateFault", "not ready", http_status_code=400)
    given = {"ReplicationTaskArn": "arn:x", "StartReplicationTaskType": "start-replication"}
    with pytest.raises(StateError) as caught:
        tasks.call(f"{SDK}databasemigration:startReplicationTask", given, role_arn=ROLE)
    assert caught.value.error == "DatabaseMigration.InvalidResourceStateException"
    tasks, stub = stubbed("stepfunctions")
    stub.add_response("list_state_machines", {"stateMachines": []}, {"maxResults": 5})
    assert tasks.call(f"{SDK}sfn:listStateMachines", {"MaxResults": 5}, role_arn=ROLE) == {"StateMachines": []}


@pytest.mark.parametrize(
    ("code", "name"),
    [("CrawlerRunningException", "Glue.CrawlerRunningException"), ("NotImplemented", "Glue.GlueException")],
)
def test_unknown_codes_are_the_services_own_exception(code, name):
    tasks, stub = stubbed("glue")
    stub.add_client_error("start_crawler", code)
    with pytest.raises(StateError) as caught:
        tasks.call(f"{SDK}glue:startCrawler", {"Name": "c"}, role_arn=ROLE)
    assert caught.value.error == name


def test_lambda_payload_is_decoded_and_its_error_named():
    tasks, stub = stubbed("lambda")
    body = {"errorType": "RunFailed", "errorMessage": "silver"}
    for more, payload in (({}, {"taken": True}), ({"FunctionError": "Unhandled"}, body)):
        raw = json.dumps(payload).encode()
        stub.add_response(
            "invoke",
            {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(raw), len(raw)), **more},
            {"FunctionName": "f", "Payload": '{"a":1}'},
        )
    given = {"FunctionName": "f", "Payload": {"a": 1}}
    assert tasks.call("arn:aws:states:::lambda:invoke", given, role_arn=ROLE) == {
        "StatusCode": 200,
        "Payload": {"taken": True},
    }
    with pytest.raises(StateError) as caught:
        tasks.call("arn:aws:states:::lambda:invoke", given, role_arn=ROLE)
    assert caught.value.error == "RunFailed"
    assert json.loads(caught.value.cause) == body


def test_job_runs_are_started_looked_at_and_stopped():
    tasks, stub = stubbed("glue")
    look = {"JobName": "j", "RunId": "jr_1"}
    run = {"Id": "jr_1", "JobName": "j", "StartedOn": datetime(2026, 11, 25, tzinfo=UTC)}
    stub.add_response("start_job_run", {"JobRunId": "jr_1"}, {"JobName": "j"})
    for state in ("RUNNING", "SUCCEEDED", "FAILED"):
        stub.add_response("get_job_run", {"JobRun": {**run, "JobRunState": state}}, look)
    stub.add_response("batch_stop_job_run", {}, {"JobName": "j", "JobRunIds": ["jr_1"]})
    job = tasks.submit(GLUE, {"JobName": "j"}, role_arn=ROLE)
    assert tasks.poll(GLUE, job, role_arn=ROLE) is None
    assert tasks.poll(GLUE, job, role_arn=ROLE)["StartedOn"] == "2026-11-25T00:00:00.000Z"
    with pytest.raises(StateError) as caught:
        tasks.poll(GLUE, job, role_arn=ROLE)
    assert caught.value.error == "States.TaskFailed"
    assert json.loads(caught.value.cause)["Id"] == "jr_1"
    tasks.cancel(GLUE, job, role_arn=ROLE)
    stub.assert_no_pending_responses()
