"""CloudWatch alarms on one metric each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.tags import tag_list, tag_mapping

__all__ = ["HANDLER", "AlarmHandler", "Comparison", "Metric", "alarm"]

# property -> parameter of PutMetricAlarm, which DescribeAlarms answers by the same name
_PARAMETERS = {
    "description": "AlarmDescription",
    "namespace": "Namespace",
    "metric": "MetricName",
    "statistic": "Statistic",
    "period_seconds": "Period",
    "periods": "EvaluationPeriods",
    "threshold": "Threshold",
    "comparison": "ComparisonOperator",
    "missing_data": "TreatMissingData",
    "actions": "AlarmActions",
}


class Comparison(StrEnum):
    """On which side of its threshold a metric breaches."""

    REACHED = "GreaterThanOrEqualToThreshold"
    BELOW = "LessThanThreshold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What an alarm looks at: a metric's statistic over so many periods, each of them a breach.

    Seven days at most in all where a period is an hour or longer, else one.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str | Ref]
    statistic: str = "Sum"
    period_seconds: int = 300
    periods: int = 1


def alarm(  # noqa: PLR0913 - one alarm's settings
    name: str,
    *,
    description: str,
    metric: Metric,
    topic: Resource,
    tags: Mapping[str, str],
    threshold: float = 1.0,
    comparison: Comparison = Comparison.REACHED,
    missing_data: str = "notBreaching",
) -> Resource:
    """Tell `topic` when the metric is on that side of the threshold."""
    return Resource(
        kind="alarm",
        name=name,
        tags=tags,
        properties={
            "description": description,
            "namespace": metric.namespace,
            "metric": metric.name,
            "dimensions": dict(metric.dimensions),
            "statistic": metric.statistic,
            "period_seconds": metric.period_seconds,
            "periods": metric.periods,
            "threshold": threshold,
            "comparison": comparison.value,
            "missing_data": missing_data,
            "actions": [Ref(topic, "arn")],
        },
    )


class AlarmHandler(Handler):
    """All calls for metric alarms."""

    kind = "alarm"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The alarm of exactly this name."""
        cloudwatch = aws.client("cloudwatch")
        found = cloudwatch.describe_alarms(AlarmNames=[resource.name], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
        if not found:
            return None
        answer = found[0]
        properties = {name: answer[parameter] for name, parameter in _PARAMETERS.items() if parameter in answer}
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in answer.get("Dimensions", [])}
        return Observed(
            properties={**properties, "dimensions": dimensions},
            tags=tag_mapping(cloudwatch.list_tags_for_resource(ResourceARN=answer["AlarmArn"])["Tags"]),
            attributes={"arn": answer["AlarmArn"], "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The alarm with its tags."""
        aws.client("cloudwatch").put_metric_alarm(**_parameters(resource), Tags=tag_list(resource.tags))

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Write all of it: one call sets everything but the tags, which it then ignores."""
        cloudwatch = aws.client("cloudwatch")
        if touches(changes, *resource.properties):
            cloudwatch.put_metric_alarm(**_parameters(resource))
        if touches(changes, "tags"):
            cloudwatch.tag_resource(ResourceARN=observed.attributes["arn"], Tags=tag_list(resource.tags))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it."""
        aws.client("cloudwatch").delete_alarms(AlarmNames=[resource.name])


def _parameters(resource: Resource) -> dict[str, object]:
    wanted = resource.properties
    dimensions = [{"Name": name, "Value": value} for name, value in sorted(wanted["dimensions"].items())]
    parameters = {parameter: wanted[name] for name, parameter in _PARAMETERS.items()}
    return {"AlarmName": resource.name, "Dimensions": dimensions, **parameters}


HANDLER = AlarmHandler()
