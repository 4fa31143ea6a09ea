"""What a front that opens makes of tasks that were active: by the files that their replicators left."""

import subprocess
import sys

import psutil
import pytest
from shoplake_core.clock import SystemClock
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_engines.private_files import private_folder, write_private_json
from shoplake_local.dms.endpoint_access_aws import EndpointAccess
from shoplake_local.dms.service import DmsService
from shoplake_local.jobs.documents import Documents
from shoplake_local.service import ServiceError

ARN = f"arn:aws:dms:eu-central-1:{LOCAL_ACCOUNT}:task:SHOP"
NOWHERE = AwsEndpoint(url="http://127.0.0.1:9", region="eu-central-1", access_key_id="a", secret_access_key="b")


def _no_keys(role, service):
    raise ServiceError("AccessDeniedException", f"{role} does not trust {service}", 403)


@pytest.fixture
def opened(tmp_path):
    """Opens a service whose task was in that status; `left` is what its replicator's pid file says."""
    services = []

    def open_with(status, left):
        endpoint = {"EndpointType": "source", "MySQLSettings": {"SecretsManagerSecretId": "s"}}
        endpoint["MySQLSettings"]["SecretsManagerAccessRoleArn"] = "arn:role"
        documents = Documents(tmp_path / "dms.sqlite", "dms")
        documents.put("Endpoint", "source", endpoint | {"EndpointArn": "source"})
        documents.put("Endpoint", "target", {"EndpointType": "target", "EndpointArn": "target"})
        task = {"ReplicationTaskArn": ARN, "SourceEndpointArn": "source", "TargetEndpointArn": "target"}
        documents.put("ReplicationTask", ARN, task | {"Status": status})
        documents.close()
        folder = private_folder(tmp_path / "SHOP")
        if left:
            write_private_json(folder / "replicator.pid.json", left)
            (folder / "replicator.log").write_text("its last words", "utf-8")
        access = EndpointAccess(NOWHERE, NOWHERE, _no_keys, SystemClock())
        services.append(DmsService(tmp_path, access, account=LOCAL_ACCOUNT, clock=SystemClock()))
        services[-1]._runs.close()  # every thread has done its work
        return services[-1].call("DescribeReplicationTasks", {})["ReplicationTasks"][0]

    yield open_with
    for service in services:
        service.close()


def _ended_process(create_time=None):
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        found = psutil.Process(child.pid).create_time()
    return {"pid": child.pid, "create_time": create_time or found, "command": []}


def test_a_replicator_that_died_while_no_front_was_there_has_failed(opened):
    task = opened("running", _ended_process())
    assert task["Status"] == "failed"
    assert task["LastFailureMessage"].endswith("its last words")


@pytest.mark.parametrize("left", [None, _ended_process(create_time=1.0)], ids=["ended by down", "machine was off"])
def test_a_task_whose_laptop_was_shut_is_started_again(opened, left):
    task = opened("running", left)
    # started: it got as far as the secret, which nobody may read here
    assert (
        task["LastFailureMessage"]
        == "The secret s cannot be read: arn:role does not trust dms.eu-central-1.amazonaws.com"
    )


def test_a_stop_that_was_under_way_is_ended(opened):
    assert opened("stopping", _ended_process())["Status"] == "stopped"
