"""What runs the pipeline in an environment: state machine, schedule, and the alarms that tell of runs that do not end well."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.names import FunctionName, JobName, ResourceNames
from shoplake_orchestration.binding import bind, tokens_in
from shoplake_orchestration.run_machine import run_definition

from shoplake_infra.dashboards import SpiceRefresh
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resources.alarm import Comparison, Metric, alarm
from shoplake_infra.resources.schedule import Target, schedule
from shoplake_infra.resources.schedule_group import schedule_group
from shoplake_infra.resources.state_machine import state_machine

__all__ = ["RunParts", "RunSettings", "bound_definition", "desired_runs"]

_INPUT = '{"scheduled_at": "<aws.scheduler.scheduled-time>"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What a user decides about runs.

    Attributes:
        expression: When a run starts: cron(...) or rate(...).
        time_zone: IANA zone of the expression.
        scheduled: Whether the schedule starts runs; off until the first run by hand went well.
        stale_after_hours: Without a run that succeeded for so long, the numbers are stale, which is told where runs are
            scheduled; at most 168, the longest that an alarm looks back.
        poll_seconds: How long a run waits before it asks again how something is.
        most_polls: How often it asks before it gives up.
        load_poll_seconds: The same for the warehouse's statements, which last seconds.
        job_timeout_seconds: After how long a run ends a job.

    """

    expression: str = "cron(0 3 * * ? *)"
    time_zone: str = "UTC"
    scheduled: bool = False
    stale_after_hours: int = 26
    poll_seconds: int = 15
    most_polls: int = 240
    load_poll_seconds: int = 2
    job_timeout_seconds: int = 7200


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """The resources that a state machine and its schedule need.

    Attributes:
        machine_role: What the machine acts as.
        scheduler_role: What starts it acts as.
        log_group: Where its events go.
        topic: Who is told.
        project_url: `s3://` URL of the project's bundle.
        refreshes: What a run refreshes at its end.
        called: Addresses of what its states call; a machine that is there can run.

    """

    machine_role: Resource
    scheduler_role: Resource
    log_group: Resource
    topic: Resource
    project_url: str
    refreshes: tuple[SpiceRefresh, ...] = ()
    called: tuple[str, ...] = ()


def bound_definition(
    names: ResourceNames, settings: RunSettings, *, project_url: str, refreshes: tuple[SpiceRefresh, ...] = ()
) -> Mapping[str, Any]:
    """The run's machine as Amazon States Language, with the names of this environment in it.

    Args:
        names: The environment's resources.
        settings: How the pipeline is run.
        project_url: `s3://` URL of the project's bundle.
        refreshes: What a run refreshes at its end; none where dashboards are not enabled.

    Raises:
        ConfigError: The machine has a token that no value is known for.

    """
    values = {
        "AlertsTopicArn": names.alerts_topic_arn,
        "ArtifactsBucket": names.artifacts_bucket,
        "Environment": names.environment,
        "Account": names.account,
        "Region": names.region,
        "ProjectUrl": project_url,
        "MaskingSecret": names.masking_secret,
        "ReplicationTask": names.replication_task,
        "Crawler": names.crawler,
        "Workgroup": names.workgroup,
        "WarehouseDatabase": names.warehouse_database,
        "PollSeconds": str(settings.poll_seconds),
        "MostPolls": str(settings.most_polls),
        "LoadPollSeconds": str(settings.load_poll_seconds),
        "JobTimeoutSeconds": str(settings.job_timeout_seconds),
        "SpiceDataSets": ", ".join(json.dumps(one.as_json()) for one in refreshes),
        **{f"{_words(function)}Function": names.function(function) for function in FunctionName},
        **{f"{_words(job)}Job": names.job(job) for job in JobName},
    }
    text = run_definition()
    wanted = tokens_in(text)
    definition: Mapping[str, Any] = json.loads(bind(text, {n: v for n, v in values.items() if n in wanted}))
    return definition


def _words(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def desired_runs(
    names: ResourceNames, settings: RunSettings, *, parts: RunParts, tags: Mapping[str, str]
) -> tuple[Resource, ...]:
    """State machine, schedule with its group, and alarms."""
    definition = bound_definition(names, settings, project_url=parts.project_url, refreshes=parts.refreshes)
    machine = state_machine(
        names.prefix,
        definition=definition,
        role=parts.machine_role,
        log_group=parts.log_group,
        tags=tags,
        depends_on=parts.called,
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
    return (machine, group, nightly, *_alarms(names, settings, machine=machine, topic=parts.topic, tags=tags))


def _alarms(
    names: ResourceNames, settings: RunSettings, *, machine: Resource, topic: Resource, tags: Mapping[str, str]
) -> list[Resource]:
    """Metrics of AWS/States. A run that fails in a state tells so itself, where it still can; the others cannot."""
    dimensions = {"StateMachineArn": Ref(machine, "arn")}
    ended_badly = (
        ("failed", "ExecutionsFailed", "A run of Shoplake failed"),
        ("timed-out", "ExecutionsTimedOut", "A run of Shoplake took too long and was ended"),
        ("aborted", "ExecutionsAborted", "A run of Shoplake was stopped by hand"),
    )
    alarms = [
        alarm(
            f"{names.prefix}-runs-{word}",
            description=description,
            metric=Metric(namespace="AWS/States", name=metric, dimensions=dimensions),
            topic=topic,
            tags=tags,
        )
        for word, metric, description in ended_badly
    ]
    if settings.scheduled:
        alarms.append(
            alarm(
                f"{names.prefix}-stale",
                description=f"No run of Shoplake succeeded for {settings.stale_after_hours} hours",
                metric=Metric(
                    namespace="AWS/States",
                    name="ExecutionsSucceeded",
                    dimensions=dimensions,
                    period_seconds=3600,
                    periods=settings.stale_after_hours,
                ),
                topic=topic,
                tags=tags,
                comparison=Comparison.BELOW,
                missing_data="breaching",  # an hour without a run has no data
            )
        )
    return alarms
