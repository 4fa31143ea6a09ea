"""Glue connections of type NETWORK: they put the workers of a job into a subnet, and say nothing of a database."""

from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource

__all__ = ["HANDLER", "GlueConnectionHandler", "glue_connection"]

_TYPE = "NETWORK"


def glue_connection(
    name: str, *, description: str, subnet: Resource, security_group: Resource, tags: Mapping[str, str]
) -> Resource:
    """A way into the subnet; the group must let its own members in on every port, for Glue's workers talk to each other."""
    return Resource(
        kind="glue_connection",
        name=name,
        tags=tags,
        properties={
            "description": description,
            "type": _TYPE,
            "subnet": Ref(subnet, "id"),
            "zone": subnet.properties["zone"],
            "security_groups": [Ref(security_group, "id")],
        },
    )


class GlueConnectionHandler(Handler):
    """All calls for connections."""

    kind = "glue_connection"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The connection; it has no password, and none is asked for."""
        glue, arn = aws.client("glue"), _arn(aws, resource)
        answer = or_none(glue.get_connection, {"EntityNotFoundException"}, Name=resource.name, HidePassword=True)
        if answer is None:
            return None
        found = answer["Connection"]
        place = found.get("PhysicalConnectionRequirements", {})
        return Observed(
            properties={
                "description": found.get("Description", ""),
                "type": found["ConnectionType"],
                "subnet": place.get("SubnetId", ""),
                "zone": place.get("AvailabilityZone", ""),
                "security_groups": place.get("SecurityGroupIdList", []),
            },
            tags=glue.get_tags(ResourceArn=arn)["Tags"],
            attributes={"arn": arn, "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The connection with its tags."""
        aws.client("glue").create_connection(ConnectionInput=_input(resource), Tags=dict(resource.tags))

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs; a run under way keeps its addresses."""
        glue = aws.client("glue")
        if touches(changes, *resource.properties):
            glue.update_connection(Name=resource.name, ConnectionInput=_input(resource))
        if touches(changes, "tags"):
            glue.tag_resource(ResourceArn=observed.attributes["arn"], TagsToAdd=dict(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it."""
        aws.client("glue").delete_connection(ConnectionName=resource.name)


def _arn(aws: Aws, resource: Resource) -> str:
    return f"arn:aws:glue:{aws.region}:{aws.account}:connection/{resource.name}"


def _input(resource: Resource) -> dict[str, Any]:
    wanted = resource.properties
    return {
        "Name": resource.name,
        "Description": wanted["description"],
        "ConnectionType": wanted["type"],
        "ConnectionProperties": {},  # required, and empty for this type
        "PhysicalConnectionRequirements": {
            "SubnetId": wanted["subnet"],
            "AvailabilityZone": wanted["zone"],
            "SecurityGroupIdList": wanted["security_groups"],
        },
    }


HANDLER = GlueConnectionHandler()
