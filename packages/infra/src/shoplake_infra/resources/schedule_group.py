"""EventBridge Scheduler groups: they carry the tags that a schedule cannot."""

from collections.abc import Mapping

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Resource
from shoplake_infra.tags import tag_list, tag_mapping

__all__ = ["HANDLER", "ScheduleGroupHandler", "schedule_group"]


def schedule_group(name: str, *, tags: Mapping[str, str]) -> Resource:
    """A group of schedules."""
    return Resource(kind="schedule_group", name=name, tags=tags, properties={"state": "ACTIVE"})


class ScheduleGroupHandler(Handler):
    """All calls for schedule groups."""

    kind = "schedule_group"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The group and its tags."""
        scheduler = aws.client("scheduler")
        answer = or_none(scheduler.get_schedule_group, {"ResourceNotFoundException"}, Name=resource.name)
        if answer is None:
            return None
        return Observed(
            properties={"state": answer["State"]},
            tags=tag_mapping(scheduler.list_tags_for_resource(ResourceArn=answer["Arn"])["Tags"]),
            attributes={"arn": answer["Arn"], "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The group with its tags."""
        aws.client("scheduler").create_schedule_group(Name=resource.name, Tags=tag_list(resource.tags))

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:  # noqa: ARG002 - the port's signature
        """Set its tags: it has nothing else; one that is being deleted is waited for by the reading back."""
        aws.client("scheduler").tag_resource(ResourceArn=observed.attributes["arn"], Tags=tag_list(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it with its schedules."""
        aws.client("scheduler").delete_schedule_group(Name=resource.name)


HANDLER = ScheduleGroupHandler()
