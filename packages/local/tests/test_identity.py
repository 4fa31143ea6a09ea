"""Roles as callers: one fixed key pair each, held to their policies, and every call recorded."""

import http.client
import json
import os
import signal
from dataclasses import replace
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from shoplake_core.clock import SystemClock
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_local.front import RECORDED_ACTIONS_PATH
from shoplake_local.identity.identity import Identity
from shoplake_local.moto_services.backends import MotoBackends
from shoplake_local.moto_services.roles import IamRoles
from shoplake_local.service import ServiceError


def _statement(action, resource="*", effect="Allow"):
    return {"Effect": effect, "Action": action, "Resource": resource}


def _document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _trust(**principal):
    return _document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


_OPERATOR = {"AWS": f"arn:aws:iam::{LOCAL_ACCOUNT}:root"}


def _role(aws, name, *statements, trust=_OPERATOR):
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_trust(**trust))["Role"]
    if statements:
        aws.client("iam").put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document(*statements))
    return role["Arn"]


def _assume(aws, arn):
    return aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]


def _client_of(aws, credentials, service):
    return boto3.session.Session().client(
        service,
        endpoint_url=aws.endpoint.url,
        region_name=aws.endpoint.region,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def _recorded(aws, role_arn):
    at = urlsplit(aws.endpoint.url)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=10)
    connection.request("GET", RECORDED_ACTIONS_PATH)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return [(one["action"], one["allowed"], one["calls"]) for one in answer if one["role_arn"] == role_arn]


def _denied(call, **parameters):
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return raised.value.response["Error"]


def test_a_role_may_do_what_its_policies_allow_and_no_more(local_aws):
    local_aws.client("secretsmanager").create_secret(Name="allowed", SecretString="a")
    local_aws.client("secretsmanager").create_secret(Name="other", SecretString="b")
    start = f"arn:aws:secretsmanager:{local_aws.endpoint.region}:{LOCAL_ACCOUNT}:secret"
    arn = _role(local_aws, "reader", _statement("secretsmanager:Get*", f"{start}:allowed-??????"))
    secrets = _client_of(local_aws, _assume(local_aws, arn), "secretsmanager")
    assert secrets.get_secret_value(SecretId="allowed")["SecretString"] == "a"
    error = _denied(secrets.get_secret_value, SecretId="other")
    assert error["Code"] == "AccessDeniedException"
    assert error["Message"].startswith(
        f"User: arn:aws:sts::{LOCAL_ACCOUNT}:assumed-role/reader/local is not authorized to perform: "
        "secretsmanager:GetSecretValue on resource: "
    )
    assert error["Message"].endswith("because no identity-based policy allows the secretsmanager:GetSecretValue action")
    assert _recorded(local_aws, arn) == [
        ("secretsmanager:GetSecretValue", False, 1),
        ("secretsmanager:GetSecretValue", True, 1),
    ]


def test_an_attached_policy_counts_and_a_changed_one_counts_at_once(local_aws):
    iam = local_aws.client("iam")
    arn = _role(local_aws, "attached")
    topic = local_aws.client("sns").create_topic(Name="attached")["TopicArn"]
    sns = _client_of(local_aws, _assume(local_aws, arn), "sns")
    assert _denied(sns.publish, TopicArn=topic, Message="m")["Code"] == "AccessDenied"
    policy = iam.create_policy(PolicyName="publish", PolicyDocument=_document(_statement("sns:Publish", topic)))
    iam.attach_role_policy(RoleName="attached", PolicyArn=policy["Policy"]["Arn"])
    assert sns.publish(TopicArn=topic, Message="m")["MessageId"]
    iam.put_role_policy(
        RoleName="attached", PolicyName="no", PolicyDocument=_document(_statement("sns:*", effect="Deny"))
    )
    assert "with an explicit deny" in _denied(sns.publish, TopicArn=topic, Message="m")["Message"]


def test_services_of_our_own_are_held_to_policies_too(local_aws):
    arn = _role(local_aws, "cataloguer", _statement("glue:GetDatabases"))
    glue = _client_of(local_aws, _assume(local_aws, arn), "glue")
    assert "DatabaseList" in glue.get_databases()
    assert _denied(glue.create_database, DatabaseInput={"Name": "never"})["Code"] == "AccessDeniedException"


