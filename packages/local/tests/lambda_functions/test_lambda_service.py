"""Functions run from their own zip: event in, answer or error out, in the time they have."""

import base64
import io
import json
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from botocore.validate import ParamValidator
from shoplake_core.clock import SystemClock
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_engines.object_store_aws import create_buckets, s3_client
from shoplake_local.jobs.job_process import Endpoints
from shoplake_local.lambda_functions.service import LambdaService
from shoplake_local.models import service_model
from shoplake_local.service import ServiceError

WHO = """import boto3
def main(event, context):
    return boto3.client("sts").get_caller_identity()["Arn"]
"""


class Functions:
    """The service as the front calls it, its answers held against AWS's model."""

    def __init__(self, store, folder):
        self.store = store
        self.folder = folder
        self.open()

    def open(self):
        endpoints = Endpoints(
            front=self.store,
            object_store=self.store,
            account=LOCAL_ACCOUNT,
            credentials_of=lambda _: (self.store.access_key_id, self.store.secret_access_key),
        )
        self.service = LambdaService(self.folder, endpoints, clock=SystemClock())

    def call(self, operation, **parameters):
        answer = self.service.call(operation, parameters)
        shape = service_model("lambda").operation_model(operation).output_shape
        if shape is not None:
            report = ParamValidator().validate(answer, shape)
            assert not report.has_errors(), report.generate_report()
        return answer

    def make(self, text, **changes):
        given = {
            "FunctionName": "f",
            "Runtime": "python3.11",
            "Role": f"arn:aws:iam::{LOCAL_ACCOUNT}:role/f",
            "Handler": "app.handlers.main",
            "Code": {"ZipFile": zipped(text)},
        }
        return self.call("CreateFunction", **(given | changes))

    def invoke(self, event=None, **more):
        return self.call("Invoke", FunctionName="f", Payload=json.dumps(event).encode(), **more)


def zipped(text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app/__init__.py", "")
        archive.writestr("app/handlers.py", text)
    return buffer.getvalue()


@pytest.fixture
def functions(object_store, tmp_path):
    made = Functions(object_store.endpoint, tmp_path)
    yield made
    made.service.close()


def test_a_function_answers_with_its_environment_and_says_what_it_printed(functions):
    text = """import boto3, os
def main(event, context):
    print("seen", event["n"])
    return {"n": event["n"] + 1, "who": os.environ["WHO"], "name": context.function_name,
            "buckets": len(boto3.client("s3").list_buckets()["Buckets"]) >= 0}
"""
    made = functions.make(text, Environment={"Variables": {"WHO": "me"}}, Timeout=20)
    assert made["State"] == "Pending"
    assert functions.call("GetFunctionConfiguration", FunctionName=made["FunctionArn"])["State"] == "Active"
    answer = functions.invoke({"n": 1}, LogType="Tail")
    assert json.loads(answer["Payload"]) == {"n": 2, "who": "me", "name": "f", "buckets": True}
    assert "FunctionError" not in answer
    assert base64.b64decode(answer["LogResult"]) == b"seen 1\n"


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ("raise ValueError('no')", "ValueError", "no"),
        ("import shoplake_core", "ModuleNotFoundError", "shoplake_core"),
        ("import os; os._exit(3)", "Runtime.ExitError", "exit status 3"),
        ("import time; time.sleep(60)", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        ("return object()", "TypeError", "not JSON serializable"),
    ],
)
def test_an_error_is_answered_as_lambda_answers_it(functions, body, kind, message):
    functions.make(f"def main(event, context):\n    {body}\n", Timeout=1)
    answer = functions.invoke({})
    error = json.loads(answer["Payload"])
    assert answer["FunctionError"] == "Unhandled"
    assert error["errorType"] == kind
    assert message in error["errorMessage"]


def test_code_from_s3_is_replaced_and_lives_through_a_restart(functions, object_store):

    bucket = f"code-{uuid.uuid4().hex[:10]}"
    create_buckets(object_store.endpoint, [bucket])
    s3_client(object_store.endpoint).put_object(
        Bucket=bucket, Key="f.zip", Body=zipped("def main(event, context): return 2")
    )
    functions.make("def main(event, context): return 1")
    assert functions.invoke()["Payload"] == b"1"
    functions.call("UpdateFunctionCode", FunctionName="f", S3Bucket=bucket, S3Key="f.zip")
    functions.call("UpdateFunctionConfiguration", FunctionName="f", Timeout=9)
    functions.service.close()
    functions.open()
    assert functions.invoke()["Payload"] == b"2"
    assert functions.call("GetFunction", FunctionName="f")["Configuration"]["Timeout"] == 9


def test_an_event_is_run_later(functions, tmp_path):
    functions.make(f"def main(event, context): open({str(tmp_path / 'seen')!r}, 'w').write(event)", Timeout=20)
    assert functions.invoke("hello", InvocationType="Event")["StatusCode"] == 202
    functions.service.close()
    assert (tmp_path / "seen").read_text() == "hello"
    functions.open()


