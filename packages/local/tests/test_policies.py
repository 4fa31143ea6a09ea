"""IAM's decision over policy documents, without a server."""

import pytest
from shoplake_local.identity.policies import Decision, decide
from shoplake_local.identity.resources import action_of, resources_of
from shoplake_local.models import service_model
from shoplake_local.service import UnsupportedOperationError

_JOB = "arn:aws:glue:eu-central-1:000000000000:job/shoplake-dev-bronze_to_silver"


def _decided(*statements, action="glue:StartJobRun", resources=(_JOB,), context=()):
    documents = [{"Version": "2012-10-17", "Statement": list(statements)}]
    return decide(documents, action, resources=resources, context=dict(context))


def _allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def _deny(action, resource="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": resource} | more


@pytest.mark.parametrize(
    ("statement", "decision"),
    [
        (_allow("glue:StartJobRun", _JOB), Decision.ALLOWED),
        (_allow(["s3:*", "GLUE:startjob*"], [_JOB]), Decision.ALLOWED),
        (_allow("*"), Decision.ALLOWED),
        (_allow("glue:StartJobRun", _JOB.replace("bronze_to_silver", "????????????????")), Decision.ALLOWED),
        (_allow("glue:StartJobRun", _JOB + "2"), Decision.NOT_ALLOWED),
        (_allow("glue:GetJobRun", _JOB), Decision.NOT_ALLOWED),
        (_allow("glue:StartJobRun", _JOB.upper()), Decision.NOT_ALLOWED),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, Decision.ALLOWED),
        ({"Effect": "Allow", "NotAction": "glue:*", "Resource": "*"}, Decision.NOT_ALLOWED),
        ({"Effect": "Allow", "Action": "glue:*", "NotResource": _JOB}, Decision.NOT_ALLOWED),
    ],
    ids=["exact", "wildcard", "star", "question", "other-job", "other-action", "case", "not", "not-this", "not-here"],
)
def test_a_statement_decides(statement, decision):
    assert _decided(statement) is decision


def test_nothing_is_allowed_without_a_statement():
    assert _decided() is Decision.NOT_ALLOWED


def test_an_explicit_deny_wins():
    assert _decided(_allow("*"), _deny("glue:*", "*:job/*")) is Decision.EXPLICITLY_DENIED
    assert _decided(_allow("*"), _deny("glue:*", "*:crawler/*")) is Decision.ALLOWED


def test_every_resource_must_be_allowed():
    both = [_JOB, _JOB + "2"]
    assert _decided(_allow("glue:*", _JOB), resources=both) is Decision.NOT_ALLOWED
    assert _decided(_allow("glue:*", _JOB + "*"), resources=both) is Decision.ALLOWED


def test_an_unknown_resource_is_denied_only_where_all_are():
    assert _decided(_allow("glue:*", _JOB), _deny("glue:*", _JOB), resources=None) is Decision.ALLOWED
    assert _decided(_allow("glue:*", _JOB), _deny("glue:*"), resources=None) is Decision.EXPLICITLY_DENIED


