from shoplake_infra.applying import apply
from shoplake_infra.planning import plan
from shoplake_infra.resources.kms_key import kms_key


def test_what_was_changed_by_hand_is_set_again(aws, tags):
    desired = (kms_key("shoplake-dev", account="123456789012", description="Shoplake dev", tags=tags),)
    apply(plan(desired, aws), aws)
    kms = aws.client("kms")
    key = kms.describe_key(KeyId="alias/shoplake-dev")["KeyMetadata"]["KeyId"]
    kms.disable_key_rotation(KeyId=key)
    kms.disable_key(KeyId=key)
    kms.update_key_description(KeyId=key, Description="mine")
    kms.delete_alias(AliasName="alias/shoplake-dev")
    (change,) = plan(desired, aws).changes
    assert [".".join(c.path) for c in change.changes] == ["alias", "description", "rotation", "state"]
    apply(plan(desired, aws), aws)
    assert plan(desired, aws).changes == ()
    assert kms.describe_key(KeyId="alias/shoplake-dev")["KeyMetadata"]["KeyId"] == key
