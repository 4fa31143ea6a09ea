"""Schedules through the front: checked as AWS checks them, and fired as their role."""

import io
import json
import time
import uuid
import zipfile
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError
from shoplake_core.names import LOCAL_ACCOUNT


@pytest.fixture(scope="module")
def role(local_aws):
    """A role of the scheduler's that may start every machine but those named "closed..."."""
    iam, name = local_aws.client("iam"), f"scheduler-{uuid.uuid4().hex[:8]}"
    document = {"Principal": {"Service": ["scheduler.amazonaws.com", "states.amazonaws.com"]}}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **document}
    iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    machines = f"arn:aws:states:{local_aws.endpoint.region}:{LOCAL_ACCOUNT}:stateMachine:open*"
    allowed = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": machines}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    return f"arn:aws:iam::{LOCAL_ACCOUNT}:role/{name}"


def machine(aws, name, role):
    definition = {"QueryLanguage": "JSONata", "StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    made = aws.client("stepfunctions").create_state_machine(
        name=f"{name}-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=role
    )
    return made["stateMachineArn"]


def parameters(arn, role, expression, **target):
    return {
        "Name": f"s-{uuid.uuid4().hex[:8]}",
        "ScheduleExpression": expression,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": arn, "RoleArn": role, **target},
    }


def test_a_schedule_starts_its_machine_as_its_role(local_aws, role):
    opened, closed = machine(local_aws, "open", role), machine(local_aws, "closed", role)
    given = '{"scheduled_at": "<aws.scheduler.scheduled-time>"}'
    scheduler, states = local_aws.client("scheduler"), local_aws.client("stepfunctions")
    for arn in (closed, opened):
        scheduler.create_schedule(**parameters(arn, role, "rate(1 day)", Input=given))
    until = time.monotonic() + 60
    while not (found := states.list_executions(stateMachineArn=opened)["executions"]):
        assert time.monotonic() < until
        time.sleep(0.1)
    (execution,) = found
    described = states.describe_execution(executionArn=execution["executionArn"])
    (made,) = [s for s in scheduler.list_schedules()["Schedules"] if s["Target"]["Arn"] == opened]
    assert json.loads(described["input"]) == {
        "scheduled_at": f"{made['CreationDate'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    }
    assert states.list_executions(stateMachineArn=closed)["executions"] == [], "its role may not start that one"


def test_a_schedule_invokes_the_function_that_its_role_may_invoke(local_aws, tmp_path):
    name, iam = f"called-{uuid.uuid4().hex[:8]}", local_aws.client("iam")
    services = {"Principal": {"Service": ["scheduler.amazonaws.com", "lambda.amazonaws.com"]}}
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **services}]}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    arns = [f"arn:aws:lambda:{local_aws.endpoint.region}:{LOCAL_ACCOUNT}:function:{name}-{n}" for n in ("yes", "no")]
    allowed = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arns[0]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    role = f"arn:aws:iam::{LOCAL_ACCOUNT}:role/{name}"
    for number, arn in enumerate(arns):
        seen = tmp_path / str(number)
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", f"def main(event, context): open({str(seen)!r}, 'a').write(event['seed'])")
        local_aws.client("lambda").create_function(
            FunctionName=arn.rpartition(":")[2],
            Runtime="python3.11",
            Role=role,
            Handler="app.main",
            Code={"ZipFile": code.getvalue()},
        )
    given = '{"seed": "<aws.scheduler.scheduled-time>"}'
    for arn in reversed(arns):
        local_aws.client("scheduler").create_schedule(**parameters(arn, role, "rate(5 minutes)", Input=given))
    until = time.monotonic() + 60
    while not (tmp_path / "0").exists() or not (text := (tmp_path / "0").read_text()):
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(3)  # a call that is taken for a failed one is made again after a second, and after two
    assert (tmp_path / "0").read_text() == text
    assert datetime.fromisoformat(text).tzinfo == UTC
    assert not (tmp_path / "1").exists(), "its role may not invoke that one"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ScheduleExpression": "nonsense"}, "ValidationException"),
        ({"ScheduleExpression": "cron(0 6 * * * *)"}, "ValidationException"),
        ({"ScheduleExpressionTimezone": "Europe/Nowhere"}, "ValidationException"),
        ({"GroupName": "nowhere"}, "ResourceNotFoundException"),
        ({"ActionAfterCompletion": "DELETE"}, "NotImplemented"),
        ({"role": "nobody"}, "ValidationException"),
        ({"arn": "arn:aws:ecs:eu-central-1:000000000000:cluster/c"}, "NotImplemented"),
        ({"DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-central-1:000000000000:q"}}, "NotImplemented"),
    ],
    ids=["expression", "both days", "zone", "group", "deletion", "role", "target", "dead letters"],
)
def test_what_aws_or_the_laptop_does_not_take_is_refused(local_aws, role, change, code):
    change = dict(change)
    target = {name: change.pop(name) for name in ("DeadLetterConfig",) if name in change}
    role = f"arn:aws:iam::{LOCAL_ACCOUNT}:role/{change.pop('role')}" if "role" in change else role
    arn = change.pop("arn", f"arn:aws:lambda:{local_aws.endpoint.region}:{LOCAL_ACCOUNT}:function:f")
    with pytest.raises(ClientError, match=rf"\({code}\)"):
        local_aws.client("scheduler").create_schedule(**(parameters(arn, role, "rate(1 day)", **target) | change))
