"""EventBridge schedules with a time zone; whose they are says their group's tags."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.tags import tag_mapping

__all__ = ["HANDLER", "ScheduleHandler", "Target", "schedule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a schedule starts: its ARN, the role that may start it, and the input as JSON text."""

    arn: str | Ref
    role: Resource
    input: str


def schedule(
    name: str,
    *,
    group: Resource,
    expression: str,
    time_zone: str,
    target: Target,
    enabled: bool,
    tags: Mapping[str, str],
) -> Resource:
    """Start the target by `expression` (cron or rate) in the time zone, so that summer time moves no run."""
    return Resource(
        kind="schedule",
        name=name,
        tags=tags,
        properties={
            "group": Ref(group, "name"),
            "expression": expression,
            "time_zone": time_zone,
            "target_arn": target.arn,
            "role_arn": Ref(target.role, "arn"),
            "input": target.input,
            "enabled": enabled,
        },
    )


class ScheduleHandler(Handler):
    """All calls for schedules."""

    kind = "schedule"
    replaced_for = frozenset({"group"})

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The schedule, with the tags of its group."""
        scheduler = aws.client("scheduler")
        group = resource.properties["group"]
        if not isinstance(group, str):
            return None  # the group is not there yet
        answer = or_none(scheduler.get_schedule, {"ResourceNotFoundException"}, Name=resource.name, GroupName=group)
        if answer is None:
            return None
        group_arn = scheduler.get_schedule_group(Name=group)["Arn"]
        return Observed(
            properties={
                "group": answer["GroupName"],
                "expression": answer["ScheduleExpression"],
                "time_zone": answer.get("ScheduleExpressionTimezone", "UTC"),
                "target_arn": answer["Target"]["Arn"],
                "role_arn": answer["Target"]["RoleArn"],
                "input": answer["Target"].get("Input", ""),
                "enabled": answer.get("State", "ENABLED") == "ENABLED",
            },
            tags=tag_mapping(scheduler.list_tags_for_resource(ResourceArn=group_arn)["Tags"]),
            attributes={"arn": answer["Arn"], "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The schedule in its group."""
        aws.client("scheduler").create_schedule(**_parameters(resource))

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:  # noqa: ARG002 - the port's signature
        """Write all of it: what the call leaves out would fall back to AWS's defaults."""
        aws.client("scheduler").update_schedule(**_parameters(resource))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it; its group stays."""
        aws.client("scheduler").delete_schedule(Name=resource.name, GroupName=observed.properties["group"])


def _parameters(resource: Resource) -> dict[str, Any]:
    wanted = resource.properties
    return {
        "Name": resource.name,
        "GroupName": wanted["group"],
        "ScheduleExpression": wanted["expression"],
        "ScheduleExpressionTimezone": wanted["time_zone"],
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "State": "ENABLED" if wanted["enabled"] else "DISABLED",
        "Target": {"Arn": wanted["target_arn"], "RoleArn": wanted["role_arn"], "Input": wanted["input"]},
    }


HANDLER = ScheduleHandler()
