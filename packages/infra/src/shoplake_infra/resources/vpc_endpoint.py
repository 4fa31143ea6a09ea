"""VPC endpoints: how what has no way to the internet reaches AWS's services."""

from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.ec2_names import NAME_TAG, named_one, tag_again, tag_specification
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.tags import tag_mapping

__all__ = ["HANDLER", "VpcEndpointHandler", "gateway_endpoint", "interface_endpoint"]

# property -> where DescribeVpcEndpoints answers its ids, and what ModifyVpcEndpoint calls them
_MEMBERS = {"route_tables": "RouteTable", "subnets": "Subnet", "security_groups": "SecurityGroup"}


def gateway_endpoint(
    name: str, *, vpc: Resource, service: str, route_tables: tuple[Resource, ...], tags: Mapping[str, str]
) -> Resource:
    """A gateway to the service ("s3", "dynamodb") in the route tables; it costs nothing."""
    return _endpoint(name, vpc, service, "Gateway", {"route_tables": route_tables}, tags)


def interface_endpoint(
    name: str,
    *,
    vpc: Resource,
    service: str,
    subnets: tuple[Resource, ...],
    security_group: Resource,
    tags: Mapping[str, str],
) -> Resource:
    """An address of the service (such as "secretsmanager") in each subnet, under the service's own DNS name."""
    return _endpoint(name, vpc, service, "Interface", {"subnets": subnets, "security_groups": (security_group,)}, tags)


def _endpoint(
    name: str,
    vpc: Resource,
    service: str,
    kind: str,
    members: Mapping[str, tuple[Resource, ...]],
    tags: Mapping[str, str],
) -> Resource:
    properties: dict[str, Any] = {"vpc": Ref(vpc, "id"), "service": service, "type": kind}
    if kind == "Interface":
        properties["private_dns"] = True
    for what in _MEMBERS:
        properties[what] = {member.name: Ref(member, "id") for member in members.get(what, ())}
    return Resource(kind="vpc_endpoint", name=name, tags={**tags, NAME_TAG: name}, properties=properties)


class VpcEndpointHandler(Handler):
    """All calls for VPC endpoints."""

    kind = "vpc_endpoint"
    replaced_for = frozenset({"vpc", "service", "type"})
    timeout_seconds = 900.0

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The endpoint of this name, what it is in by our names."""
        answer = named_one(aws, resource, "describe_vpc_endpoints", "VpcEndpoints")
        if answer is None:
            return None
        properties: dict[str, Any] = {
            "vpc": answer["VpcId"],
            "service": answer["ServiceName"].removeprefix(f"com.amazonaws.{aws.region}."),
            "type": answer["VpcEndpointType"],
        }
        if answer["VpcEndpointType"] == "Interface":
            properties["private_dns"] = answer["PrivateDnsEnabled"]
        groups = [group["GroupId"] for group in answer.get("Groups", [])]
        ids = {
            "route_tables": answer.get("RouteTableIds", []),
            "subnets": answer.get("SubnetIds", []),
            "security_groups": groups,
        }
        for what, members in ids.items():
            names = {member_id: name for name, member_id in resource.properties[what].items()}
            properties[what] = {names.get(member_id, member_id): member_id for member_id in members}
        return Observed(
            properties=properties, tags=tag_mapping(answer["Tags"]), attributes={"id": answer["VpcEndpointId"]}
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The endpoint with its tags."""
        wanted = resource.properties
        members: dict[str, Any] = {
            f"{parameter}Ids": sorted(wanted[what].values()) for what, parameter in _MEMBERS.items() if wanted[what]
        }
        if wanted["type"] == "Interface":
            members["PrivateDnsEnabled"] = wanted["private_dns"]
        aws.client("ec2").create_vpc_endpoint(
            VpcId=wanted["vpc"],
            ServiceName=f"com.amazonaws.{aws.region}.{wanted['service']}",
            VpcEndpointType=wanted["type"],
            TagSpecifications=tag_specification(resource, "vpc-endpoint"),
            **members,
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs."""
        ec2, endpoint_id = aws.client("ec2"), observed.attributes["id"]
        moved: dict[str, Any] = {}
        for what, parameter in _MEMBERS.items():
            wanted, there = set(resource.properties[what].values()), set(observed.properties[what].values())
            moved |= {f"Add{parameter}Ids": sorted(wanted - there)} if wanted - there else {}
            moved |= {f"Remove{parameter}Ids": sorted(there - wanted)} if there - wanted else {}
        if touches(changes, "private_dns"):
            moved["PrivateDnsEnabled"] = resource.properties["private_dns"]
        if moved:
            ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, **moved)
        if touches(changes, "tags"):
            tag_again(aws, resource, endpoint_id)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it; its addresses go a while later, and their subnets can be deleted only then."""
        aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[observed.attributes["id"]])

    def settled(self, aws: Aws, resource: Resource) -> bool:
        """Whether it is available."""
        answer = named_one(aws, resource, "describe_vpc_endpoints", "VpcEndpoints")
        return answer is not None and str(answer["State"]).lower() == "available"


HANDLER = VpcEndpointHandler()
