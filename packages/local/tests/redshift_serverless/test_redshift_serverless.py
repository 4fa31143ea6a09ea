"""Namespaces and workgroups as they are provisioned, and what they mean for a statement of the Data API.

Other tests name workgroups that are nowhere, so none of this may be left in the session's front.
"""

import io
import json
import time
import uuid

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from shoplake_core.clock import SystemClock
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_engines.object_store_aws import create_buckets
from shoplake_local.redshift_serverless.service import RedshiftServerlessService

ROLE = f"arn:aws:iam::{LOCAL_ACCOUNT}:role/"


class World:
    """The session's front."""

    def __init__(self, aws):
        self.aws = aws
        self.serverless = aws.client("redshift-serverless")
        self.data = aws.client("redshift-data")

    def settled(self, call, member, **names):
        until = time.monotonic() + 60
        while (found := call(**names)[member])["status"] != "AVAILABLE":
            assert time.monotonic() < until
            time.sleep(0.05)
        return found

    def available(self, kind, name):
        if kind == "namespace":
            return self.settled(self.serverless.get_namespace, "namespace", namespaceName=name)
        return self.settled(self.serverless.get_workgroup, "workgroup", workgroupName=name)

    def run(self, sql, database, workgroup="shop-dev"):
        asked = self.data.execute_statement(WorkgroupName=workgroup, Database=database, Sql=sql)["Id"]
        until = time.monotonic() + 60
        while (found := self.data.describe_statement(Id=asked))["Status"] not in {"FINISHED", "FAILED"}:
            assert time.monotonic() < until
            time.sleep(0.02)
        return found


@pytest.fixture(scope="module")
def world(local_aws):
    made = World(local_aws)
    yield made
    workgroups = made.serverless.list_workgroups()["workgroups"]  # left by a test that failed
    for name in [workgroup["workgroupName"] for workgroup in workgroups]:
        made.available("workgroup", name)
        made.serverless.delete_workgroup(workgroupName=name)
        until_gone(made, "workgroup", name)
    for name in [namespace["namespaceName"] for namespace in made.serverless.list_namespaces()["namespaces"]]:
        made.available("namespace", name)
        made.serverless.delete_namespace(namespaceName=name)
        until_gone(made, "namespace", name)


def until_gone(world, kind, name):
    with pytest.raises(world.serverless.exceptions.ResourceNotFoundException):
        world.available(kind, name)


@pytest.fixture(scope="module")
def database(world):
    """The database of the namespace and workgroup "shop-dev"."""
    name = f"shop_{uuid.uuid4().hex[:8]}"
    world.serverless.create_namespace(
        namespaceName="shop-dev", dbName=name, manageAdminPassword=True, tags=[{"key": "Project", "value": "shop"}]
    )
    made = world.serverless.create_workgroup(workgroupName="shop-dev", namespaceName="shop-dev", baseCapacity=8)
    assert made["workgroup"]["status"] == "CREATING"
    with refused("ConflictException", "operation running"):
        world.serverless.update_workgroup(workgroupName="shop-dev", maxCapacity=16)
    world.available("workgroup", "shop-dev")
    return name


def refused(code, message=""):
    return pytest.raises(ClientError, match=rf"(?s)\({code}\).*{message}")


def role(aws, *statements):
    """The ARN of a new role that Redshift may take."""
    name = f"copy-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": "redshift.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    aws.client("iam").put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    return ROLE + name


def reading(bucket):
    return (
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
    )


def test_without_a_namespace_any_workgroup_is_the_fixed_database(world):
    """First in this file: the laptop's direct way, which makes no namespace."""
    assert world.serverless.list_namespaces()["namespaces"] == []
    assert world.run("SELECT 1", world.aws.warehouse.database, "whatever")["Status"] == "FINISHED"


def test_a_statement_runs_on_the_database_of_its_workgroups_namespace(world, database):
    assert world.run("CREATE TABLE t (a INTEGER)", database)["Status"] == "FINISHED"
    assert world.data.list_databases(WorkgroupName="shop-dev", Database=database)["Databases"] == [database]
    arn = world.available("workgroup", "shop-dev")["workgroupArn"]
    assert world.run("SELECT a FROM t", database, arn)["Status"] == "FINISHED"
    other = world.run("SELECT 1", world.aws.warehouse.database)
    assert (other["Status"], "does not exist" in other["Error"]) == ("FAILED", True)
    with refused("ValidationException", "no workgroup is named nowhere"):
        world.run("SELECT 1", database, "nowhere")


