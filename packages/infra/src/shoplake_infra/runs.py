"""What runs the pipeline in an environment: state machine, schedule, and the alarms that tell of runs that do not end well."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shoplake_core.names import ResourceNames

from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resources.alarm import Metric, alarm
from shoplake_infra.resources.schedule import Target, schedule
from shoplake_infra.resources.schedule_group import schedule_group
from shoplake_infra.resources.state_machine import state_machine

__all__ = ["RunParts", "RunSettings", "desired_runs"]

_INPUT = '{"scheduled_at": "<aws.scheduler.scheduled-time>"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What a user decides about runs.

    Attributes:
        definition: The state machine as Amazon States Language, its tokens bound.
        expression: When a run starts: cron(...) or rate(...).
        time_zone: IANA zone of the expression.
        scheduled: Whether the schedule starts runs; off until the first run by hand went well.

    """

    definition: Mapping[str, Any] = field(repr=False)
    expression: str = "cron(0 3 * * ? *)"
    time_zone: str = "UTC"
    scheduled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """The resources that a state machine and its schedule need."""

    machine_role: Resource
    scheduler_role: Resource
    log_group: Resource
    topic: Resource


def desired_runs(
    names: ResourceNames, settings: RunSettings, *, parts: RunParts, tags: Mapping[str, str]
) -> tuple[Resource, ...]:
    """State machine, schedule with its group, and alarms."""
    machine = state_machine(
        names.prefix, definition=settings.definition, role=parts.machine_role, log_group=parts.log_group, tags=tags
    )
    group = schedule_group(names.schedule, tags=tags)
    nightly = schedule(
        names.schedule,
        group=group,
        expression=settings.expression,
        time_zone=settings.time_zone,
        target=Target(arn=Ref(machine, "arn"), role=parts.scheduler_role, input=_INPUT),
        enabled=settings.scheduled,
        tags=tags,
    )
    alarms = (
        alarm(
            f"{names.prefix}-runs-{word}",
            description=description,
            metric=Metric(namespace="AWS/States", name=metric, dimensions={"StateMachineArn": Ref(machine, "arn")}),
            topic=parts.topic,
            tags=tags,
        )
        # a run that fails in a state tells so itself; these are told by nobody else
        for word, metric, description in (
            ("timed-out", "ExecutionsTimedOut", "A run of Shoplake took too long and was ended"),
            ("aborted", "ExecutionsAborted", "A run of Shoplake was stopped by hand"),
        )
    )
    return (machine, group, nightly, *alarms)
