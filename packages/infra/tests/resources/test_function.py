import base64
import hashlib
import io
import zipfile

import pytest
from botocore.awsrequest import AWSResponse
from shoplake_core.errors import ResourceError
from shoplake_infra.applying import apply
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resources.function import Code, Place, function
from shoplake_infra.resources.role import role
from shoplake_infra.resources.security_group import security_group
from shoplake_infra.resources.subnet import subnet
from shoplake_infra.resources.vpc import vpc

NAME = "shoplake-dev-run-lock"


def stored(aws, text):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(zipfile.ZipInfo("handlers.py"), text)
    sha256 = base64.b64encode(hashlib.sha256(data.getvalue()).digest()).decode()
    aws.client("s3").put_object(Bucket="code", Key=f"{text}.zip", Body=data.getvalue())
    return Code(bucket="code", key=f"{text}.zip", sha256=sha256, handler="shoplake_functions.handlers.run_lock")


@pytest.fixture
def code(aws):
    aws.client("s3").create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": aws.region})
    return stored(aws, "one")


def desired(code, tags, **changed):
    net = vpc("shoplake-dev", cidr="10.60.0.0/16", tags=tags)
    inside = subnet("shoplake-dev-a", vpc=net, cidr="10.60.0.0/24", zone="eu-central-1a", tags=tags)
    group = security_group("shoplake-dev-workers", vpc=net, description="Workers", let_in=(), tags=tags)
    actor = role("shoplake-dev-function", services=("lambda.amazonaws.com",), statements=(), tags=tags)
    settings = {"variables": {"SHOPLAKE_ENVIRONMENT": "dev"}, "code": code, **changed}
    place = Place(subnets=(inside,), security_groups=(group,))
    return (net, inside, group, actor, function(NAME, role=actor, tags=tags, place=place, **settings))


def paths(resources, aws):
    return [".".join(change.path) for planned in plan(resources, aws).changes for change in planned.changes]


def test_it_is_made_once_and_reads_as_desired(aws, calls, code, tags):
    apply(plan(desired(code, tags), aws), aws)
    calls.reset()
    assert paths(desired(code, tags), aws) == []
    assert calls.writes == []


def test_new_code_is_one_call_that_names_the_new_key(aws, calls, code, tags):
    apply(plan(desired(code, tags), aws), aws)
    newer = stored(aws, "two")
    assert paths(desired(newer, tags), aws) == ["code.bucket", "code.key", "code.sha256"]
    calls.reset()
    apply(plan(desired(newer, tags), aws), aws)
    assert calls.writes == ["lambda:UpdateFunctionCode"]
    assert paths(desired(newer, tags), aws) == []


def test_what_was_changed_by_hand_is_set_again(aws, code, tags):
    apply(plan(desired(code, tags), aws), aws)
    aws.client("lambda").update_function_configuration(
        FunctionName=NAME,
        Timeout=3,
        Environment={"Variables": {"EXTRA": "1"}},
        VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
    )
    assert paths(desired(code, tags), aws) == [
        "security_groups.shoplake-dev-workers",
        "subnets.shoplake-dev-a",
        "timeout_seconds",
        "variables.EXTRA",
        "variables.SHOPLAKE_ENVIRONMENT",
    ]
    apply(plan(desired(code, tags), aws), aws)
    assert paths(desired(code, tags), aws) == []
    more = {**tags, "Layer": "control"}
    assert "tags.Layer" in paths(desired(code, more), aws)
    apply(plan(desired(code, more), aws), aws)
    assert paths(desired(code, more), aws) == []


def refused(times):
    left = [times]

    def refuse(**_):
        if left[0] == 0:
            return None
        left[0] -= 1
        message = "The role defined for the function cannot be assumed by Lambda."
        answer = {"Error": {"Code": "InvalidParameterValueException", "Message": message}}
        return AWSResponse("https://lambda", 400, {}, None), answer

    return refuse


def test_a_role_that_lambda_does_not_know_yet_is_waited_for(aws, code, tags):
    aws.session.events.register("before-call.lambda.CreateFunction", refused(3))
    before = aws.clock.monotonic_seconds()
    apply(plan(desired(code, tags), aws), aws)
    assert aws.clock.monotonic_seconds() - before == 0.25 + 0.5 + 1, "three refusals, each waited for longer"
    assert paths(desired(code, tags), aws) == []


def test_a_role_that_stays_unknown_is_an_error_that_names_the_function(aws, code, tags):
    aws.session.events.register("before-call.lambda.CreateFunction", refused(1000))
    with pytest.raises(ResourceError, match=f"function {NAME} did not get its role taken within 60 s"):
        apply(plan(desired(code, tags), aws), aws)


def test_a_destroy_takes_it(aws, code, tags):
    apply(plan(desired(code, tags), aws), aws)
    apply(plan_destroy(desired(code, tags), aws), aws)
    assert aws.client("lambda").list_functions()["Functions"] == []
