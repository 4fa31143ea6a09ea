"""Roles that an account's environments share."""

import json

import pytest
from shoplake_core.errors import ResourceError
from shoplake_infra.applying import apply
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resources.account_role import account_role

NAME = "dms-vpc-role"
POLICY = "service-role/AmazonDMSVPCManagementRole"
TRUST = {"Effect": "Allow", "Principal": {"Service": ["dms.amazonaws.com"]}, "Action": "sts:AssumeRole"}


@pytest.fixture(autouse=True)
def managed_policies(monkeypatch):
    monkeypatch.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")


@pytest.fixture
def desired(tags):
    return (account_role(NAME, service="dms.amazonaws.com", managed_policy=POLICY, tags=tags),)


def attached(aws):
    found = aws.client("iam").list_attached_role_policies(RoleName=NAME)["AttachedPolicies"]
    return [policy["PolicyName"] for policy in found]


def test_it_is_made_once_for_all_environments_and_never_deleted(aws, calls, desired, tags):
    apply(plan(desired, aws), aws)
    assert attached(aws) == ["AmazonDMSVPCManagementRole"]
    assert aws.client("iam").list_role_tags(RoleName=NAME)["Tags"] == [{"Key": "ManagedBy", "Value": "shoplake"}]
    other = (account_role(NAME, service="dms.amazonaws.com", managed_policy=POLICY, tags={**tags, "Environment": "b"}),)
    assert plan(other, aws).changes == ()
    calls.reset()
    for delete_data in (False, True):
        destroyed = plan_destroy(desired, aws, delete_data=delete_data)
        assert (destroyed.changes, destroyed.kept) == ((), ())
        apply(destroyed, aws)
    assert calls.writes == []


@pytest.mark.parametrize("after", [False, True])
def test_one_that_we_made_by_half_is_finished(aws, calls, desired, after):
    calls.reset(fail_at=1 if after else 2, after=after)
    with pytest.raises(ResourceError, match="killed at"):
        apply(plan(desired, aws), aws)
    assert attached(aws) == []
    apply(plan(desired, aws), aws)
    assert attached(aws) == ["AmazonDMSVPCManagementRole"]
    assert plan(desired, aws).changes == ()


def test_one_of_somebody_else_is_used_as_it_is_or_named(aws, calls, desired):
    iam = aws.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=document)
    calls.reset()
    planned = plan(desired, aws)
    assert planned.lines()[0] == f"~ account_role {NAME}"
    with pytest.raises(ResourceError, match=f"is shared by the account and lacks arn:aws:iam::aws:policy/{POLICY}"):
        apply(planned, aws)
    assert calls.writes == []
    iam.attach_role_policy(RoleName=NAME, PolicyArn=f"arn:aws:iam::aws:policy/{POLICY}")
    iam.attach_role_policy(RoleName=NAME, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert plan(desired, aws).changes == (), "what else it may do is its owner's affair"