def test_databases_of_two_namespaces_are_two_whatever_their_names(world, database):
    world.serverless.create_namespace(namespaceName="shop-two", dbName=database)
    world.serverless.create_workgroup(workgroupName="shop-two", namespaceName="shop-two")
    world.available("workgroup", "shop-two")
    assert world.run("CREATE TABLE of_two (a INTEGER)", database, "shop-two")["Status"] == "FINISHED"
    assert "does not exist" in world.run("SELECT a FROM of_two", database)["Error"]
    world.serverless.delete_workgroup(workgroupName="shop-two")
    until_gone(world, "workgroup", "shop-two")
    world.serverless.delete_namespace(namespaceName="shop-two")
    until_gone(world, "namespace", "shop-two")
    assert world.run("SELECT a FROM t", database)["Status"] == "FINISHED"


def test_copy_reads_with_a_role_of_the_namespace_and_no_other(world, database):
    bucket, closed = (f"copied-{uuid.uuid4().hex[:8]}" for _ in range(2))
    create_buckets(world.aws.object_store, [bucket, closed])
    file = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array([1, 2, 3], pa.int32())}), file)
    for name in (bucket, closed):
        world.aws.client("s3").put_object(Bucket=name, Key="rows/1.parquet", Body=file.getvalue())
    mine, other = role(world.aws, *reading(bucket)), role(world.aws, *reading(bucket))
    copy = "COPY copied FROM 's3://{}/rows/' IAM_ROLE {} FORMAT AS PARQUET"
    assert world.run("CREATE TABLE copied (a INTEGER)", database)["Status"] == "FINISHED"

    assert "default IAM role is not set" in world.run(copy.format(bucket, "default"), database)["Error"]
    world.serverless.update_namespace(namespaceName="shop-dev", iamRoles=[mine], defaultIamRoleArn=mine)
    world.available("namespace", "shop-dev")
    loaded = world.run(copy.format(bucket, "default"), database)
    assert (loaded["Status"], loaded["ResultRows"]) == ("FINISHED", 3), loaded
    assert world.run(copy.format(bucket, f"'{mine}'"), database)["Status"] == "FINISHED"
    assert "not associated" in world.run(copy.format(bucket, f"'{other}'"), database)["Error"]
    assert "ACCESS_DENIED" in world.run(copy.format(closed, "default"), database)["Error"].upper().replace(" ", "_")


def test_the_administrators_password_is_in_a_secret_and_works(world, database):
    namespace = world.available("namespace", "shop-dev")
    secret = world.aws.client("secretsmanager").get_secret_value(SecretId=namespace["adminPasswordSecretArn"])
    login = json.loads(secret["SecretString"])
    asked = world.serverless.get_credentials(workgroupName="shop-dev", dbName=database)
    assert login == {"username": asked["dbUser"], "password": asked["dbPassword"]}
    assert namespace["adminUsername"] == login["username"]
    with refused("ValidationException", "not of the workgroup"):
        world.serverless.get_credentials(workgroupName="shop-dev", dbName="other")


def test_limits_and_tags_are_kept(world, database):
    arn = world.available("workgroup", "shop-dev")["workgroupArn"]
    limit = {"resourceArn": arn, "usageType": "serverless-compute", "amount": 20, "period": "daily"}
    made = world.serverless.create_usage_limit(**limit)["usageLimit"]
    assert made.items() >= {**limit, "breachAction": "log"}.items()
    with refused("ConflictException"):
        world.serverless.create_usage_limit(**limit)
    world.serverless.update_usage_limit(usageLimitId=made["usageLimitId"], amount=30)
    assert [one["amount"] for one in world.serverless.list_usage_limits(resourceArn=arn)["usageLimits"]] == [30]
    space = world.available("namespace", "shop-dev")["namespaceArn"]
    world.serverless.tag_resource(resourceArn=space, tags=[{"key": "Layer", "value": "gold"}])
    world.serverless.untag_resource(resourceArn=space, tagKeys=["Project"])
    assert world.serverless.list_tags_for_resource(resourceArn=space)["tags"] == [{"key": "Layer", "value": "gold"}]


