"""A machine through boto3 and the front's process: its task acts as its role."""

import json
import shutil
import time

import boto3
import pytest
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_engines.testing import temporary_state_folder
from shoplake_local.front_engine import FrontEngine


@pytest.fixture
def client():
    keys = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "secret"}
    nowhere = AwsEndpoint(url="http://127.0.0.1:9", region="eu-central-1", **keys)
    folder = temporary_state_folder()
    engine = FrontEngine(
        folder,
        object_store=nowhere,
        warehouse=None,
        region="eu-central-1",
        account=LOCAL_ACCOUNT,
        check_answers=True,
        preferred_port=0,
    )
    at = engine.up()
    try:
        yield lambda service: boto3.session.Session().client(
            service,
            endpoint_url=at.url,
            region_name=at.region,
            aws_access_key_id=at.access_key_id,
            aws_secret_access_key=at.secret_access_key,
        )
    finally:
        engine.down()
        shutil.rmtree(folder, ignore_errors=True)


def allowed(**members):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **members}]})


def ended(states, execution):
    for _ in range(600):
        found = states.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def test_task_may_what_its_role_may(client):
    iam, states = client("iam"), client("stepfunctions")
    trust = allowed(Action="sts:AssumeRole", Principal={"Service": "states.amazonaws.com"})
    role = iam.create_role(RoleName="machine", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    topic = client("sns").create_topic(Name="alerts")["TopicArn"]
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Arguments": {"TopicArn": topic, "Message": "{% $states.context.Execution.Name %}"},
        "End": True,
    }
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Tell", "States": {"Tell": task}})
    machine = states.create_state_machine(name="m", roleArn=role, definition=definition)["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    assert ended(states, execution)["status"] == "FAILED"
    iam.put_role_policy(RoleName="machine", PolicyName="p", PolicyDocument=allowed(Action="sns:Publish", Resource="*"))
    states.redrive_execution(executionArn=execution)
    found = ended(states, execution)
    assert found["status"] == "SUCCEEDED", found
    assert json.loads(found["output"])["MessageId"]
    events = states.get_execution_history(executionArn=execution)["events"]
    assert events[-1]["type"] == "ExecutionSucceeded"
