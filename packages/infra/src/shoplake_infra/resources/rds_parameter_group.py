"""RDS parameter groups: what a database's server is told, beside its family's defaults."""

from collections.abc import Mapping

from shoplake_infra.aws import Aws
from shoplake_infra.described import described
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Resource
from shoplake_infra.tags import tag_list, tag_mapping

__all__ = ["HANDLER", "RdsParameterGroupHandler", "rds_parameter_group"]

_ABSENT = frozenset({"DBParameterGroupNotFound", "DBParameterGroupNotFoundFault"})
_AT_ONCE = 20  # parameters that one call may set


def rds_parameter_group(
    name: str, *, family: str, description: str, parameters: Mapping[str, str], tags: Mapping[str, str]
) -> Resource:
    """A group of the family (such as "mysql8.4") that sets these dynamic parameters and no other.

    A static parameter would take a restart, which nobody here does.
    """
    properties = {"family": family, "description": description, "parameters": dict(parameters)}
    return Resource(kind="rds_parameter_group", name=name, tags=tags, properties=properties)


class RdsParameterGroupHandler(Handler):
    """All calls for RDS parameter groups."""

    kind = "rds_parameter_group"
    replaced_for = frozenset({"family", "description"})

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The group with every parameter that somebody set: one set by hand shows."""
        rds = aws.client("rds")
        found = described(
            rds.describe_db_parameter_groups, "DBParameterGroups", _ABSENT, DBParameterGroupName=resource.name
        )
        if found is None:
            return None
        pages = rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=resource.name, Source="user")
        return Observed(
            properties={
                "family": found["DBParameterGroupFamily"],
                "description": found["Description"],
                "parameters": {
                    parameter["ParameterName"]: parameter["ParameterValue"]
                    for page in pages
                    for parameter in page["Parameters"]
                    if "ParameterValue" in parameter
                },
            },
            tags=tag_mapping(rds.list_tags_for_resource(ResourceName=found["DBParameterGroupArn"])["TagList"]),
            attributes={"arn": found["DBParameterGroupArn"], "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The group with its tags, then its parameters."""
        aws.client("rds").create_db_parameter_group(
            DBParameterGroupName=resource.name,
            DBParameterGroupFamily=resource.properties["family"],
            Description=resource.properties["description"],
            Tags=tag_list(resource.tags),
        )
        _set(aws, resource, resource.properties["parameters"])

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs, and give back to the defaults what was set by hand."""
        rds, wanted = aws.client("rds"), resource.properties["parameters"]
        there = observed.properties["parameters"]
        _set(aws, resource, {name: value for name, value in wanted.items() if there.get(name) != value})
        strange = sorted(there.keys() - wanted.keys())
        for first in range(0, len(strange), _AT_ONCE):
            rds.reset_db_parameter_group(
                DBParameterGroupName=resource.name,
                Parameters=[
                    # a static parameter takes no other method
                    {"ParameterName": name, "ApplyMethod": "pending-reboot"}
                    for name in strange[first : first + _AT_ONCE]
                ],
            )
        if touches(changes, "tags"):
            rds.add_tags_to_resource(ResourceName=observed.attributes["arn"], Tags=tag_list(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it."""
        aws.client("rds").delete_db_parameter_group(DBParameterGroupName=resource.name)


def _set(aws: Aws, resource: Resource, parameters: Mapping[str, str]) -> None:
    names = sorted(parameters)
    for first in range(0, len(names), _AT_ONCE):
        aws.client("rds").modify_db_parameter_group(
            DBParameterGroupName=resource.name,
            Parameters=[
                {"ParameterName": name, "ParameterValue": parameters[name], "ApplyMethod": "immediate"}
                for name in names[first : first + _AT_ONCE]
            ],
        )


HANDLER = RdsParameterGroupHandler()
