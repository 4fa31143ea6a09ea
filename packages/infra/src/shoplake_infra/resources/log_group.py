"""CloudWatch log groups: made before who writes to them, so that none is kept for ever."""

from collections.abc import Mapping

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Resource

__all__ = ["HANDLER", "LogGroupHandler", "log_group"]


def log_group(name: str, *, retention_days: int, tags: Mapping[str, str]) -> Resource:
    """A log group whose events are deleted after `retention_days` (one of the numbers that AWS offers)."""
    return Resource(kind="log_group", name=name, tags=tags, properties={"retention_days": retention_days})


class LogGroupHandler(Handler):
    """All calls for log groups."""

    kind = "log_group"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The log group of exactly this name."""
        logs = aws.client("logs")
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=resource.name):
            for group in page["logGroups"]:
                if group["logGroupName"] == resource.name:
                    arn = group["arn"].removesuffix(":*")
                    return Observed(
                        properties={"retention_days": group.get("retentionInDays", 0)},  # 0: for ever
                        tags=logs.list_tags_for_resource(resourceArn=arn)["tags"],
                        attributes={"arn": arn, "name": resource.name},
                    )
        return None

    def create(self, aws: Aws, resource: Resource) -> None:
        """The log group with its tags, then its retention."""
        aws.client("logs").create_log_group(logGroupName=resource.name, tags=dict(resource.tags))
        self._write_retention(aws, resource)

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs."""
        if touches(changes, "retention_days"):
            self._write_retention(aws, resource)
        if touches(changes, "tags"):
            arn = observed.attributes["arn"]
            aws.client("logs").tag_resource(resourceArn=arn, tags=dict(resource.tags))

    def _write_retention(self, aws: Aws, resource: Resource) -> None:
        aws.client("logs").put_retention_policy(
            logGroupName=resource.name, retentionInDays=resource.properties["retention_days"]
        )

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it with its events."""
        aws.client("logs").delete_log_group(logGroupName=resource.name)


HANDLER = LogGroupHandler()
