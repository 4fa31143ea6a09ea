"""QuickSight's way into the private network: an interface in each subnet."""

from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.members import member_refs, named_members
from shoplake_infra.quicksight_calls import (
    add_tags,
    described,
    failure,
    quicksight,
    state_of,
    tags_of,
    wait_at_rest,
    wait_gone,
)
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resting import AVAILABLE, DELETING, made_again
from shoplake_infra.tags import tag_list

__all__ = ["HANDLER", "QuickSightVpcConnectionHandler", "quicksight_vpc_connection"]


def quicksight_vpc_connection(
    name: str,
    *,
    subnets: tuple[Resource, ...],
    security_group: Resource,
    role: Resource,
    tags: Mapping[str, str],
    depends_on: tuple[str, ...] = (),
) -> Resource:
    """A connection; its group must let in what the database answers, because QuickSight's interfaces keep no state.

    Source: https://docs.aws.amazon.com/quicksight/latest/user/vpc-security-groups.html

    """
    return Resource(
        kind="quicksight_vpc_connection",
        name=name,
        tags=tags,
        depends_on=depends_on,
        properties={
            "subnets": member_refs(subnets),
            "security_groups": member_refs((security_group,)),
            "role_arn": Ref(role, "arn"),
            "state": AVAILABLE,
        },
    )


class QuickSightVpcConnectionHandler(Handler):
    """All calls for VPC connections."""

    kind = "quicksight_vpc_connection"
    timeout_seconds = 900.0

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The connection; one that was deleted is still described for a while, and counts as gone."""
        found, wanted = _described(aws, resource), resource.properties
        if found is None:
            return None
        arn, state = found["Arn"], state_of(found["Status"])
        subnets = [one["SubnetId"] for one in found.get("NetworkInterfaces", [])]
        return Observed(
            properties={
                "subnets": named_members(subnets, wanted["subnets"]),
                "security_groups": named_members(found.get("SecurityGroupIds", []), wanted["security_groups"]),
                "role_arn": found.get("RoleArn", ""),
                "state": state,
            },
            tags=resource.tags if state == DELETING else tags_of(aws, arn),
            attributes={"arn": arn, "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The connection with its tags."""
        quicksight(aws).create_vpc_connection(**_parameters(aws, resource), Tags=tag_list(resource.tags))

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs; one that could not be made is made anew."""
        if made_again(self, aws, resource, observed):
            return
        if observed.properties["state"] == "creation_failed":
            self.delete(aws, resource, observed)
            wait_gone(self, aws, resource)
            self.create(aws, resource)
            return
        if touches(changes, *(name for name in resource.properties if name != "state")):
            wait_at_rest(self, aws, resource, lambda: _status(aws, resource))
            quicksight(aws).update_vpc_connection(**_parameters(aws, resource))
        if touches(changes, "tags"):
            add_tags(aws, observed.attributes["arn"], tag_list(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it with its network interfaces."""
        if observed.properties["state"] != DELETING:
            wait_at_rest(self, aws, resource, lambda: _status(aws, resource))
            quicksight(aws).delete_vpc_connection(AwsAccountId=aws.account, VPCConnectionId=resource.name)

    def settled(self, aws: Aws, resource: Resource) -> bool:
        """Whether it can be used.

        Raises:
            ResourceError: It could not be made or changed.

        """
        found = _described(aws, resource)
        state = state_of(found["Status"]) if found else ""
        if found is not None and state.endswith("_failed"):
            reasons = {one["ErrorMessage"] for one in found.get("NetworkInterfaces", []) if one.get("ErrorMessage")}
            hint = "check the role's rights and the subnets' free addresses, then apply again"
            raise failure(resource, state, sorted(reasons), hint=hint)
        return state == AVAILABLE


def _described(aws: Aws, resource: Resource) -> Mapping[str, Any] | None:
    return described(
        quicksight(aws).describe_vpc_connection,
        "VPCConnection",
        AwsAccountId=aws.account,
        VPCConnectionId=resource.name,
    )


def _status(aws: Aws, resource: Resource) -> str | None:
    found = _described(aws, resource)
    return str(found["Status"]) if found else None


def _parameters(aws: Aws, resource: Resource) -> dict[str, Any]:
    wanted = resource.properties
    return {
        "AwsAccountId": aws.account,
        "VPCConnectionId": resource.name,
        "Name": resource.name,
        "SubnetIds": sorted(wanted["subnets"].values()),
        "SecurityGroupIds": sorted(wanted["security_groups"].values()),
        "RoleArn": wanted["role_arn"],
    }


HANDLER = QuickSightVpcConnectionHandler()
