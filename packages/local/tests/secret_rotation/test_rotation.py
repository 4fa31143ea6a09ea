"""Rotation of secrets by a small function of the test's own: what moves when, and what stays where a step fails."""

import io
import json
import os
import signal
import time
import uuid
import zipfile
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from shoplake_core.clock import SystemClock
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_local.moto_services.backends import MotoBackends
from shoplake_local.protocols.requests import HttpRequest
from shoplake_local.secret_rotation.service import SecretsService

# as AWS's own templates are: each step looks at the stages first, and the last one moves AWSCURRENT
FUNCTION = """
import boto3

def main(event, context):
    client, secret, token = boto3.client("secretsmanager"), event["SecretId"], event["ClientRequestToken"]
    described = client.describe_secret(SecretId=secret)
    stages = described["VersionIdsToStages"]
    assert described["RotationEnabled"] and "AWSPENDING" in stages[token], stages
    old = client.get_secret_value(SecretId=secret)
    if event["Step"] == "createSecret":
        try:
            client.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
        except client.exceptions.ResourceNotFoundException:
            client.put_secret_value(
                SecretId=secret, ClientRequestToken=token, VersionStages=["AWSPENDING"],
                SecretString=old["SecretString"] + "+",
            )
    new = client.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")["SecretString"]
    client.put_secret_value(SecretId="seen-" + described["Name"], SecretString=event["Step"] + ":" + new)
    if event["Step"] == "testSecret" and "bad" in new:
        raise ValueError("the new value does not work")
    if event["Step"] == "finishSecret":
        client.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=old["VersionId"]
        )
"""


class Secrets:
    """Secrets on the session's front, each with a second one that holds what its function saw last."""

    def __init__(self, aws):
        self.aws = aws
        self.client = aws.client("secretsmanager")
        self.function = self.made_function(allowed=True)

    def made_function(self, *, allowed):
        name, functions, iam = f"rotate-{uuid.uuid4().hex[:8]}", self.aws.client("lambda"), self.aws.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        may = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", FUNCTION)
        arn = functions.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=f"arn:aws:iam::{LOCAL_ACCOUNT}:role/{name}",
            Handler="app.main",
            Timeout=30,
            Code={"ZipFile": code.getvalue()},
        )["FunctionArn"]
        if allowed:
            functions.add_permission(
                FunctionName=name,
                StatementId="rotation",
                Action="lambda:InvokeFunction",
                Principal="secretsmanager.amazonaws.com",
                SourceAccount=LOCAL_ACCOUNT,
            )
        return arn

    def made(self, value):
        name = f"rotated-{uuid.uuid4().hex[:8]}"
        self.client.create_secret(Name=name, SecretString=value)
        self.client.create_secret(Name=f"seen-{name}", SecretString="nothing")
        return name

    def rotate(self, name, **parameters):
        return self.client.rotate_secret(SecretId=name, RotationLambdaARN=self.function, **parameters)["VersionId"]

    def until_seen(self, name, text):
        until = time.monotonic() + 60
        while (found := self.value(f"seen-{name}")) != text:
            assert time.monotonic() < until, found
            time.sleep(0.05)

    def until_current(self, name, version):
        until = time.monotonic() + 60
        while "AWSCURRENT" not in self.stages(name).get(version, []):
            assert time.monotonic() < until, self.value(f"seen-{name}")
            time.sleep(0.05)

    def value(self, name, **which):
        return self.client.get_secret_value(SecretId=name, **which)["SecretString"]

    def stages(self, name):
        return self.client.describe_secret(SecretId=name)["VersionIdsToStages"]


@pytest.fixture(scope="module")
def secrets(local_aws):
    return Secrets(local_aws)


def test_a_rotation_makes_the_new_value_current_and_the_old_one_previous_over_a_kill(secrets):
    name = secrets.made("a")
    first = secrets.rotate(name, RotationRules={"AutomaticallyAfterDays": 30})
    secrets.until_current(name, first)
    described = secrets.client.describe_secret(SecretId=name)
    assert (described["RotationEnabled"], described["RotationRules"]) == (True, {"AutomaticallyAfterDays": 30})
    assert timedelta(days=29) < described["NextRotationDate"] - SystemClock().now() < timedelta(days=31)
    second = secrets.client.rotate_secret(SecretId=name)["VersionId"]  # the function is known by now
    secrets.until_current(name, second)
    values = [secrets.value(name), secrets.value(name, VersionStage="AWSPREVIOUS")]
    assert values == ["a++", "a+"]
    before = (values, secrets.stages(name))
    assert set(before[1]) == {first, second}
    os.kill(secrets.aws.engine.status().pid, signal.SIGKILL)
    assert secrets.aws.engine.up() == secrets.aws.endpoint
    assert ([secrets.value(name), secrets.value(name, VersionStage="AWSPREVIOUS")], secrets.stages(name)) == before


