"""What the kinds of Redshift Serverless share: tags by ARN, and states in lower case."""

from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.resource import Resource
from shoplake_infra.tags import tag_list, tag_mapping

__all__ = ["ABSENT", "add_tags", "serverless", "state_of", "tags_of"]

ABSENT = frozenset({"ResourceNotFoundException"})


def serverless(aws: Aws) -> Any:
    """The client."""
    return aws.client("redshift-serverless")


def state_of(found: Mapping[str, Any]) -> str:
    """The state as `resting` names it."""
    return str(found["status"]).lower()


def tags_of(aws: Aws, arn: str) -> dict[str, str]:
    """All tags of the ARN; none where it went meanwhile."""
    answer = or_none(serverless(aws).list_tags_for_resource, ABSENT, resourceArn=arn)
    return tag_mapping(answer.get("tags", []), key="key", value="value") if answer else {}


def add_tags(aws: Aws, resource: Resource, arn: str) -> None:
    """Set our tags; others stay."""
    serverless(aws).tag_resource(resourceArn=arn, tags=tag_list(resource.tags, key="key", value="value"))
