"""Redshift Serverless workgroups: the machine of a namespace, in the VPC and nowhere else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.members import member_refs, named_members
from shoplake_infra.redshift_calls import ABSENT, add_tags, serverless, state_of, tags_of
from shoplake_infra.resource import Resource
from shoplake_infra.resting import AVAILABLE, DELETING, come_to_rest, made_again
from shoplake_infra.tags import tag_list

__all__ = ["HANDLER", "RedshiftWorkgroupHandler", "WarehousePower", "redshift_workgroup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehousePower:
    """How much it may do.

    Attributes:
        base_rpu: Redshift processing units that a query finds; from 4 (8 in some regions) upwards.
        most_rpu: It grows up to here under load.
        longest_query_seconds: A query that takes longer is ended.

    """

    base_rpu: int = 8
    most_rpu: int = 64
    longest_query_seconds: int = 3600


def redshift_workgroup(
    name: str,
    *,
    namespace: Resource,
    power: WarehousePower,
    subnets: tuple[Resource, ...],
    security_groups: tuple[Resource, ...],
    tags: Mapping[str, str],
) -> Resource:
    """The namespace's machine, without a public address; the subnets are in three zones, as Redshift wants it."""
    return Resource(
        kind="redshift_workgroup",
        name=name,
        tags=tags,
        depends_on=(namespace.address,),
        properties={
            "namespace": namespace.name,
            "base_rpu": power.base_rpu,
            "most_rpu": power.most_rpu,
            "public": False,
            "inside_vpc": True,
            "subnets": member_refs(subnets),
            "security_groups": member_refs(security_groups),
            "parameters": {
                "enable_user_activity_logging": "true",
                "max_query_execution_time": str(power.longest_query_seconds),
                "require_ssl": "true",
            },
            "state": AVAILABLE,
        },
    )


class RedshiftWorkgroupHandler(Handler):
    """All calls for workgroups."""

    kind = "redshift_workgroup"
    replaced_for = frozenset({"namespace"})
    timeout_seconds = 1800.0

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The workgroup; of its parameters those that are wanted, for Redshift answers all others with its defaults."""
        found, wanted = _described(aws, resource), resource.properties
        if found is None:
            return None
        arn, endpoint = found["workgroupArn"], found.get("endpoint", {})
        parameters = {one["parameterKey"]: one["parameterValue"] for one in found.get("configParameters", [])}
        return Observed(
            properties={
                "namespace": found["namespaceName"],
                "base_rpu": found["baseCapacity"],
                "most_rpu": found.get("maxCapacity", 0),
                "public": found["publiclyAccessible"],
                "inside_vpc": found["enhancedVpcRouting"],
                "subnets": named_members(found.get("subnetIds", []), wanted["subnets"]),
                "security_groups": named_members(found.get("securityGroupIds", []), wanted["security_groups"]),
                "parameters": {name: parameters[name] for name in wanted["parameters"] if name in parameters},
                "state": state_of(found),
            },
            tags=resource.tags if state_of(found) == DELETING else tags_of(aws, arn),
            attributes={
                "arn": arn,
                "id": found["workgroupId"],
                "name": resource.name,
                "host": str(endpoint.get("address", "")),  # not known until it is made
                "port": str(endpoint.get("port", "")),
            },
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The workgroup with its tags."""
        parameters: dict[str, Any] = {}
        for make in _PARAMETERS.values():
            parameters |= make(resource.properties)
        serverless(aws).create_workgroup(
            workgroupName=resource.name,
            namespaceName=resource.properties["namespace"],
            tags=tag_list(resource.tags, key="key", value="value"),
            **parameters,
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs, one thing after the other: Redshift refuses more than one at once."""
        if made_again(self, aws, resource, observed):
            return
        for name, make in _PARAMETERS.items():
            if touches(changes, name):
                come_to_rest(self, aws, resource)
                serverless(aws).update_workgroup(workgroupName=resource.name, **make(resource.properties))
        if touches(changes, "tags"):
            add_tags(aws, resource, observed.attributes["arn"])

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it; the namespace keeps the data."""
        if observed.properties["state"] != DELETING:
            serverless(aws).delete_workgroup(workgroupName=resource.name)

    def settled(self, aws: Aws, resource: Resource) -> bool:
        """Whether it is available."""
        found = _described(aws, resource)
        return found is not None and state_of(found) == AVAILABLE


def _described(aws: Aws, resource: Resource) -> Mapping[str, Any] | None:
    answer = or_none(serverless(aws).get_workgroup, ABSENT, workgroupName=resource.name)
    found: Mapping[str, Any] | None = answer["workgroup"] if answer else None
    return found


# what can be changed -> how both the creating and the updating call name it
_PARAMETERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "base_rpu": lambda wanted: {"baseCapacity": wanted["base_rpu"]},
    "most_rpu": lambda wanted: {"maxCapacity": wanted["most_rpu"]},
    "public": lambda wanted: {"publiclyAccessible": wanted["public"]},
    "inside_vpc": lambda wanted: {"enhancedVpcRouting": wanted["inside_vpc"]},
    "subnets": lambda wanted: {"subnetIds": sorted(wanted["subnets"].values())},
    "security_groups": lambda wanted: {"securityGroupIds": sorted(wanted["security_groups"].values())},
    "parameters": lambda wanted: {
        "configParameters": [
            {"parameterKey": name, "parameterValue": value} for name, value in sorted(wanted["parameters"].items())
        ]
    },
}

HANDLER = RedshiftWorkgroupHandler()
