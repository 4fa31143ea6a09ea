"""Limits of what a Redshift Serverless workgroup may use in a day: what a runaway query may cost at most."""

from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.redshift_calls import ABSENT, serverless
from shoplake_infra.resource import Ref, Resource, Unknown

__all__ = ["HANDLER", "RedshiftUsageLimitHandler", "redshift_usage_limit"]

_COMPUTE = "serverless-compute"


def redshift_usage_limit(name: str, *, workgroup: Resource, daily_rpu_hours: int, tags: Mapping[str, str]) -> Resource:
    """No query is answered beyond that many RPU-hours of one day (UTC)."""
    properties = {
        "workgroup_arn": Ref(workgroup, "arn"),
        "period": "daily",
        "rpu_hours": daily_rpu_hours,
        "beyond": "deactivate",
    }
    return Resource(kind="redshift_usage_limit", name=name, tags=tags, properties=properties)


class RedshiftUsageLimitHandler(Handler):
    """All calls for usage limits."""

    kind = "redshift_usage_limit"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The workgroup's limit of that period. It has neither name nor tags: it is ours as its workgroup is."""
        found = _described(aws, resource)
        if found is None:
            return None
        return Observed(
            properties={
                "workgroup_arn": found["resourceArn"],
                "period": found["period"],
                "rpu_hours": found["amount"],
                "beyond": found["breachAction"],
            },
            tags=resource.tags,
            attributes={"arn": found["usageLimitArn"], "id": found["usageLimitId"]},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The limit."""
        wanted = resource.properties
        serverless(aws).create_usage_limit(
            resourceArn=wanted["workgroup_arn"],
            usageType=_COMPUTE,
            period=wanted["period"],
            amount=wanted["rpu_hours"],
            breachAction=wanted["beyond"],
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs."""
        del changes
        serverless(aws).update_usage_limit(
            usageLimitId=observed.attributes["id"],
            amount=resource.properties["rpu_hours"],
            breachAction=resource.properties["beyond"],
        )

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it."""
        serverless(aws).delete_usage_limit(usageLimitId=observed.attributes["id"])


def _described(aws: Aws, resource: Resource) -> Mapping[str, Any] | None:
    arn = resource.properties["workgroup_arn"]
    if isinstance(arn, Unknown):
        return None
    answer = or_none(serverless(aws).list_usage_limits, ABSENT, resourceArn=arn, usageType=_COMPUTE)
    found: list[Mapping[str, Any]] = answer.get("usageLimits", []) if answer else []
    return next((limit for limit in found if limit["period"] == resource.properties["period"]), None)


HANDLER = RedshiftUsageLimitHandler()
