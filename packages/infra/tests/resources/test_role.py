import json

from shoplake_infra.applying import apply
from shoplake_infra.planning import plan
from shoplake_infra.resources.role import role

NAME = "shoplake-dev-job"


def desired(tags, action="s3:GetObject"):
    statements = ({"Effect": "Allow", "Action": [action], "Resource": ["arn:aws:s3:::shoplake-dev-bronze/*"]},)
    condition = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    return (role(NAME, services=("glue.amazonaws.com",), statements=statements, tags=tags, trust_condition=condition),)


def test_rights_added_by_hand_are_seen_and_taken_away(aws, tags):
    apply(plan(desired(tags), aws), aws)
    iam = aws.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    iam.put_role_policy(RoleName=NAME, PolicyName="all", PolicyDocument=document)
    managed = iam.create_policy(PolicyName="all", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=NAME, PolicyArn=managed)
    (change,) = plan(desired(tags), aws).changes
    assert [".".join(c.path) for c in change.changes] == ["managed_policies", "policies.all"]
    apply(plan(desired(tags), aws), aws)
    assert plan(desired(tags), aws).changes == ()
    assert iam.list_role_policies(RoleName=NAME)["PolicyNames"] == [NAME]


def test_a_right_that_is_no_longer_desired_goes(aws, tags):
    apply(plan(desired(tags), aws), aws)
    apply(plan(desired(tags, action="s3:PutObject"), aws), aws)
    document = aws.client("iam").get_role_policy(RoleName=NAME, PolicyName=NAME)["PolicyDocument"]
    assert document["Statement"][0]["Action"] == ["s3:PutObject"]
