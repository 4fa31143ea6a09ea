import json

import pytest
from shoplake_infra.applying import apply
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.secret import Login, hex_secret, login_secret

MASKING, SOURCE = "shoplake/dev/masking-key", "shoplake/dev/source"


@pytest.fixture
def desired(tags):
    key = kms_key("shoplake-dev", account="123456789012", description="", tags=tags)
    masking = hex_secret(MASKING, size_bytes=32, description="masking key", key=key, tags=tags, holds_data=True)
    login = Login(host="db.internal", port=3306, username="shoplake")
    return (key, masking, login_secret(SOURCE, login=login, description="MySQL", key=key, tags=tags))


def value(aws, name):
    return aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]


def test_values_are_made_once_and_shown_nowhere(aws, desired):
    first = plan(desired, aws)
    apply(first, aws)
    masking, source = value(aws, MASKING), json.loads(value(aws, SOURCE))
    assert len(bytes.fromhex(masking)) == 32
    assert source["host"] == "db.internal"
    assert len(source["password"]) == 32
    again = plan(desired, aws)
    assert again.changes == ()
    text = json.dumps(first.as_json()) + "".join(first.lines()) + repr(first) + repr(again)
    assert masking not in text
    assert source["password"] not in text
    assert value(aws, MASKING) == masking


def test_reading_never_asks_for_a_value(aws, desired):
    apply(plan(desired, aws), aws)
    asked = []
    aws.session.events.register("before-call.secrets-manager.*", lambda model, **_: asked.append(model.name))
    aws._clients.clear()
    plan(desired, aws)
    plan_destroy(desired, aws)
    assert set(asked) == {"DescribeSecret"}


def test_an_apply_after_a_destroy_restores_the_same_value(aws, desired):
    apply(plan(desired, aws), aws)
    before = value(aws, SOURCE)
    destroyed = plan_destroy(desired, aws)
    assert [change.resource.name for change in destroyed.changes] == [SOURCE], "the masking key makes data readable"
    apply(destroyed, aws)
    assert plan_destroy(desired, aws).changes == ()
    planned = plan(desired, aws)
    assert '    state: "waiting for its deletion" -> "available"' in planned.lines()
    apply(planned, aws)
    assert value(aws, SOURCE) == before
    assert plan(desired, aws).changes == ()


def test_a_change_by_hand_is_set_again_and_the_value_stays(aws, desired):
    apply(plan(desired, aws), aws)
    before = value(aws, SOURCE)
    aws.client("secretsmanager").update_secret(SecretId=SOURCE, Description="mine", KmsKeyId="alias/aws/secretsmanager")
    (change,) = plan(desired, aws).changes
    assert [c.path for c in change.changes] == [("description",), ("kms_key",)]
    apply(plan(desired, aws), aws)
    assert plan(desired, aws).changes == ()
    assert value(aws, SOURCE) == before
