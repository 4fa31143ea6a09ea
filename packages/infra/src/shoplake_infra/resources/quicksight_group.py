"""QuickSight groups: whom dashboards are shared with. Who is in them is decided by hand.

A group has no tags: its description begins with whose it is.
"""

from collections.abc import Mapping

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.quicksight_calls import ABSENT, quicksight
from shoplake_infra.resource import Resource

__all__ = ["HANDLER", "QuickSightGroupHandler", "quicksight_group"]

_NAMESPACE = "default"


def quicksight_group(name: str, *, purpose: str, tags: Mapping[str, str], depends_on: tuple[str, ...] = ()) -> Resource:
    """A group of the namespace "default"; its members are lost with it."""
    description = f"{_mark(tags)} {purpose}"
    properties = {"description": description}
    return Resource(kind="quicksight_group", name=name, tags=tags, properties=properties, depends_on=depends_on)


class QuickSightGroupHandler(Handler):
    """All calls for groups."""

    kind = "quicksight_group"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The group; its description says whether it is ours."""
        answer = or_none(quicksight(aws).describe_group, ABSENT, **_names(aws, resource))
        if answer is None:
            return None
        group = answer["Group"]
        description = group.get("Description", "")
        return Observed(
            properties={"description": description},
            tags=resource.tags if description.startswith(_mark(resource.tags)) else {},
            attributes={"arn": group["Arn"], "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The group, empty."""
        quicksight(aws).create_group(**_names(aws, resource), Description=resource.properties["description"])

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set its description."""
        del observed, changes
        quicksight(aws).update_group(**_names(aws, resource), Description=resource.properties["description"])

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it; what was granted to it goes with it."""
        del observed
        quicksight(aws).delete_group(**_names(aws, resource))


def _mark(tags: Mapping[str, str]) -> str:
    return f"{tags['ManagedBy']} {tags['Project']}/{tags['Environment']}:"


def _names(aws: Aws, resource: Resource) -> dict[str, str]:
    return {"AwsAccountId": aws.account, "Namespace": _NAMESPACE, "GroupName": resource.name}


HANDLER = QuickSightGroupHandler()
