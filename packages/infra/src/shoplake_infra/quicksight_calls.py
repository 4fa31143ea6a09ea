"""What the kinds of QuickSight share: ARNs, tags, states, and the hash of what was sent.

What QuickSight answers is reordered and reformatted, so a document is compared by the hash of what was sent, kept in a
tag, and never by what comes back: https://github.com/hashicorp/terraform-provider-aws/issues/36733
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shoplake_core.errors import ConfigError, ResourceError

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.handler import Handler
from shoplake_infra.resource import Resource
from shoplake_infra.resting import AVAILABLE, DELETING
from shoplake_infra.tags import tag_list, tag_mapping
from shoplake_infra.waiting import wait_until

__all__ = [
    "ABSENT",
    "SENT",
    "SentResource",
    "add_tags",
    "described",
    "failure",
    "quicksight",
    "quicksight_arn",
    "sent_hash",
    "sent_of",
    "sent_tags",
    "state_of",
    "tags_of",
    "wait_at_rest",
    "wait_gone",
]

ABSENT = frozenset({"ResourceNotFoundException", "UnsupportedUserEditionException"})
"""There is none, or the account has no QuickSight at all."""
SENT = "Sent"
_SUCCESSFUL, _FAILED, _IN_PROGRESS = "_successful", "_failed", "_in_progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentResource(Resource):
    """A resource that is one large document: what is sent, and its hash among the properties; the plan shows the hash."""

    sent: Mapping[str, Any] = field(compare=False, repr=False)


def sent_hash(sent: Mapping[str, Any]) -> str:
    """SHA-256 of what is sent, in hex."""
    text = json.dumps(sent, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def sent_of(resource: Resource) -> Mapping[str, Any]:
    """The document of a resource that was made with one.

    Raises:
        ConfigError: It was not.

    """
    if not isinstance(resource, SentResource):
        raise ConfigError(f"{resource.address} has no document", hint=f"make it with {resource.kind}")
    return resource.sent


def sent_tags(resource: Resource, **more: str) -> list[dict[str, str]]:
    """Our tags and the hash of what is sent with them."""
    return tag_list({**resource.tags, SENT: resource.properties["sent"], **more})


def quicksight(aws: Aws) -> Any:
    """The client."""
    return aws.client("quicksight")


def described(call: Callable[..., Any], what: str, **names: Any) -> Mapping[str, Any] | None:
    """What a call describes under the answer's key `what`; None where there is none, or it was deleted."""
    answer = or_none(call, ABSENT, **names)
    found: Mapping[str, Any] | None = answer[what] if answer else None
    return None if found is None or found.get("Version", found)["Status"] == "DELETED" else found


def quicksight_arn(region: str, account: str, resource: str) -> str:
    """ARN of "dashboard/<id>", "dataset/<id>", "datasource/<id>", "theme/<id>" and the like: known before it is made."""
    return f"arn:aws:quicksight:{region}:{account}:{resource}"


def state_of(status: str) -> str:
    """The state as `resting` names it; what failed or is under way in QuickSight's own words."""
    word = status.lower()
    if word.endswith(_SUCCESSFUL):
        return AVAILABLE
    return DELETING if word.startswith("deletion") and not word.endswith(_FAILED) else word


def wait_at_rest(handler: Handler, aws: Aws, resource: Resource, status: Callable[[], str | None]) -> None:
    """Wait until what is under way has ended, well or not; `status` asks for QuickSight's word, None where it is gone.

    Raises:
        ResourceError: It took longer than the kind's timeout.

    """
    wait_until(
        lambda: not (status() or "").lower().endswith(_IN_PROGRESS),
        clock=aws.clock,
        timeout_seconds=handler.timeout_seconds,
        address=resource.address,
        what="come to rest",
    )


def wait_gone(handler: Handler, aws: Aws, resource: Resource) -> None:
    """Wait until it is not there any more.

    Raises:
        ResourceError: It took longer than the kind's timeout.

    """
    wait_until(
        lambda: handler.observe(aws, resource) is None,
        clock=aws.clock,
        timeout_seconds=handler.timeout_seconds,
        address=resource.address,
        what="be gone",
    )


def failure(resource: Resource, state: str, reasons: Iterable[str], *, hint: str) -> ResourceError:
    """The error of something that QuickSight took and then could not make."""
    lines = "".join(f"\n  - {reason}" for reason in reasons) or " no reason given"
    return ResourceError(f"{resource.address}: {state.replace('_', ' ')}:{lines}", hint=hint, address=resource.address)


def tags_of(aws: Aws, arn: str) -> dict[str, str]:
    """All tags of the ARN; none where it went meanwhile."""
    answer = or_none(quicksight(aws).list_tags_for_resource, ABSENT, ResourceArn=arn)
    return tag_mapping(answer["Tags"]) if answer else {}


def add_tags(aws: Aws, arn: str, tags: list[dict[str, str]]) -> None:
    """Set these tags; others stay."""
    quicksight(aws).tag_resource(ResourceArn=arn, Tags=tags)