def test_a_role_reads_only_the_statements_that_it_began(local_aws):
    owned = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}
    reads = _statement("redshift-data:DescribeStatement") | {"Condition": owned}
    arn = _role(local_aws, "querying", _statement("redshift-data:ExecuteStatement"), reads)
    data = _client_of(local_aws, _assume(local_aws, arn), "redshift-data")
    sql = {"WorkgroupName": "shoplake", "Database": local_aws.warehouse.database, "Sql": "SELECT 1"}
    assert data.describe_statement(Id=data.execute_statement(**sql)["Id"])["QueryString"] == "SELECT 1"
    others = local_aws.client("redshift-data").execute_statement(**sql)["Id"]
    assert _denied(data.describe_statement, Id=others)["Code"] == "AccessDeniedException"


def test_a_role_is_told_who_it_is(local_aws):
    arn = _role(local_aws, "who")
    asked = _client_of(local_aws, _assume(local_aws, arn), "sts").get_caller_identity()
    assert asked["Arn"] == f"arn:aws:sts::{LOCAL_ACCOUNT}:assumed-role/who/local"
    assert local_aws.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{LOCAL_ACCOUNT}:root"


def test_a_role_is_assumed_only_by_whom_it_trusts(local_aws):
    arn = _role(local_aws, "for-glue", trust={"Service": "glue.amazonaws.com"})
    assert _denied(local_aws.client("sts").assume_role, RoleArn=arn, RoleSessionName="test")["Code"] == "AccessDenied"


def test_a_deleted_role_calls_no_more(local_aws):
    arn = _role(local_aws, "gone")
    credentials = _assume(local_aws, arn)
    local_aws.client("iam").delete_role(RoleName="gone")
    sts = _client_of(local_aws, credentials, "sts")
    assert _denied(sts.get_caller_identity)["Code"] == "InvalidClientTokenId"
    assert _assume(local_aws, _role(local_aws, "gone"))["AccessKeyId"] != credentials["AccessKeyId"]


def test_a_roles_key_pair_is_fixed_and_survives_a_kill(local_aws):
    arn = _role(local_aws, "fixed", _statement("sns:ListTopics"))
    first = _assume(local_aws, arn)
    sns = _client_of(local_aws, first, "sns")
    sns.list_topics()
    os.kill(local_aws.engine.status().pid, signal.SIGKILL)
    assert local_aws.engine.up() == replace(local_aws.endpoint)
    sns.list_topics()
    again = _assume(local_aws, arn)
    assert (again["AccessKeyId"], again["SecretAccessKey"]) == (first["AccessKeyId"], first["SecretAccessKey"])
    assert _recorded(local_aws, arn) == [("sns:ListTopics", True, 2)]


@pytest.fixture
def identity(tmp_path, monkeypatch):
    """In this process, as the runners of jobs and functions ask."""
    for variable in ("MOTO_ACCOUNT_ID", "MOTO_IAM_LOAD_MANAGED_POLICIES"):  # a front has its process for itself
        monkeypatch.setenv(variable, "")  # so that what it sets is gone after the test
    moto = MotoBackends(tmp_path / "moto.sqlite", account=LOCAL_ACCOUNT, region="eu-central-1", clock=SystemClock())
    made = Identity(tmp_path / "identity.sqlite", IamRoles(moto), account=LOCAL_ACCOUNT, region="eu-central-1")
    iam = moto.backend("iam")

    def create(name, trust):
        return iam.create_role(
            role_name=name,
            assume_role_policy_document=trust,
            path="/",
            permissions_boundary=None,
            description="",
            tags=[],
            max_session_duration="3600",
        ).arn

    yield made, create
    for role in ("function", "sourced"):
        iam.roles = {key: value for key, value in iam.roles.items() if value.name != role}
    made.close()
    moto.close()


def test_a_runner_is_given_the_pair_of_a_role_that_trusts_it(identity):
    identity, create = identity
    arn = create("function", _trust(Service="lambda.amazonaws.com"))
    pair = identity.role_credentials(arn, service="lambda.amazonaws.com")
    assert pair == identity.role_credentials(arn)
    assert identity.caller(pair.access_key_id).role.arn == arn
    for asked, service in ((arn, "glue.amazonaws.com"), (f"{arn}2", "lambda.amazonaws.com")):
        with pytest.raises(ServiceError, match="does not exist or does not trust"):
            identity.role_credentials(asked, service=service)


@pytest.mark.parametrize(("account", "trusted"), [(LOCAL_ACCOUNT, True), ("1" * 12, False)], ids=["ours", "other"])
def test_a_condition_of_the_trust_policy_counts(identity, account, trusted):
    identity, create = identity
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "glue.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    arn = create("sourced", _document(statement))
    if trusted:
        assert identity.role_credentials(arn, service="glue.amazonaws.com").role_arn == arn
    else:
        with pytest.raises(ServiceError, match="does not trust glue"):
            identity.role_credentials(arn, service="glue.amazonaws.com")
