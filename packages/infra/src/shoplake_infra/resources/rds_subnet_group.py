"""RDS subnet groups: the subnets that a database's instances may stand in."""

from collections.abc import Mapping

from shoplake_infra.aws import Aws
from shoplake_infra.described import described
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.members import member_refs, named_members
from shoplake_infra.resource import Resource
from shoplake_infra.tags import tag_list, tag_mapping

__all__ = ["HANDLER", "RdsSubnetGroupHandler", "rds_subnet_group"]

_ABSENT = frozenset({"DBSubnetGroupNotFoundFault"})


def rds_subnet_group(
    name: str, *, description: str, subnets: tuple[Resource, ...], tags: Mapping[str, str]
) -> Resource:
    """A group of subnets, in two zones at least: RDS wants that of a single instance too."""
    properties = {"description": description, "subnets": member_refs(subnets)}
    return Resource(kind="rds_subnet_group", name=name, tags=tags, properties=properties)


class RdsSubnetGroupHandler(Handler):
    """All calls for RDS subnet groups."""

    kind = "rds_subnet_group"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The group, its subnets by our names."""
        rds = aws.client("rds")
        found = described(rds.describe_db_subnet_groups, "DBSubnetGroups", _ABSENT, DBSubnetGroupName=resource.name)
        if found is None:
            return None
        ids = [subnet["SubnetIdentifier"] for subnet in found["Subnets"]]
        return Observed(
            properties={
                "description": found["DBSubnetGroupDescription"],
                "subnets": named_members(ids, resource.properties["subnets"]),
            },
            tags=tag_mapping(rds.list_tags_for_resource(ResourceName=found["DBSubnetGroupArn"])["TagList"]),
            attributes={"arn": found["DBSubnetGroupArn"], "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The group with its tags."""
        aws.client("rds").create_db_subnet_group(
            DBSubnetGroupName=resource.name,
            DBSubnetGroupDescription=resource.properties["description"],
            SubnetIds=sorted(resource.properties["subnets"].values()),
            Tags=tag_list(resource.tags),
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs."""
        rds = aws.client("rds")
        if touches(changes, *resource.properties):
            rds.modify_db_subnet_group(
                DBSubnetGroupName=resource.name,
                DBSubnetGroupDescription=resource.properties["description"],
                SubnetIds=sorted(resource.properties["subnets"].values()),
            )
        if touches(changes, "tags"):
            rds.add_tags_to_resource(ResourceName=observed.attributes["arn"], Tags=tag_list(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it."""
        aws.client("rds").delete_db_subnet_group(DBSubnetGroupName=resource.name)


HANDLER = RdsSubnetGroupHandler()