def test_a_condition_decides():
    condition = {"StringEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}
    statement = _allow("glue:*", Condition=condition)
    assert _decided(statement, context={"aws:requestedregion": "eu-west-1"}) is Decision.ALLOWED
    assert _decided(statement, context={"aws:requestedregion": "us-east-1"}) is Decision.NOT_ALLOWED
    tls_only = _deny("*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert _decided(_allow("*"), tls_only, context={"aws:securetransport": "true"}) is Decision.ALLOWED


def test_a_condition_on_tags_asks_the_resource_and_only_where_it_is_known():
    statement = _allow("glue:*", Condition={"StringEquals": {"aws:ResourceTag/Environment": "dev"}})
    documents = [{"Statement": statement}]

    def decided(resources, tags):
        return decide(documents, "glue:StartJobRun", resources=resources, context={}, tags_of=lambda _: tags)

    assert decided([_JOB], {"Environment": "dev"}) is Decision.ALLOWED
    assert decided([_JOB], {"Environment": "prod"}) is Decision.NOT_ALLOWED
    assert decided([_JOB], {}) is Decision.NOT_ALLOWED
    assert decided(None, {}) is Decision.ALLOWED
    with pytest.raises(UnsupportedOperationError, match="tags of"):
        decide(documents, "glue:StartJobRun", resources=[_JOB], context={})


def test_a_variable_stands_for_who_calls():
    statement = _allow("glue:*", Condition={"StringEquals": {"aws:PrincipalAccount": "${aws:userid}"}})
    assert _decided(statement, context={"aws:principalaccount": "a", "aws:userid": "a"}) is Decision.ALLOWED
    assert _decided(statement, context={"aws:principalaccount": "a", "aws:userid": "b"}) is Decision.NOT_ALLOWED
    with pytest.raises(UnsupportedOperationError, match="policy variable"):
        _decided(statement, context={"aws:principalaccount": "a"})


@pytest.mark.parametrize(
    "condition", [{"DateLessThan": {"aws:CurrentTime": "2030-01-01"}}, {"StringEquals": {"glue:VpcIds": "vpc-1"}}]
)
def test_a_condition_that_cannot_be_decided_is_refused(condition):
    with pytest.raises(UnsupportedOperationError, match="policy condition"):
        _decided(_allow("glue:*", Condition=condition))


_AT = "eu-central-1:000000000000"


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "action", "resources"),
    [
        (
            "lambda",
            "Invoke",
            {"FunctionName": "shoplake-dev-run_lock"},
            "lambda:InvokeFunction",
            [f"arn:aws:lambda:{_AT}:function:shoplake-dev-run_lock"],
        ),
        ("glue", "StartJobRun", {"JobName": "j"}, "glue:StartJobRun", [f"arn:aws:glue:{_AT}:job/j"]),
        ("glue", "GetCrawler", {"Name": "c"}, "glue:GetCrawler", [f"arn:aws:glue:{_AT}:crawler/c"]),
        (
            "glue",
            "GetTable",
            {"DatabaseName": "d", "Name": "t"},
            "glue:GetTable",
            [f"arn:aws:glue:{_AT}:{part}" for part in ("catalog", "database/d", "table/d/t")],
        ),
        (
            "glue",
            "GetDatabase",
            {"Name": "d"},
            "glue:GetDatabase",
            [f"arn:aws:glue:{_AT}:{part}" for part in ("catalog", "database/d")],
        ),
        ("sns", "Publish", {"TopicArn": "arn:aws:sns:x:0:t", "Message": "m"}, "sns:Publish", ["arn:aws:sns:x:0:t"]),
        (
            "stepfunctions",
            "DescribeExecution",
            {"executionArn": "arn:aws:states:x:0:execution:m:e"},
            "states:DescribeExecution",
            ["arn:aws:states:x:0:execution:m:e"],
        ),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "source"},
            "secretsmanager:GetSecretValue",
            [f"arn:aws:secretsmanager:{_AT}:secret:source-000000"],
        ),
        (
            "quicksight",
            "CreateIngestion",
            {"AwsAccountId": "000000000000", "DataSetId": "shoplake-dev-sales", "IngestionId": "run-1_2_0"},
            "quicksight:CreateIngestion",
            [f"arn:aws:quicksight:{_AT}:dataset/shoplake-dev-sales/ingestion/run-1_2_0"],
        ),
        ("cloudwatch", "PutMetricData", {"Namespace": "n", "MetricData": []}, "cloudwatch:PutMetricData", None),
        ("dms", "DescribeReplicationTasks", {}, "dms:DescribeReplicationTasks", None),
    ],
)
def test_a_request_is_named_as_policies_name_it(service, operation, parameters, action, resources):
    model = service_model(service).operation_model(operation)
    assert action_of(model) == action
    assert resources_of(model, parameters, account="000000000000", region="eu-central-1") == resources
