import pytest
from shoplake_infra.applying import apply
from shoplake_infra.planning import plan
from shoplake_infra.resources.bucket import LifecycleRule, bucket
from shoplake_infra.resources.kms_key import kms_key

NAME = "shoplake-dev-artifacts"


@pytest.fixture
def key(tags):
    return kms_key("shoplake-dev", account="123456789012", description="", tags=tags)


def changed_paths(desired, aws):
    return [".".join(change.path) for planned in plan(desired, aws).changes for change in planned.changes]


def test_every_property_is_read_back_and_set_again(aws, tags, key):
    rules = (
        LifecycleRule(name="runs", prefix="runs/", expire_days=90, unfinished_days=1),
        LifecycleRule(name="replaced", replaced_days=30),
    )
    desired = (key, bucket(NAME, key=key, tags=tags | {"Layer": "artifacts"}, lifecycle=rules))
    apply(plan(desired, aws), aws)
    s3 = aws.client("s3")
    closed = s3.get_public_access_block(Bucket=NAME)["PublicAccessBlockConfiguration"]
    assert list(closed.values()) == [True] * 4
    s3.delete_public_access_block(Bucket=NAME)
    s3.delete_bucket_policy(Bucket=NAME)
    s3.delete_bucket_encryption(Bucket=NAME)
    s3.delete_bucket_lifecycle(Bucket=NAME)
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Suspended"})
    owner = [{"Key": name, "Value": value} for name, value in {**tags, "Cost": "42"}.items()]
    s3.put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": owner})
    assert changed_paths(desired, aws) == [
        "kms_key",
        "lifecycle.replaced",
        "lifecycle.runs",
        "policy.Statement",
        "policy.Version",
        "public_access_blocked",
        "tags.Layer",
        "versioning",
    ]
    apply(plan(desired, aws), aws)
    assert plan(desired, aws).changes == ()
    left = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=NAME)["TagSet"]}
    assert left == {**tags, "Layer": "artifacts", "Cost": "42"}, "a tag of somebody else stays"


def test_a_rule_that_is_no_longer_desired_is_taken_away(aws, tags, key):
    rule = LifecycleRule(name="unfinished", unfinished_days=7)
    apply(plan((key, bucket(NAME, key=key, tags=tags, lifecycle=(rule,))), aws), aws)
    fewer = (key, bucket(NAME, key=key, tags=tags, tls_only=False))
    assert changed_paths(fewer, aws) == ["lifecycle.unfinished", "policy.Statement", "policy.Version"]
    apply(plan(fewer, aws), aws)
    assert plan(fewer, aws).changes == ()
