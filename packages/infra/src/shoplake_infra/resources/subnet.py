"""Private subnets."""

from collections.abc import Mapping

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.ec2_names import NAME_TAG, named_one, tag_again, tag_specification
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.held_up import once_let_go
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.tags import tag_mapping

__all__ = ["HANDLER", "SubnetHandler", "subnet"]


def subnet(name: str, *, vpc: Resource, cidr: str, zone: str, tags: Mapping[str, str]) -> Resource:
    """A subnet of the VPC in the availability zone, whose members get no public address."""
    properties = {"vpc": Ref(vpc, "id"), "cidr": cidr, "zone": zone, "public_addresses": False}
    return Resource(kind="subnet", name=name, tags={**tags, NAME_TAG: name}, properties=properties)


class SubnetHandler(Handler):
    """All calls for subnets."""

    kind = "subnet"
    replaced_for = frozenset({"vpc", "cidr", "zone"})

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The subnet of this name."""
        answer = named_one(aws, resource, "describe_subnets", "Subnets")
        if answer is None:
            return None
        return Observed(
            properties={
                "vpc": answer["VpcId"],
                "cidr": answer["CidrBlock"],
                "zone": answer["AvailabilityZone"],
                "public_addresses": answer["MapPublicIpOnLaunch"],
            },
            tags=tag_mapping(answer["Tags"]),
            attributes={"id": answer["SubnetId"]},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The subnet with its tags; no public addresses is AWS's own default."""
        aws.client("ec2").create_subnet(
            VpcId=resource.properties["vpc"],
            CidrBlock=resource.properties["cidr"],
            AvailabilityZone=resource.properties["zone"],
            TagSpecifications=tag_specification(resource, "subnet"),
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs."""
        subnet_id = observed.attributes["id"]
        if touches(changes, "public_addresses"):
            aws.client("ec2").modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": False})
        if touches(changes, "tags"):
            tag_again(aws, resource, subnet_id)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it, as soon as nothing is in it any more."""
        ec2, its_id = aws.client("ec2"), observed.attributes["id"]
        once_let_go(aws, resource, lambda: ec2.delete_subnet(SubnetId=its_id))


HANDLER = SubnetHandler()
