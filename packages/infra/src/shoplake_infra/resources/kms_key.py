"""KMS keys, found by their alias. A key is never deleted at once: it waits, and a new apply takes it back."""

import json
from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Resource
from shoplake_infra.tags import owned, tag_list, tag_mapping

__all__ = ["HANDLER", "KmsKeyHandler", "kms_key"]

_WAITING_DAYS = 30  # the longest AWS offers: data encrypted with a deleted key is lost
_NAME_TAG = "Name"
_PENDING = "PendingDeletion"


def kms_key(
    name: str, *, account: str, description: str, tags: Mapping[str, str], services: tuple[str, ...] = ()
) -> Resource:
    """A symmetric key with the alias `alias/<name>`, ruled by IAM in its account and turned over once a year.

    `services` (such as "cloudwatch.amazonaws.com") may use it for this account's resources without a role.
    """
    statements: list[dict[str, Any]] = [
        {
            "Sid": "RuledByIam",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ]
    if services:
        statements.append(
            {
                "Sid": "UsedByServices",
                "Effect": "Allow",
                "Principal": {"Service": sorted(services)},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            }
        )
    return Resource(
        kind="kms_key",
        name=name,
        tags={**tags, _NAME_TAG: name},
        properties={
            "alias": f"alias/{name}",
            "description": description,
            "state": "Enabled",
            "rotation": True,
            "policy": {"Version": "2012-10-17", "Statement": statements},
        },
    )


class KmsKeyHandler(Handler):
    """All calls for keys and their aliases."""

    kind = "kms_key"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The key behind the alias, or the one with our tags whose alias was never made."""
        kms = aws.client("kms")
        alias = f"alias/{resource.name}"
        answer = or_none(kms.describe_key, {"NotFoundException"}, KeyId=alias)
        if answer is None:
            alias = ""
            key_id = _key_without_alias(kms, resource)
            if key_id is None:
                return None
            answer = kms.describe_key(KeyId=key_id)
        metadata = answer["KeyMetadata"]
        key_id, pending = metadata["KeyId"], metadata["KeyState"] == _PENDING
        policy: dict[str, Any] = json.loads(kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"])
        return Observed(
            properties={
                "alias": alias,
                "description": metadata["Description"],
                "state": metadata["KeyState"],
                # it may not be asked while the key waits for its deletion
                "rotation": False if pending else kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"],
                "policy": policy,
            },
            tags=_tags(kms, key_id),
            attributes={"arn": metadata["Arn"], "id": key_id},
            ending=pending,
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """A new key with its tags, then alias and rotation."""
        kms = aws.client("kms")
        answer = kms.create_key(
            Description=resource.properties["description"],
            Policy=json.dumps(resource.properties["policy"]),
            Tags=tag_list(resource.tags, key="TagKey", value="TagValue"),
        )
        key_id = answer["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=resource.properties["alias"], TargetKeyId=key_id)
        kms.enable_key_rotation(KeyId=key_id)

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Take the key back from its deletion, then set what differs."""
        kms, key_id, wanted = aws.client("kms"), observed.attributes["id"], resource.properties
        if observed.ending:
            kms.cancel_key_deletion(KeyId=key_id)
        if touches(changes, "state"):
            kms.enable_key(KeyId=key_id)
        if touches(changes, "alias"):
            kms.create_alias(AliasName=wanted["alias"], TargetKeyId=key_id)
        if touches(changes, "rotation"):
            kms.enable_key_rotation(KeyId=key_id)
        if touches(changes, "description"):
            kms.update_key_description(KeyId=key_id, Description=wanted["description"])
        if touches(changes, "policy"):
            kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=json.dumps(wanted["policy"]))
        if touches(changes, "tags"):
            kms.tag_resource(KeyId=key_id, Tags=tag_list(resource.tags, key="TagKey", value="TagValue"))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Let it wait for its deletion; the alias stays, so that it is found again."""
        aws.client("kms").schedule_key_deletion(KeyId=observed.attributes["id"], PendingWindowInDays=_WAITING_DAYS)


def _tags(kms: Any, key_id: str) -> dict[str, str]:
    pages = kms.get_paginator("list_resource_tags").paginate(KeyId=key_id)
    return tag_mapping((tag for page in pages for tag in page["Tags"]), key="TagKey", value="TagValue")


def _key_without_alias(kms: Any, resource: Resource) -> str | None:
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            tags = or_none(_tags, {"AccessDeniedException", "NotFoundException"}, kms=kms, key_id=key["KeyId"]) or {}
            if tags.get(_NAME_TAG) == resource.name and owned(resource.tags, tags):
                return str(key["KeyId"])
    return None


HANDLER = KmsKeyHandler()
