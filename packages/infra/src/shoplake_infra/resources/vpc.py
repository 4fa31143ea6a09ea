"""VPCs: private networks without a way to the internet."""

from collections.abc import Mapping

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.ec2_names import NAME_TAG, named_one, tag_again, tag_specification
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.held_up import once_let_go
from shoplake_infra.resource import Resource
from shoplake_infra.tags import tag_mapping

__all__ = ["HANDLER", "VpcHandler", "vpc"]

# interface endpoints answer to the services' own names only with both
_ATTRIBUTES = {"dns_support": "enableDnsSupport", "dns_hostnames": "enableDnsHostnames"}


def vpc(name: str, *, cidr: str, tags: Mapping[str, str]) -> Resource:
    """A VPC of the address range `cidr`, such as "10.60.0.0/16"."""
    properties = {"cidr": cidr, "dns_support": True, "dns_hostnames": True}
    return Resource(kind="vpc", name=name, tags={**tags, NAME_TAG: name}, properties=properties)


class VpcHandler(Handler):
    """All calls for VPCs."""

    kind = "vpc"
    replaced_for = frozenset({"cidr"})

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The VPC of this name."""
        answer = named_one(aws, resource, "describe_vpcs", "Vpcs")
        if answer is None:
            return None
        ec2, vpc_id = aws.client("ec2"), answer["VpcId"]
        dns = {
            name: ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=attribute)[attribute[0].upper() + attribute[1:]][
                "Value"
            ]
            for name, attribute in _ATTRIBUTES.items()
        }
        return Observed(
            properties={"cidr": answer["CidrBlock"], **dns},
            tags=tag_mapping(answer["Tags"]),
            attributes={"id": vpc_id},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The VPC with its tags, then its DNS."""
        ec2 = aws.client("ec2")
        answer = ec2.create_vpc(
            CidrBlock=resource.properties["cidr"], TagSpecifications=tag_specification(resource, "vpc")
        )
        self._write_dns(aws, resource, answer["Vpc"]["VpcId"])

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs."""
        if touches(changes, *_ATTRIBUTES):
            self._write_dns(aws, resource, observed.attributes["id"])
        if touches(changes, "tags"):
            tag_again(aws, resource, observed.attributes["id"])

    def _write_dns(self, aws: Aws, resource: Resource, vpc_id: str) -> None:
        for name, attribute in _ATTRIBUTES.items():  # one a call: AWS takes no two
            parameter = attribute[0].upper() + attribute[1:]
            aws.client("ec2").modify_vpc_attribute(VpcId=vpc_id, **{parameter: {"Value": resource.properties[name]}})

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it, as soon as nothing is in it any more."""
        ec2, its_id = aws.client("ec2"), observed.attributes["id"]
        once_let_go(aws, resource, lambda: ec2.delete_vpc(VpcId=its_id))


HANDLER = VpcHandler()
