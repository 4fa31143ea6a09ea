"""S3 statements as SeaweedFS says them: never more than the policy."""

import pytest
from shoplake_local.identity.object_store_grants import store_grants

CONTEXT = {"aws:principalaccount": "000000000000", "aws:securetransport": "true"}
PUT_AND_DELETE = ["s3:PutObject", "s3:DeleteObject"]


def _allow(actions, *resources, **more):
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources), **more}


def _deny(actions, *resources, **more):
    return _allow(actions, *resources, **more) | {"Effect": "Deny"}


def _grants(*statements):
    return store_grants([{"Version": "2012-10-17", "Statement": list(statements)}], context=CONTEXT)


@pytest.mark.parametrize(
    ("statement", "actions"),
    [
        (_allow("s3:GetObject", "arn:aws:s3:::b/x/*"), ("Read:b/x/*",)),
        (_allow("s3:Get*", "arn:aws:s3:::b/*"), ("Read:b/?*",)),
        (_allow(PUT_AND_DELETE, "arn:aws:s3:::b/x/*"), ("Write:b/x/*",)),
        (_allow("s3:ListBucket", "arn:aws:s3:::b"), ("List:b",)),
        (_allow("s3:*", "arn:aws:s3:::b"), ("List:b",)),
        (_allow("*", "*"), ("List:*", "Read:*/?*", "Tagging:*/?*", "Write:*/?*")),
        (
            _allow("s3:ListBucket", "arn:aws:s3:::b", Condition={"StringLike": {"s3:prefix": ["x/*", "y/*"]}}),
            ("List:b/x/*", "List:b/y/*"),
        ),
        (
            _allow("s3:GetObject", "arn:aws:s3:::b/x/*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
            ("Read:b/x/*",),
        ),
        (_allow("glue:*", "*"), ()),
    ],
)
def test_a_statement_becomes_the_words_that_say_the_same(statement, actions):
    assert _grants(statement).actions == actions
    assert not _grants(statement).left_out


@pytest.mark.parametrize(
    "statement",
    [
        _allow("s3:PutObject", "arn:aws:s3:::b/x/*"),  # Write would delete, too
        _allow("s3:GetObject", "arn:aws:s3:::b/x/one"),  # not a pattern
        _allow("s3:GetObject", "arn:aws:s3:::b/${aws:userid}/*"),
        _allow("s3:GetObject", "arn:aws:s3:::b/x/*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        _allow("s3:GetObject", "arn:aws:s3:::b/x/*", Condition={"StringEquals": {"aws:ResourceTag/a": "b"}}),
        _allow("s3:GetObject", "arn:aws:s3:::b/x/*", Condition={"StringLike": {"s3:prefix": "x/*"}}),
        _allow("s3:ListBucket", "arn:aws:s3:::b", Condition={"StringNotLike": {"s3:prefix": "x/*"}}),
        _allow("s3:ListBucket", "arn:aws:s3:::b*", Condition={"StringLike": {"s3:prefix": "x/*"}}),
        _allow("s3:ListBucket", "arn:aws:s3:::b*c"),
        _allow("s3:PutBucketPolicy", "arn:aws:s3:::b"),
        {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::b/*"},
    ],
)
def test_what_cannot_be_said_is_left_out_and_told(statement):
    assert _grants(statement).actions == ()
    assert _grants(statement).left_out


def test_a_condition_that_does_not_hold_gives_nothing():
    statement = _allow("s3:GetObject", "arn:aws:s3:::b/x/*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert _grants(statement).actions == ()


def test_writing_is_where_putting_and_deleting_are_both_allowed():
    both = _grants(_allow("s3:PutObject", "arn:aws:s3:::b/*"), _allow("s3:DeleteObject", "arn:aws:s3:::b/x/*"))
    assert both.actions == ("Write:b/x/*",)
    assert both.left_out == ("Write on b/?*: it needs s3:PutObject and s3:DeleteObject there",)


@pytest.mark.parametrize(
    ("deny", "left"),
    [
        (_deny("s3:GetObject", "arn:aws:s3:::b/x/secret/*"), ("List:b", "Read:b/y/*", "Write:b/x/*")),
        (_deny("s3:GetObjectTagging", "arn:aws:s3:::b/*"), ("List:b", "Write:b/x/*")),
        (_deny("s3:*", "arn:aws:s3:::b/y/*"), ("List:b", "Read:b/x/*", "Write:b/x/*")),
        (_deny("s3:*", "*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), ()),
        ({"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": "*"}, ()),
        (
            {"Effect": "Deny", "Action": "s3:ListBucket", "NotResource": "a"},
            ("Read:b/x/*", "Read:b/y/*", "Write:b/x/*"),
        ),
        (
            _deny("s3:*", "*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
            ("List:b", "Read:b/x/*", "Read:b/y/*", "Write:b/x/*"),
        ),
    ],
)
def test_a_deny_takes_away_whatever_it_may_concern(deny, left):
    allows = (
        _allow("s3:GetObject", "arn:aws:s3:::b/x/*", "arn:aws:s3:::b/y/*"),
        _allow(PUT_AND_DELETE, "arn:aws:s3:::b/x/*"),
        _allow("s3:ListBucket", "arn:aws:s3:::b"),
    )
    assert _grants(*allows, deny).actions == left
