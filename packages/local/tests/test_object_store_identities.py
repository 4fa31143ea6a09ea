"""A role's key pair at the real object store: what its policies say, at once, and over restarts."""

import json
import os
import shutil
import signal
from dataclasses import replace

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_engines.object_store_aws import create_buckets, s3_client
from shoplake_engines.object_store_engine import ObjectStoreEngine
from shoplake_engines.testing import temporary_state_folder
from shoplake_local.front_engine import FrontEngine

TRUST = {"AWS": f"arn:aws:iam::{LOCAL_ACCOUNT}:root"}
BUCKETS = ("a-bucket", "b-bucket", "a-bucket-2")


class Laptop:
    """An object store and a front that may be started anew."""

    def __init__(self, folder, warehouse):
        self.folder = folder
        self.store = ObjectStoreEngine(folder, preferred_port=0)
        self.warehouse = warehouse
        self.clients = {}
        self.up()

    def up(self):
        self.s3 = self.store.up()
        self.front = FrontEngine(
            self.folder,
            object_store=self.s3,
            warehouse=self.warehouse,
            region=self.s3.region,
            account=LOCAL_ACCOUNT,
            object_store_state=self.folder,
            check_answers=True,
            preferred_port=0,
        )
        self.aws = self.front.up()

    def down(self):
        self.front.down()
        self.store.down()

    def client(self, service):
        if (self.aws, service) not in self.clients:
            self.clients[self.aws, service] = boto3.session.Session().client(
                service,
                endpoint_url=self.aws.url,
                region_name=self.aws.region,
                aws_access_key_id=self.aws.access_key_id,
                aws_secret_access_key=self.aws.secret_access_key,
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self.clients[self.aws, service]

    def iam(self):
        return self.client("iam")

    def as_role(self, name):
        arn = f"arn:aws:iam::{LOCAL_ACCOUNT}:role/{name}"
        pair = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        caller = replace(self.s3, access_key_id=pair["AccessKeyId"], secret_access_key=pair["SecretAccessKey"])
        return s3_client(caller, attempts=1)


@pytest.fixture(scope="module")
def laptop(postgres_server):
    folder = temporary_state_folder()
    made = Laptop(folder, postgres_server.endpoint)
    create_buckets(made.s3, BUCKETS)
    yield made
    made.down()
    shutil.rmtree(folder, ignore_errors=True)


def _statement(actions, *resources, **more):
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources), **more}


def _document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


