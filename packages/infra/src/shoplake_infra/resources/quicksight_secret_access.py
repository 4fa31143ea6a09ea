"""What lets QuickSight read one secret: a policy of ours on the role that it reads all secrets with.

The role has a fixed name and belongs to the account: made where it lacks, never deleted.
Source: https://docs.aws.amazon.com/quicksight/latest/user/secrets-manager-integration.html
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource

__all__ = ["HANDLER", "QuickSightSecretAccessHandler", "quicksight_secret_access"]

_ROLE = "aws-quicksight-secretsmanager-role-v0"
_ABSENT = frozenset({"NoSuchEntity"})
_MADE_BY_US = [{"Key": "ManagedBy", "Value": "shoplake"}]  # no environment: others use it too


def quicksight_secret_access(name: str, *, secret: Ref, key: Resource, tags: Mapping[str, str]) -> Resource:
    """The policy of that name: reading the secret, and decrypting what the key encrypted."""
    properties = {"secret": secret, "key": Ref(key, "arn")}
    return Resource(kind="quicksight_secret_access", name=name, tags=tags, properties=properties)


class QuickSightSecretAccessHandler(Handler):
    """All calls for it."""

    kind = "quicksight_secret_access"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The policy; it has no tags, and is ours by its name."""
        answer = or_none(aws.client("iam").get_role_policy, _ABSENT, RoleName=_ROLE, PolicyName=resource.name)
        if answer is None:
            return None
        document = answer["PolicyDocument"]
        found = json.loads(unquote(document)) if isinstance(document, str) else document
        wanted = resource.properties
        as_wanted = found == _document(wanted)
        return Observed(
            properties=wanted if as_wanted else {"secret": _resource(found, 0), "key": _resource(found, 1)},
            tags=resource.tags,
            attributes={"name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The role where it lacks, then the policy."""
        iam = aws.client("iam")
        if or_none(iam.get_role, _ABSENT, RoleName=_ROLE) is None:
            trust = {
                "Effect": "Allow",
                "Principal": {"Service": "quicksight.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
            iam.create_role(
                Path="/service-role/",
                RoleName=_ROLE,
                AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
                Tags=_MADE_BY_US,
            )
        document = json.dumps(_document(resource.properties))
        iam.put_role_policy(RoleName=_ROLE, PolicyName=resource.name, PolicyDocument=document)

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Write the policy again."""
        del observed, changes
        self.create(aws, resource)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete the policy, not the role."""
        del observed
        aws.client("iam").delete_role_policy(RoleName=_ROLE, PolicyName=resource.name)


def _document(wanted: Mapping[str, Any]) -> dict[str, Any]:
    read = {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": [wanted["secret"]]}
    decrypt = {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [wanted["key"]]}
    return {"Version": "2012-10-17", "Statement": [read, decrypt]}


def _resource(document: Mapping[str, Any], number: int) -> str:
    """What the statement of that number was, for the plan to show."""
    statements = document.get("Statement", [])
    statement = statements[number] if isinstance(statements, list) and number < len(statements) else {}
    return json.dumps(statement, sort_keys=True)


HANDLER = QuickSightSecretAccessHandler()
