"""The front's process dies without a word: what ran goes on when it is started again."""

import json
import os
import shutil
import signal
import time

import boto3
import psutil
import pytest
from shoplake_core.endpoints import AwsEndpoint
from shoplake_engines.testing import temporary_state_folder
from shoplake_local.front_engine import FrontEngine

from .conftest import ACCOUNT, REGION


@pytest.fixture
def front():
    keys = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "secret"}
    folder = temporary_state_folder()
    nowhere = AwsEndpoint(url="http://127.0.0.1:9", region=REGION, **keys)
    made = FrontEngine(
        folder,
        object_store=nowhere,
        warehouse=None,
        region=REGION,
        account=ACCOUNT,
        check_answers=True,
        preferred_port=0,
    )
    yield made
    made.down()
    shutil.rmtree(folder, ignore_errors=True)


def client_of(front, service):
    at = front.up()
    return boto3.session.Session().client(
        service,
        endpoint_url=at.url,
        region_name=at.region,
        aws_access_key_id=at.access_key_id,
        aws_secret_access_key=at.secret_access_key,
    )


def test_execution_that_waits_ends_though_the_front_is_killed(front):
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = client_of(front, "iam").create_role(RoleName="run", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    states = client_of(front, "stepfunctions")
    waits = {
        "Before": {"Type": "Pass", "Assign": {"kept": 7}, "Next": "Wait"},
        "Wait": {"Type": "Wait", "Seconds": 2, "Next": "After"},
        "After": {"Type": "Succeed", "Output": "{% $kept %}"},
    }
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Before", "States": waits})
    machine = states.create_state_machine(name="run", roleArn=role, definition=definition)["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    while states.get_execution_history(executionArn=execution)["events"][-1]["type"] != "WaitStateEntered":
        time.sleep(0.01)
    killed = front.status().pid
    os.kill(killed, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(killed)] if psutil.pid_exists(killed) else [], timeout=10)

    states = client_of(front, "stepfunctions")
    assert front.status().pid != killed
    for _ in range(600):
        found = states.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            break
        time.sleep(0.02)
    assert (found["status"], found["output"]) == ("SUCCEEDED", "7")
    events = states.get_execution_history(executionArn=execution)["events"]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    entered = [event["stateEnteredEventDetails"]["name"] for event in events if event["type"].endswith("StateEntered")]
    assert entered == list(waits)