WRITES_X = (
    _statement(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::a-bucket/x/*"),
    _statement("s3:ListBucket", "arn:aws:s3:::a-bucket", Condition={"StringLike": {"s3:prefix": ["x/*"]}}),
)


def _make_role(laptop, name, *statements):
    trust = _document({"Effect": "Allow", "Principal": TRUST, "Action": "sts:AssumeRole"})
    laptop.iam().create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    if statements:
        laptop.iam().put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document(*statements))
    return laptop.as_role(name)


def _refused(call, **parameters):
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def _holds_to_x(role):
    role.put_object(Bucket="a-bucket", Key="x/1", Body=b"1")
    assert role.get_object(Bucket="a-bucket", Key="x/1")["Body"].read() == b"1"
    listed = role.list_objects_v2(Bucket="a-bucket", Prefix="x/")
    assert [one["Key"] for one in listed["Contents"]] == ["x/1"]
    for bucket, key in (("a-bucket", "y/1"), ("a-bucket", "x"), ("b-bucket", "x/1"), ("a-bucket-2", "x/1")):
        _refused(role.put_object, Bucket=bucket, Key=key, Body=b"1")
        _refused(role.get_object, Bucket=bucket, Key=key)
        _refused(role.delete_object, Bucket=bucket, Key=key)
        _refused(role.list_objects_v2, Bucket=bucket)
    _refused(role.list_objects_v2, Bucket="a-bucket", Prefix="y/")
    _refused(role.copy_object, Bucket="a-bucket", Key="x/2", CopySource={"Bucket": "b-bucket", "Key": "x/1"})
    _refused(role.delete_bucket, Bucket="a-bucket")
    _refused(role.create_bucket, Bucket="c-bucket")


def _may_do_nothing(role):
    _refused(role.put_object, Bucket="a-bucket", Key="x/1", Body=b"1")
    _refused(role.get_object, Bucket="a-bucket", Key="x/1")
    _refused(role.list_objects_v2, Bucket="a-bucket", Prefix="x/")
    _refused(role.get_object, Bucket="b-bucket", Key="x/1")


def test_a_role_is_held_to_its_bucket_and_prefix_until_its_policy_is_taken_away_and_all_that_over_a_restart(laptop):
    admin = s3_client(laptop.s3)
    admin.put_object(Bucket="a-bucket", Key="y/1", Body=b"1")
    admin.put_object(Bucket="b-bucket", Key="x/1", Body=b"1")
    writer, former, ended = (_make_role(laptop, name, *WRITES_X) for name in ("writer", "former", "ended"))
    for role in (writer, former, ended):
        _holds_to_x(role)
    laptop.iam().delete_role_policy(RoleName="former", PolicyName="own")
    _may_do_nothing(former)

    os.kill(laptop.store.status().pid, signal.SIGKILL)
    laptop.iam().delete_role_policy(RoleName="ended", PolicyName="own")  # nobody is there to hear it
    laptop.front.down()
    laptop.up()
    _holds_to_x(laptop.as_role("writer"))
    _may_do_nothing(laptop.as_role("former"))
    _may_do_nothing(laptop.as_role("ended"))
    assert s3_client(laptop.s3).get_object(Bucket="a-bucket", Key="y/1")["Body"].read() == b"1"


def test_several_objects_are_deleted_only_where_the_role_may_write(laptop):
    role = _make_role(laptop, "deleter", *WRITES_X)
    admin = s3_client(laptop.s3)
    for key in ("x/d", "y/d"):
        admin.put_object(Bucket="a-bucket", Key=key, Body=b"1")
    answer = role.delete_objects(Bucket="a-bucket", Delete={"Objects": [{"Key": "x/d"}, {"Key": "y/d"}]})
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [("y/d", "AccessDenied")]
    assert admin.get_object(Bucket="a-bucket", Key="y/d")["Body"].read() == b"1"


def test_a_role_with_all_objects_of_a_bucket_does_not_own_the_bucket(laptop):
    everything = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"]
    role = _make_role(laptop, "filler", _statement(everything, "arn:aws:s3:::b-bucket", "arn:aws:s3:::b-bucket/*"))
    role.put_object(Bucket="b-bucket", Key="any/where", Body=b"1")
    assert "any/where" in {one["Key"] for one in role.list_objects_v2(Bucket="b-bucket")["Contents"]}
    _refused(role.delete_bucket_lifecycle, Bucket="b-bucket")
    _refused(role.put_bucket_versioning, Bucket="b-bucket", VersioningConfiguration={"Status": "Enabled"})
    _refused(role.put_bucket_acl, Bucket="b-bucket", ACL="public-read")
    _refused(role.put_object, Bucket="a-bucket", Key="any/where", Body=b"1")


def test_a_deny_and_an_unknown_condition_give_less_and_the_log_says_so(laptop):
    deny = _statement("s3:*", "arn:aws:s3:::a-bucket/x/*") | {"Effect": "Deny"}
    _may_do_nothing(_make_role(laptop, "denied", WRITES_X[0], deny))
    dated = _statement("s3:GetObject", "arn:aws:s3:::b-bucket/*", Condition={"IpAddress": {"aws:SourceIp": "::1/128"}})
    _may_do_nothing(_make_role(laptop, "conditional", dated))
    log = laptop.front.log_path.read_text()
    assert "does not give role denied Write on a-bucket/x/*: a Deny may concern it" in log
    assert 'role conditional s3:GetObject: NotImplemented: the local AWS has no policy condition "IpAddress"' in log


def test_a_deleted_role_s_pair_ends_and_a_role_of_the_same_name_has_another(laptop):
    before = _make_role(laptop, "again", *WRITES_X)
    before.put_object(Bucket="a-bucket", Key="x/again", Body=b"1")
    laptop.iam().delete_role_policy(RoleName="again", PolicyName="own")
    laptop.iam().delete_role(RoleName="again")
    _may_do_nothing(before)
    after = _make_role(laptop, "again", *WRITES_X)
    after.put_object(Bucket="a-bucket", Key="x/again", Body=b"1")
    _may_do_nothing(before)
