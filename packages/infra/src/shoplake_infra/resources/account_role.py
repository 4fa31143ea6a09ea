"""Roles that a service looks for by a fixed name, one an account: made where they lack, never changed, never deleted."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Resource
from shoplake_infra.tags import tag_mapping

__all__ = ["HANDLER", "AccountRoleHandler", "account_role"]

_ABSENT = frozenset({"NoSuchEntity"})
_MADE_BY_US = {"ManagedBy": "shoplake"}  # no environment: the account's other ones use it too


def account_role(name: str, *, service: str, managed_policy: str, tags: Mapping[str, str]) -> Resource:
    """The role of that fixed name, which the service takes, with one of AWS's own policies.

    Source of DMS's: https://docs.aws.amazon.com/dms/latest/userguide/security-iam.html#CHAP_Security.APIRole

    Args:
        name: Such as "dms-vpc-role".
        service: Such as "dms.amazonaws.com".
        managed_policy: Path and name under `arn:aws:iam::aws:policy/`.
        tags: The environment's. The role is not tagged with them: it belongs to the account.

    """
    properties = {"trusts": [service], "managed_policies": [f"arn:aws:iam::aws:policy/{managed_policy}"]}
    return Resource(kind="account_role", name=name, tags=tags, properties=properties)


class AccountRoleHandler(Handler):
    """All calls for an account's shared roles."""

    kind = "account_role"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """Whether the role does what we need of it; what else it may do is its owner's affair.

        It never reads as foreign, whoever made it, and always as gone for a destroy: both are what sharing means.
        """
        iam, name, wanted = aws.client("iam"), resource.name, resource.properties
        answer = or_none(iam.get_role, _ABSENT, RoleName=name)
        if answer is None:
            return None
        trusted = _trusted(answer["Role"]["AssumeRolePolicyDocument"])
        attached = {
            policy["PolicyArn"]
            for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
            for policy in page["AttachedPolicies"]
        }
        return Observed(
            properties={
                "trusts": [service for service in wanted["trusts"] if service in trusted],
                "managed_policies": [arn for arn in wanted["managed_policies"] if arn in attached],
            },
            tags=resource.tags,
            attributes={"arn": answer["Role"]["Arn"], "name": name},
            ending=True,
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The role, then its policy."""
        iam, wanted = aws.client("iam"), resource.properties
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": wanted["trusts"][0]},
            "Action": "sts:AssumeRole",
        }
        iam.create_role(
            RoleName=resource.name,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            Tags=[{"Key": key, "Value": value} for key, value in _MADE_BY_US.items()],
        )
        _attach(iam, resource)

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Finish one that we made; one of somebody else is not changed.

        Raises:
            ResourceError: It is somebody else's and lacks what we need.

        """
        iam = aws.client("iam")
        pages = iam.get_paginator("list_role_tags").paginate(RoleName=resource.name)
        tags = tag_mapping(tag for page in pages for tag in page["Tags"])
        missing = ", ".join(text for change in changes for text in change.new)
        if not _MADE_BY_US.items() <= tags.items() or observed.properties["trusts"] != resource.properties["trusts"]:
            raise ResourceError(
                f"{resource.address} is shared by the account and lacks {missing}",
                hint="its owner adds that; others may use the role, so it is not changed here",
                address=resource.address,
            )
        _attach(iam, resource)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Never.

        Raises:
            ResourceError: Always; no plan asks for it.

        """
        del aws, observed
        raise ResourceError(
            f"{resource.address} is shared by the account and not deleted here", hint="delete it by hand, if at all"
        )


def _attach(iam: Any, resource: Resource) -> None:
    for arn in resource.properties["managed_policies"]:
        iam.attach_role_policy(RoleName=resource.name, PolicyArn=arn)


def _trusted(document: Any) -> set[str]:
    trust = json.loads(unquote(document)) if isinstance(document, str) else document
    services: set[str] = set()
    for statement in trust["Statement"]:
        named = statement.get("Principal", {})
        named = named.get("Service", []) if isinstance(named, dict) else []
        if statement["Effect"] == "Allow":
            services |= {named} if isinstance(named, str) else set(named)
    return services


HANDLER = AccountRoleHandler()