def test_functions_are_listed_tagged_and_deleted(functions):
    arn = functions.make("", Tags={"a": "1"})["FunctionArn"]
    with pytest.raises(ServiceError, match="ResourceConflictException"):
        functions.make("")
    functions.call("TagResource", Resource=arn, Tags={"b": "2"})
    functions.call("UntagResource", Resource=arn, TagKeys=["a"])
    assert functions.call("ListTags", Resource=arn)["Tags"] == {"b": "2"}
    assert [each["FunctionName"] for each in functions.call("ListFunctions")["Functions"]] == ["f"]
    functions.call("DeleteFunction", FunctionName="f")
    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        functions.invoke()


def test_a_function_has_a_policy_of_who_may_invoke_it(functions):
    functions.make("")
    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        functions.call("GetPolicy", FunctionName="f")
    given = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "secretsmanager.amazonaws.com"}
    functions.call("AddPermission", FunctionName="f", SourceAccount=LOCAL_ACCOUNT, **given)
    with pytest.raises(ServiceError, match="ResourceConflictException"):
        functions.call("AddPermission", FunctionName="f", **given)
    (statement,) = json.loads(functions.call("GetPolicy", FunctionName="f")["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "secretsmanager.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"AWS:SourceAccount": LOCAL_ACCOUNT}}
    functions.call("RemovePermission", FunctionName="f", StatementId="s")
    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        functions.call("RemovePermission", FunctionName="f", StatementId="s")
    with pytest.raises(ServiceError, match="NotImplemented"):
        functions.call("AddPermission", FunctionName="f", PrincipalOrgID="o-abcdefghij", **given)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Runtime": "nodejs22.x"}, "InvalidParameterValueException"),
        ({"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValueException"),
        ({"Layers": ["l"]}, "NotImplemented"),
        ({"PackageType": "Image"}, "NotImplemented"),
    ],
    ids=["runtime", "zip", "layers", "image"],
)
def test_what_does_not_run_here_is_refused(functions, change, code):
    with pytest.raises(ServiceError, match=code):
        functions.make("", **change)


def test_a_client_makes_and_invokes_a_function_through_the_front(local_aws):
    """The role must be there and trust Lambda; the function then calls as that role."""
    client, name = local_aws.client("lambda"), f"front-{uuid.uuid4().hex[:8]}"
    given = {
        "FunctionName": name,
        "Runtime": "python3.11",
        "Role": f"arn:aws:iam::{LOCAL_ACCOUNT}:role/{name}",
        "Handler": "app.handlers.main",
        "Timeout": 20,
        "Code": {"ZipFile": zipped(WHO)},
    }
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="cannot be assumed by Lambda"):
        client.create_function(**given)
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    local_aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    client.create_function(**given)
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    answer = client.invoke(FunctionName=name, Payload=b"{}")
    assert name in json.loads(answer["Payload"].read())
    later = client.invoke(FunctionName=name, Payload=b"{}", InvocationType="Event")
    assert (later["StatusCode"], later["Payload"].read()) == (202, b"")


COUNTING = """import os, time
count = 0
def main(event, context):
    global count
    count += 1
    print("event", count)
    time.sleep(event.get("seconds", 0))
    return [os.getpid(), count]
"""


def test_a_process_stays_warm_for_the_next_event_and_a_changed_function_gets_a_new_one(functions):
    functions.make(COUNTING, Timeout=2)
    pid, count = json.loads(functions.invoke({})["Payload"])
    assert count == 1
    answer = functions.invoke({}, LogType="Tail")
    assert json.loads(answer["Payload"]) == [pid, 2]
    assert base64.b64decode(answer["LogResult"]) == b"event 2\n", "only what this event printed"
    functions.call("UpdateFunctionConfiguration", FunctionName="f", Environment={"Variables": {"NEW": "1"}})
    other, count = json.loads(functions.invoke({})["Payload"])
    assert (other != pid, count) == (True, 1)
    assert functions.invoke({"seconds": 9})["FunctionError"] == "Unhandled"
    assert not psutil.pid_exists(other), "a process that took too long is gone"
    assert json.loads(functions.invoke({})["Payload"])[1] == 1


def test_a_warm_process_that_was_killed_is_not_missed_and_events_at_once_do_not_wait(functions):
    functions.make(COUNTING, Timeout=20)
    pid = json.loads(functions.invoke({})["Payload"])[0]
    psutil.Process(pid).kill()
    while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        pass
    again = json.loads(functions.invoke({})["Payload"])
    assert again[1] == 1
    with ThreadPoolExecutor(3) as pool:
        pids = {
            json.loads(one["Payload"])[0] for one in pool.map(lambda _: functions.invoke({"seconds": 0.5}), range(3))
        }
    assert len(pids) == 3
    functions.service.close()
    assert not any(psutil.pid_exists(one) for one in pids)
    functions.open()
