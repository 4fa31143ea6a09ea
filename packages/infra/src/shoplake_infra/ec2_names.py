"""EC2 gives its resources ids and no names: ours are found by their Name tag, which is written when they are made."""

from collections.abc import Mapping
from typing import Any

from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws
from shoplake_infra.resource import Resource
from shoplake_infra.tags import tag_list

__all__ = ["NAME_TAG", "named_one", "tag_again", "tag_specification"]

NAME_TAG = "Name"
_OVER = frozenset({"deleting", "deleted", "failed"})


def named_one(aws: Aws, resource: Resource, operation: str, answer_key: str) -> Mapping[str, Any] | None:
    """The one of this name that the describing operation answers, or None.

    Raises:
        ResourceError: Two have the name: which one is meant cannot be known.

    """
    pages = (
        aws.client("ec2")
        .get_paginator(operation)
        .paginate(Filters=[{"Name": f"tag:{NAME_TAG}", "Values": [resource.name]}])
    )
    found = [one for page in pages for one in page[answer_key] if str(one.get("State", "")).lower() not in _OVER]
    if len(found) > 1:
        raise ResourceError(
            f"{resource.address}: {len(found)} carry this Name tag",
            hint="delete or rename those that are not meant",
            address=resource.address,
        )
    return found[0] if found else None


def tag_specification(resource: Resource, kind: str) -> list[dict[str, Any]]:
    """Its tags as the creating call takes them, so that it never exists without."""
    return [{"ResourceType": kind, "Tags": tag_list(resource.tags)}]


def tag_again(aws: Aws, resource: Resource, resource_id: str) -> None:
    """Set our tags; others stay."""
    aws.client("ec2").create_tags(Resources=[resource_id], Tags=tag_list(resource.tags))
