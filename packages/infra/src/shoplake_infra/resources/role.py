"""IAM roles: who may take them, and what they may do, as one inline policy each."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Resource
from shoplake_infra.tags import tag_list, tag_mapping

__all__ = ["HANDLER", "RoleHandler", "role"]

_ABSENT = frozenset({"NoSuchEntity"})


def role(
    name: str,
    *,
    services: tuple[str, ...],
    statements: tuple[Mapping[str, Any], ...],
    tags: Mapping[str, str],
    trust_condition: Mapping[str, Any] | None = None,
) -> Resource:
    """A role that these AWS services (such as "glue.amazonaws.com") may take, with the statements as its only policy."""
    principal = {"Service": services[0] if len(services) == 1 else sorted(services)}  # as IAM answers it
    trust: dict[str, Any] = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    if trust_condition:
        trust["Condition"] = trust_condition
    policies = {name: {"Version": "2012-10-17", "Statement": list(statements)}} if statements else {}
    return Resource(
        kind="role",
        name=name,
        tags=tags,
        properties={
            "trust": {"Version": "2012-10-17", "Statement": [trust]},
            "policies": policies,
            "managed_policies": [],
        },
    )


class RoleHandler(Handler):
    """All calls for roles and their policies."""

    kind = "role"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The role with all of its policies: one added by hand shows."""
        iam, name = aws.client("iam"), resource.name
        answer = or_none(iam.get_role, _ABSENT, RoleName=name)
        if answer is None:
            return None
        inline = [
            policy
            for page in iam.get_paginator("list_role_policies").paginate(RoleName=name)
            for policy in page["PolicyNames"]
        ]
        attached = [
            policy["PolicyArn"]
            for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
            for policy in page["AttachedPolicies"]
        ]
        return Observed(
            properties={
                "trust": _document(answer["Role"]["AssumeRolePolicyDocument"]),
                "policies": {
                    policy: _document(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
                    for policy in inline
                },
                "managed_policies": sorted(attached),
            },
            tags=tag_mapping(
                tag for page in iam.get_paginator("list_role_tags").paginate(RoleName=name) for tag in page["Tags"]
            ),
            attributes={"arn": answer["Role"]["Arn"], "name": name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The role with its tags, then its policies."""
        iam = aws.client("iam")
        iam.create_role(
            RoleName=resource.name,
            AssumeRolePolicyDocument=json.dumps(resource.properties["trust"]),
            Tags=tag_list(resource.tags),
        )
        _write_policies(iam, resource, {})

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs, take away what was added by hand."""
        iam, name = aws.client("iam"), resource.name
        if touches(changes, "trust"):
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(resource.properties["trust"]))
        if touches(changes, "tags"):
            iam.tag_role(RoleName=name, Tags=tag_list(resource.tags))
        if touches(changes, "policies", "managed_policies"):
            _write_policies(iam, resource, observed.properties)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete its policies, then the role."""
        iam = aws.client("iam")
        for policy in observed.properties["policies"]:
            iam.delete_role_policy(RoleName=resource.name, PolicyName=policy)
        for arn in observed.properties["managed_policies"]:
            iam.detach_role_policy(RoleName=resource.name, PolicyArn=arn)
        iam.delete_role(RoleName=resource.name)


def _document(document: Any) -> Any:
    return json.loads(unquote(document)) if isinstance(document, str) else document


def _write_policies(iam: Any, resource: Resource, there: Mapping[str, Any]) -> None:
    inline, wanted_inline = there.get("policies", {}), resource.properties["policies"]
    managed, wanted_managed = there.get("managed_policies", []), resource.properties["managed_policies"]
    for name, document in wanted_inline.items():
        if inline.get(name) != document:
            iam.put_role_policy(RoleName=resource.name, PolicyName=name, PolicyDocument=json.dumps(document))
    for name in inline:
        if name not in wanted_inline:
            iam.delete_role_policy(RoleName=resource.name, PolicyName=name)
    for arn in wanted_managed:
        if arn not in managed:
            iam.attach_role_policy(RoleName=resource.name, PolicyArn=arn)
    for arn in managed:
        if arn not in wanted_managed:
            iam.detach_role_policy(RoleName=resource.name, PolicyArn=arn)


HANDLER = RoleHandler()