def test_a_step_that_fails_leaves_the_current_value_and_the_pending_one(secrets):
    name = secrets.made("bad")
    version = secrets.rotate(name)
    secrets.until_seen(name, "testSecret:bad+")
    current = secrets.client.get_secret_value(SecretId=name)
    stages = {version: ["AWSPENDING"], current["VersionId"]: ["AWSCURRENT"]}
    assert (current["SecretString"], secrets.stages(name)) == ("bad", stages)
    secrets.client.put_secret_value(
        SecretId=name, ClientRequestToken=version, VersionStages=["AWSPENDING"], SecretString="good"
    )
    with pytest.raises(ClientError, match="will be reattempted"):
        secrets.rotate(name)
    secrets.until_current(name, version)  # every step may be repeated: the second attempt went on with that version
    assert secrets.value(name) == "good"


def test_a_rotation_that_is_only_set_up_calls_the_test_alone_and_changes_nothing(secrets):
    name = secrets.made("c")
    version = secrets.rotate(name, RotateImmediately=False, RotationRules={"AutomaticallyAfterDays": 1})
    secrets.until_seen(name, "testSecret:c")
    until = time.monotonic() + 60
    while version in secrets.stages(name):
        assert time.monotonic() < until
    assert secrets.value(name) == "c"
    assert secrets.client.describe_secret(SecretId=name)["RotationEnabled"]
    secrets.client.cancel_rotate_secret(SecretId=name)
    assert not secrets.client.describe_secret(SecretId=name)["RotationEnabled"]


def test_what_cannot_rotate_is_refused(secrets):
    name = secrets.made("d")
    closed = secrets.made_function(allowed=False)
    refusals = [
        ({"RotationLambdaARN": closed}, "AccessDeniedException"),
        ({}, "InvalidRequestException"),
        ({"RotationLambdaARN": secrets.function, "RotationRules": {"Duration": "3h"}}, "NotImplemented"),
        ({"RotationLambdaARN": secrets.function, "SecretId": "nowhere"}, "ResourceNotFoundException"),
    ]
    for change, code in refusals:
        with pytest.raises(ClientError, match=rf"\({code}\)"):
            secrets.client.rotate_secret(**({"SecretId": name} | change))
    assert len(secrets.stages(name)) == 1


class Clock(SystemClock):
    """The machine's clock, which a test may put forward."""

    ahead = timedelta()

    def now(self):
        return super().now() + self.ahead


class Asked:
    """Writes down whose rotation would begin."""

    def __init__(self):
        self.arns = []

    def rotate_again(self, arn):
        self.arns.append(arn)

    def close(self):
        """Nothing runs."""


def test_a_secret_rotates_by_itself_when_it_is_due(tmp_path):
    """Without a server, on a clock that is put forward."""
    clock, asked = Clock(), Asked()
    moto = MotoBackends(tmp_path / "moto.sqlite", account=LOCAL_ACCOUNT, region="eu-central-1", clock=clock)
    service = SecretsService(moto, asked, clock=clock)

    def call(operation, **parameters):
        headers = {
            "host": "localhost",
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"secretsmanager.{operation}",
        }
        request = HttpRequest("POST", "/", "", headers, json.dumps(parameters).encode())
        answer = moto.answer("secretsmanager", operation, request=request, parameters=parameters)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)["ARN"]

    arns = [call("CreateSecret", Name=name, SecretString="v", ClientRequestToken="1" * 32) for name in ("s", "other")]
    rules = {"AutomaticallyAfterDays": 7}
    call("RotateSecret", SecretId="s", RotationLambdaARN="arn:aws:lambda:f", RotationRules=rules)
    for ahead, expected in ((timedelta(days=6), []), (timedelta(days=7, seconds=1), arns[:1])):
        clock.ahead = ahead
        service.look()
        assert asked.arns == expected
    service.close()
