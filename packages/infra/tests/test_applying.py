"""Plan, apply and destroy on a small environment that has every relation: references, data, and a policy."""

import json
from contextlib import contextmanager

import pytest
from shoplake_core.errors import ResourceError
from shoplake_infra.applying import apply
from shoplake_infra.plan import Action
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resource import Ref
from shoplake_infra.resources.bucket import LifecycleRule, bucket
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.role import role

NAME = "shoplake-dev-bronze"


@pytest.fixture
def desired(tags):
    key = kms_key("shoplake-dev", account="123456789012", description="Shoplake dev", tags=tags)
    data = bucket(NAME, key=key, tags=tags, lifecycle=(LifecycleRule(name="unfinished", unfinished_days=7),))
    statements = (
        {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [Ref(key, "arn")]},
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{NAME}/*"]},
    )
    return (role("shoplake-dev-job", services=("glue.amazonaws.com",), statements=statements, tags=tags), data, key)


def addresses(plan):
    return [f"{change.action} {change.resource.address}" for change in plan.changes]


def test_a_plan_on_nothing_adds_everything_in_order_and_calls_nothing_that_writes(aws, calls, desired):
    planned = plan(desired, aws)
    assert addresses(planned) == ["+ kms_key shoplake-dev", "+ role shoplake-dev-job", f"+ bucket {NAME}"]
    assert calls.writes == []
    document = planned.as_json()
    assert (document["schema_version"], document["add"], document["change"], document["destroy"]) == (1, 3, 0, 0)
    assert "(arn of kms_key shoplake-dev, known after apply)" in json.dumps(document)
    assert planned.lines()[-1] == "3 to add, 0 to change, 0 to destroy"


def test_a_plan_after_an_apply_has_no_changes_and_its_apply_writes_nothing(aws, calls, desired):
    heard = []
    apply(plan(desired, aws), aws, done=heard.append)
    assert [change.resource.kind for change in heard] == ["kms_key", "role", "bucket"]
    calls.reset()
    again = plan(desired, aws)
    apply(again, aws)
    assert again.changes == ()
    assert again.lines() == ("no changes",)
    assert calls.writes == []


def test_a_change_made_by_hand_shows_and_is_taken_back(aws, calls, desired):
    apply(plan(desired, aws), aws)
    aws.client("s3").put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Suspended"})
    calls.reset()
    planned = plan(desired, aws)
    assert planned.lines() == (
        f"~ bucket {NAME}",
        "    versioning: false -> true",
        "0 to add, 1 to change, 0 to destroy",
    )
    apply(planned, aws)
    assert calls.writes == ["s3:PutBucketVersioning"]
    assert plan(desired, aws).changes == ()


def test_an_apply_that_fails_before_any_of_its_calls_is_gone_on_with(aws, calls, desired):
    apply(plan(desired, aws), aws)
    number_of_writes = len(calls.writes)
    assert number_of_writes > 8
    for number in range(1, number_of_writes + 1):
        apply(plan_destroy(desired, aws, delete_data=True), aws)
        _forget_key(aws)
        calls.reset(fail_at=number)
        with pytest.raises(ResourceError, match="apply again") as failure:
            apply(plan(desired, aws), aws)
        assert failure.value.address in {resource.address for resource in desired}
        apply(plan(desired, aws), aws)
        assert len(_usable_keys(aws)) == 1
    assert plan(desired, aws).changes == ()


def test_an_apply_whose_every_answer_is_lost_still_ends(aws, calls, desired):
    """Each apply does one write and never hears of it."""
    applies = 0
    while plan(desired, aws).changes:
        calls.reset(fail_at=1, after=True)
        with pytest.raises(ResourceError, match="apply again"):
            apply(plan(desired, aws), aws)
        applies += 1
        assert applies < 20
    assert applies > 8
    assert len(_usable_keys(aws)) == 1


def _usable_keys(aws):
    kms = aws.client("kms")
    keys = [key["KeyId"] for key in kms.list_keys()["Keys"]]
    return [key for key in keys if kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"]


def _forget_key(aws):
    """As if its 30 days were over, so that the next apply creates one."""
    kms = aws.client("kms")
    if kms.list_aliases()["Aliases"]:
        kms.delete_alias(AliasName="alias/shoplake-dev")
    for key in kms.list_keys()["Keys"]:
        kms.untag_resource(KeyId=key["KeyId"], TagKeys=["Name"])


def test_a_resource_of_our_name_without_our_tags_stops_the_plan_by_name(aws, calls, desired):
    aws.client("s3").create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": aws.region})
    with pytest.raises(ResourceError, match=f"bucket {NAME} exists and is not ours"):
        plan(desired, aws)


def test_a_resource_of_another_environment_is_not_ours(aws, desired, tags):
    apply(plan(desired, aws), aws)
    other = {**tags, "Environment": "prod"}
    aws.client("iam").tag_role(RoleName="shoplake-dev-job", Tags=[{"Key": k, "Value": v} for k, v in other.items()])
    with pytest.raises(ResourceError, match="role shoplake-dev-job exists and is not ours"):
        plan(desired, aws)
    kept = {kept.address: kept.reason for kept in plan_destroy(desired, aws, delete_data=True).kept}
    assert kept == {"role shoplake-dev-job": "it does not carry our tags"}


def test_something_that_came_between_plan_and_apply_is_not_taken_over(aws, desired):
    planned = plan(desired, aws)
    aws.client("s3").create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": aws.region})
    with pytest.raises(ResourceError, match="not ours"):
        apply(planned, aws)


@contextmanager
def without_policy(aws):
    """moto 5.2.5 denies without looking at the condition, so that a TLS-only policy denies all."""
    s3 = aws.client("s3")
    policy = s3.get_bucket_policy(Bucket=NAME)["Policy"]
    s3.delete_bucket_policy(Bucket=NAME)
    yield s3
    s3.put_bucket_policy(Bucket=NAME, Policy=policy)


def test_a_destroy_leaves_data_and_the_key_that_the_data_needs(aws, desired):
    apply(plan(desired, aws), aws)
    with without_policy(aws) as s3:
        s3.put_object(Bucket=NAME, Key="a", Body=b"1")
    planned = plan_destroy(desired, aws)
    assert addresses(planned) == ["- role shoplake-dev-job"]
    assert {kept.address: kept.reason for kept in planned.kept} == {
        f"bucket {NAME}": "it holds data, and deleting data was not asked for",
        "kms_key shoplake-dev": f"bucket {NAME} stays and needs it",
    }
    apply(planned, aws)
    with without_policy(aws) as s3:
        assert s3.get_object(Bucket=NAME, Key="a")["Body"].read() == b"1"
    assert addresses(plan(desired, aws)) == ["+ role shoplake-dev-job"]


def test_a_destroy_with_data_takes_every_version_and_nothing_of_others(aws, desired):
    apply(plan(desired, aws), aws)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="somebody-else", CreateBucketConfiguration={"LocationConstraint": aws.region})
    s3.delete_bucket_policy(Bucket=NAME)  # as in `without_policy`
    for body in (b"1", b"2"):
        s3.put_object(Bucket=NAME, Key="a", Body=body)
    s3.delete_object(Bucket=NAME, Key="a")
    apply(plan_destroy(desired, aws, delete_data=True), aws)
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["somebody-else"]
    assert aws.client("iam").list_roles()["Roles"] == []
    assert plan_destroy(desired, aws, delete_data=True).changes == ()


def test_an_apply_after_a_destroy_takes_the_same_key_back(aws, desired):
    apply(plan(desired, aws), aws)
    keys = _usable_keys(aws)
    apply(plan_destroy(desired, aws, delete_data=True), aws)
    assert _usable_keys(aws) == []
    planned = plan(desired, aws)
    assert "~ kms_key shoplake-dev" in addresses(planned)
    apply(planned, aws)
    assert _usable_keys(aws) == keys
    assert plan(desired, aws).changes == ()


def test_what_cannot_be_changed_is_replaced_unless_it_holds_data(aws, desired, monkeypatch):
    from shoplake_infra.handler import handlers

    monkeypatch.setattr(type(handlers()["role"]), "replaced_for", frozenset({"trust"}))
    monkeypatch.setattr(type(handlers()["bucket"]), "replaced_for", frozenset({"policy"}))
    apply(plan(desired, aws), aws)
    iam = aws.client("iam")
    before = iam.get_role(RoleName="shoplake-dev-job")["Role"]["RoleId"]
    iam.update_assume_role_policy(
        RoleName="shoplake-dev-job",
        PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}',
    )
    planned = plan(desired, aws)
    assert [change.action for change in planned.changes] == [Action.DELETE, Action.CREATE]
    assert "replaced: AWS cannot change trust" in planned.lines()[0]
    apply(planned, aws)
    assert iam.get_role(RoleName="shoplake-dev-job")["Role"]["RoleId"] != before
    assert plan(desired, aws).changes == ()
    aws.client("s3").delete_bucket_policy(Bucket=NAME)
    with pytest.raises(ResourceError, match="holds data and would have to be replaced"):
        plan(desired, aws)
