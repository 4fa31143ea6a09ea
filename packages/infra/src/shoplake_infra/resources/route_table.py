"""Route tables of private subnets: no routes but the VPC's own and those that gateway endpoints add."""

from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.ec2_names import NAME_TAG, named_one, tag_again, tag_specification
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.tags import tag_mapping

__all__ = ["HANDLER", "RouteTableHandler", "route_table"]


def route_table(name: str, *, vpc: Resource, subnets: tuple[Resource, ...], tags: Mapping[str, str]) -> Resource:
    """The route table of these subnets."""
    properties = {
        "vpc": Ref(vpc, "id"),
        "subnets": {subnet.name: Ref(subnet, "id") for subnet in subnets},
        "routes": [],
    }
    return Resource(kind="route_table", name=name, tags={**tags, NAME_TAG: name}, properties=properties)


class RouteTableHandler(Handler):
    """All calls for route tables and their associations."""

    kind = "route_table"
    replaced_for = frozenset({"vpc"})

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The route table of this name, its subnets by our names, its routes by destination."""
        answer = named_one(aws, resource, "describe_route_tables", "RouteTables")
        if answer is None:
            return None
        names = {subnet_id: name for name, subnet_id in resource.properties["subnets"].items()}
        subnets = [association["SubnetId"] for association in answer["Associations"] if "SubnetId" in association]
        return Observed(
            properties={
                "vpc": answer["VpcId"],
                "subnets": {names.get(subnet_id, subnet_id): subnet_id for subnet_id in subnets},
                "routes": sorted(route["DestinationCidrBlock"] for route in answer["Routes"] if _by_hand(route)),
            },
            tags=tag_mapping(answer["Tags"]),
            attributes={"id": answer["RouteTableId"]},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The route table with its tags, then its subnets."""
        ec2 = aws.client("ec2")
        answer = ec2.create_route_table(
            VpcId=resource.properties["vpc"], TagSpecifications=tag_specification(resource, "route-table")
        )
        for subnet_id in resource.properties["subnets"].values():
            ec2.associate_route_table(RouteTableId=answer["RouteTable"]["RouteTableId"], SubnetId=subnet_id)

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs, and take away routes that were added by hand."""
        ec2, table_id = aws.client("ec2"), observed.attributes["id"]
        wanted, there = resource.properties["subnets"].values(), observed.properties["subnets"].values()
        for subnet_id in wanted:
            if subnet_id not in there:
                ec2.associate_route_table(RouteTableId=table_id, SubnetId=subnet_id)
        for association in _associations(ec2, table_id):
            if association["SubnetId"] not in wanted:
                ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
        for destination in observed.properties["routes"]:
            ec2.delete_route(RouteTableId=table_id, DestinationCidrBlock=destination)
        if touches(changes, "tags"):
            tag_again(aws, resource, table_id)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Take it from its subnets, then delete it."""
        ec2, table_id = aws.client("ec2"), observed.attributes["id"]
        for association in _associations(ec2, table_id):
            ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
        ec2.delete_route_table(RouteTableId=table_id)


def _by_hand(route: Mapping[str, Any]) -> bool:
    return "DestinationCidrBlock" in route and route.get("GatewayId") != "local"


def _associations(ec2: Any, table_id: str) -> list[dict[str, Any]]:
    (table,) = ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"]
    return [association for association in table["Associations"] if "SubnetId" in association]


HANDLER = RouteTableHandler()
