"""QuickSight themes: the colours of every dashboard."""

from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.quicksight_calls import (
    SENT,
    SentResource,
    add_tags,
    described,
    failure,
    quicksight,
    sent_hash,
    sent_of,
    sent_tags,
    state_of,
    tags_of,
    wait_at_rest,
)
from shoplake_infra.resource import Resource
from shoplake_infra.resting import AVAILABLE

__all__ = ["HANDLER", "QuickSightThemeHandler", "quicksight_theme"]


def quicksight_theme(
    name: str,
    *,
    configuration: Mapping[str, Any],
    base: str,
    tags: Mapping[str, str],
    depends_on: tuple[str, ...] = (),
) -> Resource:
    """A theme of that ThemeConfiguration over one of QuickSight's own, such as "CLASSIC"."""
    sent = {"Name": name, "BaseThemeId": base, "Configuration": configuration}
    properties = {"sent": sent_hash(sent), "state": AVAILABLE}
    return SentResource(
        kind="quicksight_theme", name=name, tags=tags, properties=properties, depends_on=depends_on, sent=sent
    )


class QuickSightThemeHandler(Handler):
    """All calls for themes."""

    kind = "quicksight_theme"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The theme, by the hash in its tag."""
        found = _described(aws, resource)
        if found is None:
            return None
        tags = tags_of(aws, found["Arn"])
        return Observed(
            properties={"sent": tags.get(SENT, ""), "state": state_of(found["Version"]["Status"])},
            tags=tags,
            attributes={"arn": found["Arn"], "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The theme with its tags."""
        quicksight(aws).create_theme(**_names(aws, resource), **sent_of(resource), Tags=sent_tags(resource))

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """A new version; the hash comes last."""
        if touches(changes, "sent", "state"):
            wait_at_rest(self, aws, resource, lambda: _status(aws, resource))
            quicksight(aws).update_theme(**_names(aws, resource), **sent_of(resource))
        add_tags(aws, observed.attributes["arn"], sent_tags(resource))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it."""
        del observed
        quicksight(aws).delete_theme(**_names(aws, resource))

    def settled(self, aws: Aws, resource: Resource) -> bool:
        """Whether its newest version is there.

        Raises:
            ResourceError: It could not be made.

        """
        found = _described(aws, resource)
        state = state_of(found["Version"]["Status"]) if found else ""
        if found is not None and state.endswith("_failed"):
            reasons = [f"{one['Type']}: {one.get('Message', '')}" for one in found["Version"].get("Errors", [])]
            raise failure(resource, state, reasons, hint="mend the theme and apply again")
        return state == AVAILABLE


def _described(aws: Aws, resource: Resource) -> Mapping[str, Any] | None:
    return described(quicksight(aws).describe_theme, "Theme", **_names(aws, resource))


def _status(aws: Aws, resource: Resource) -> str | None:
    found = _described(aws, resource)
    return str(found["Version"]["Status"]) if found else None


def _names(aws: Aws, resource: Resource) -> dict[str, str]:
    return {"AwsAccountId": aws.account, "ThemeId": resource.name}


HANDLER = QuickSightThemeHandler()
