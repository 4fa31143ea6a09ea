"""DMS subnet groups: the subnets that replication instances may stand in."""

from collections.abc import Mapping

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.dms_calls import add_tags, dms_described, tags_of
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.members import member_refs, named_members
from shoplake_infra.new_roles import once_role_is_known
from shoplake_infra.resource import Resource
from shoplake_infra.tags import tag_list

__all__ = ["HANDLER", "DmsSubnetGroupHandler", "dms_subnet_group"]


def dms_subnet_group(
    name: str,
    *,
    description: str,
    subnets: tuple[Resource, ...],
    vpc_role: Resource,
    tags: Mapping[str, str],
) -> Resource:
    """A group of subnets, in two zones at least; DMS looks at them as the account's `dms-vpc-role`."""
    return Resource(
        kind="dms_subnet_group",
        name=name,
        tags=tags,
        depends_on=(vpc_role.address,),
        properties={"description": description, "subnets": member_refs(subnets)},
    )


class DmsSubnetGroupHandler(Handler):
    """All calls for DMS subnet groups."""

    kind = "dms_subnet_group"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The group, its subnets by our names."""
        describe = aws.client("dms").describe_replication_subnet_groups
        found = dms_described(describe, "ReplicationSubnetGroups", "replication-subnet-group-id", resource.name)
        if found is None:
            return None
        arn = f"arn:aws:dms:{aws.region}:{aws.account}:subgrp:{resource.name}"  # no call tells it
        ids = [subnet["SubnetIdentifier"] for subnet in found["Subnets"]]
        return Observed(
            properties={
                "description": found["ReplicationSubnetGroupDescription"],
                "subnets": named_members(ids, resource.properties["subnets"]),
            },
            tags=tags_of(aws, arn),
            attributes={"arn": arn, "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The group with its tags; a `dms-vpc-role` that is not known everywhere yet is waited for."""
        once_role_is_known(
            aws,
            resource,
            lambda: aws.client("dms").create_replication_subnet_group(
                ReplicationSubnetGroupIdentifier=resource.name,
                ReplicationSubnetGroupDescription=resource.properties["description"],
                SubnetIds=sorted(resource.properties["subnets"].values()),
                Tags=tag_list(resource.tags),
            ),
            code="AccessDeniedFault",
            words="is not configured properly",
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs."""
        if touches(changes, *resource.properties):
            aws.client("dms").modify_replication_subnet_group(
                ReplicationSubnetGroupIdentifier=resource.name,
                ReplicationSubnetGroupDescription=resource.properties["description"],
                SubnetIds=sorted(resource.properties["subnets"].values()),
            )
        if touches(changes, "tags"):
            add_tags(aws, resource, observed.attributes["arn"])

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it."""
        aws.client("dms").delete_replication_subnet_group(ReplicationSubnetGroupIdentifier=resource.name)


HANDLER = DmsSubnetGroupHandler()