def test_a_policy_may_decide_by_the_tags_of_a_workgroup(world, database):
    arn = world.available("workgroup", "shop-dev")["workgroupArn"]
    world.serverless.tag_resource(resourceArn=arn, tags=[{"key": "Environment", "value": "dev"}])
    for environment, allowed in (("dev", True), ("prod", False)):
        condition = {"StringEquals": {"aws:ResourceTag/Environment": environment}}
        name = f"tags-{uuid.uuid4().hex[:8]}"
        reads = {"Effect": "Allow", "Action": "redshift-serverless:ListTagsForResource", "Resource": "*"}
        trust = {"Effect": "Allow", "Principal": {"AWS": LOCAL_ACCOUNT}, "Action": "sts:AssumeRole"}
        documents = [
            json.dumps({"Version": "2012-10-17", "Statement": [one]})
            for one in (trust, reads | {"Condition": condition})
        ]
        world.aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=documents[0])
        world.aws.client("iam").put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=documents[1])
        pair = world.aws.client("sts").assume_role(RoleArn=ROLE + name, RoleSessionName="tags")["Credentials"]
        client = boto3.client(
            "redshift-serverless",
            endpoint_url=world.aws.endpoint.url,
            region_name=world.aws.endpoint.region,
            aws_access_key_id=pair["AccessKeyId"],
            aws_secret_access_key=pair["SecretAccessKey"],
        )
        if allowed:
            assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "Environment", "value": "dev"}]
        else:
            with refused("AccessDeniedException"):
                client.list_tags_for_resource(resourceArn=arn)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"baseCapacity": 12}, "ValidationException"),
        ({"port": 80}, "ValidationException"),
        ({"maxCapacity": 16, "port": 5440}, "ValidationException"),
        ({"configParameters": [{"parameterKey": "no_such", "parameterValue": "1"}]}, "ValidationException"),
        (
            {"configParameters": [{"parameterKey": "enable_case_sensitive_identifier", "parameterValue": "true"}]},
            "NotImplemented",
        ),
        ({"trackName": "trailing"}, "NotImplemented"),
    ],
    ids=["capacity", "port", "two at once", "parameter", "another meaning", "track"],
)
def test_a_workgroups_change_is_held_to_awss_rules(world, database, change, code):
    world.available("workgroup", "shop-dev")
    with refused(code):
        world.serverless.update_workgroup(workgroupName="shop-dev", **change)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"namespaceName": "shop-dev"}, "ConflictException"),
        ({"namespaceName": "Upper"}, "ValidationException"),
        ({"dbName": "1st"}, "ValidationException"),
        ({"defaultIamRoleArn": ROLE + "r"}, "ValidationException"),
        ({"iamRoles": ["r"]}, "ValidationException"),
        ({"adminUserPassword": "Secret123"}, "NotImplemented"),
    ],
    ids=["taken", "name", "database", "default role", "role", "password"],
)
def test_a_namespace_is_held_to_awss_rules(world, database, change, code):
    with refused(code):
        world.serverless.create_namespace(**({"namespaceName": "other", "dbName": "other"} | change))


def test_what_was_answered_is_on_disk_and_goes_in_order(world, database):
    before = (world.available("namespace", "shop-dev"), world.available("workgroup", "shop-dev"))
    path = world.aws.state_folder / "front" / "state" / "redshift" / "redshift-serverless.sqlite"
    another = RedshiftServerlessService(
        path, world.aws.warehouse, front=world.aws.endpoint, account=LOCAL_ACCOUNT, clock=SystemClock()
    )
    found = another.call("GetNamespace", {"namespaceName": "shop-dev"})["namespace"]
    assert found["creationDate"] == before[0]["creationDate"]
    assert found.items() >= {"dbName": database, "iamRoles": before[0]["iamRoles"], "status": "AVAILABLE"}.items()
    assert another.target("shop-dev") is not None
    another.close()
    with refused("ConflictException", "associated"):
        world.serverless.delete_namespace(namespaceName="shop-dev")
    deleting = world.serverless.delete_workgroup(workgroupName="shop-dev")["workgroup"]
    assert deleting["status"] == "DELETING"
    until_gone(world, "workgroup", "shop-dev")
    world.serverless.delete_namespace(namespaceName="shop-dev")
    until_gone(world, "namespace", "shop-dev")
    with refused("ResourceNotFoundException"):
        world.aws.client("secretsmanager").get_secret_value(SecretId=before[0]["adminPasswordSecretArn"])
    assert world.run("SELECT 1", world.aws.warehouse.database, "whatever")["Status"] == "FINISHED"
