"""What tells that changes do not arrive: DMS's own metrics of the task. Pure.

Source: https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Monitoring.html, "Replication task metrics". DMS names a task
there by the last part of its ARN.
"""

from collections.abc import Mapping

from shoplake_core.names import ResourceNames

from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resources.alarm import Metric, alarm

__all__ = ["replication_alarms"]

_PERIOD_SECONDS, _PERIODS = 300, 3


def replication_alarms(
    names: ResourceNames,
    *,
    task: Resource,
    instance: Resource,
    topic: Resource,
    late_seconds: int,
    scheduled: bool,
    tags: Mapping[str, str],
) -> tuple[Resource, ...]:
    """Changes are late, and, where runs are scheduled, the task stands still.

    A task that does not run measures nothing, so that its silence is the sign. Where no schedule keeps it running, it may
    stand still with good reason, and nobody is told.
    """
    dimensions: dict[str, str | Ref] = {
        "ReplicationInstanceIdentifier": instance.name,
        "ReplicationTaskIdentifier": Ref(task, "arn", after=":"),
    }

    def one(word: str, metric: str, description: str, missing_data: str) -> Resource:
        return alarm(
            f"{names.prefix}-replication-{word}",
            description=description,
            metric=Metric(
                namespace="AWS/DMS",
                name=metric,
                dimensions=dimensions,
                statistic="Minimum",
                period_seconds=_PERIOD_SECONDS,
                periods=_PERIODS,
            ),
            topic=topic,
            tags=tags,
            threshold=float(late_seconds),
            missing_data=missing_data,
        )

    late = one(
        "late",
        "CDCLatencyTarget",
        f"Changes of the source are in bronze {late_seconds} seconds late or later",
        "notBreaching",
    )
    still = one("still", "CDCLatencySource", "Replication of the source stands still, or reads it late", "breaching")
    return (late, still) if scheduled else (late,)
