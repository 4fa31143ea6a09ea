"""QuickSight dashboards: a definition is sent, waited for and published; its errors are told.

An update makes a version that nobody sees until it is published. Which version is ours, and the hash of what it was made
from, stand in tags; a version that somebody else published is replaced by ours again. Whom else the dashboard is shared
with is left alone.
"""

from collections.abc import Mapping
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.quicksight_calls import (
    ABSENT,
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
    wait_gone,
)
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resting import AVAILABLE

__all__ = ["HANDLER", "READER_ACTIONS", "QuickSightDashboardHandler", "quicksight_dashboard"]

READER_ACTIONS = ("quicksight:DescribeDashboard", "quicksight:ListDashboardVersions", "quicksight:QueryDashboard")
"""Source: https://docs.aws.amazon.com/quicksight/latest/developerguide/update-dashboard-permissions.html"""
_SENT_VERSION = "SentVersion"
_OURS = "as sent"
_LATEST = "$LATEST"
_FAILED = "creation_failed"


def quicksight_dashboard(
    name: str,
    *,
    sent: Mapping[str, Any],
    readers: tuple[Resource, ...],
    data_sets: tuple[Resource, ...],
    theme: Resource,
    tags: Mapping[str, str],
) -> Resource:
    """A dashboard.

    Args:
        name: Its DashboardId.
        sent: The members of `create_dashboard` that say what it is: Name, Definition, ThemeArn ...
        readers: The groups that may see it.
        data_sets: What it shows; `sent` names their ARNs.
        theme: What it looks like; `sent` names its ARN.
        tags: Ours.

    """
    return SentResource(
        kind="quicksight_dashboard",
        name=name,
        tags=tags,
        depends_on=(theme.address, *(one.address for one in data_sets)),
        sent=sent,
        properties={
            "name": sent["Name"],
            "sent": sent_hash(sent),
            "published": _OURS,
            "readers": {one.name: Ref(one, "arn") for one in readers},
            "reader_actions": {one.name: list(READER_ACTIONS) for one in readers},
            "state": AVAILABLE,
        },
    )


class QuickSightDashboardHandler(Handler):
    """All calls for dashboards."""

    kind = "quicksight_dashboard"
    timeout_seconds = 600.0

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The dashboard as its readers see it: its published version."""
        found, wanted = _described(aws, resource), resource.properties
        if found is None:
            return None
        answer = or_none(quicksight(aws).describe_dashboard_permissions, ABSENT, **_names(aws, resource)) or {}
        granted = {one["Principal"]: one["Actions"] for one in answer.get("Permissions", [])}
        tags = tags_of(aws, found["Arn"])
        shown = str(found["Version"]["VersionNumber"])
        return Observed(
            properties={
                "name": found["Name"],
                "sent": tags.get(SENT, ""),
                "published": _OURS if tags.get(_SENT_VERSION) == shown else f"version {shown}, of somebody else",
                "readers": wanted["readers"],
                "reader_actions": {
                    name: sorted(set(granted[arn])) for name, arn in wanted["readers"].items() if arn in granted
                },
                "state": state_of(found["Version"]["Status"]),
            },
            tags=tags,
            attributes={"arn": found["Arn"], "name": resource.name, "sent_version": tags.get(_SENT_VERSION, "")},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The dashboard with its tags; AWS publishes its first version by itself."""
        quicksight(aws).create_dashboard(
            **_names(aws, resource),
            **sent_of(resource),
            Permissions=_permissions(resource),
            Tags=sent_tags(resource, **{_SENT_VERSION: "1"}),
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Publish what was sent, or send it; one whose first version could not be made is made anew.

        Raises:
            ResourceError: The new version has errors; readers go on seeing the old one.

        """
        client, names = quicksight(aws), _names(aws, resource)
        if observed.properties["state"] == _FAILED:
            self.delete(aws, resource, observed)
            wait_gone(self, aws, resource)
            self.create(aws, resource)
            return
        wait_at_rest(self, aws, resource, lambda: _latest_status(aws, resource))
        ours = observed.attributes["sent_version"]
        if touches(changes, "name", "sent") or (touches(changes, "published") and not ours):
            ours = self._sent(aws, resource)
        if touches(changes, "name", "sent", "published"):
            client.update_dashboard_published_version(**names, VersionNumber=int(ours))
        if touches(changes, "name", "sent", "published", "tags"):
            tags = sent_tags(resource, **{_SENT_VERSION: ours})
            add_tags(aws, observed.attributes["arn"], tags)
        if touches(changes, "reader_actions"):
            client.update_dashboard_permissions(**names, GrantPermissions=_permissions(resource))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it with every version."""
        del observed
        quicksight(aws).delete_dashboard(**_names(aws, resource))

    def settled(self, aws: Aws, resource: Resource) -> bool:
        """Whether what readers see is there.

        Raises:
            ResourceError: It has errors, which are listed.

        """
        found = _described(aws, resource)
        if found is None:
            return False
        _refuse_failed(resource, found["Version"], hint="mend the dashboard and apply again")
        return state_of(found["Version"]["Status"]) == AVAILABLE

    def _sent(self, aws: Aws, resource: Resource) -> str:
        """The number of a new version, which is there and without error."""
        answer = quicksight(aws).update_dashboard(**_names(aws, resource), **sent_of(resource))
        number = str(answer["VersionArn"]).rpartition("/")[2]
        wait_at_rest(self, aws, resource, lambda: _latest_status(aws, resource))
        version = (_described(aws, resource, VersionNumber=int(number)) or {}).get("Version", {"Status": _FAILED})
        hint = "mend the dashboard and apply again; its readers still see the version before"
        _refuse_failed(resource, version, hint=hint)
        return number


def _refuse_failed(resource: Resource, version: Mapping[str, Any], *, hint: str) -> None:
    state = state_of(version["Status"])
    if state.endswith("_failed"):
        errors = [f"{one.get('Type', 'UNKNOWN')}: {one.get('Message', '')}" for one in version.get("Errors", [])]
        raise failure(resource, state, errors, hint=hint)


def _described(aws: Aws, resource: Resource, **which: Any) -> Mapping[str, Any] | None:
    return described(quicksight(aws).describe_dashboard, "Dashboard", **_names(aws, resource), **which)


def _latest_status(aws: Aws, resource: Resource) -> str | None:
    found = _described(aws, resource, AliasName=_LATEST)
    return str(found["Version"]["Status"]) if found else None


def _permissions(resource: Resource) -> list[dict[str, Any]]:
    wanted = resource.properties
    return [{"Principal": arn, "Actions": wanted["reader_actions"][name]} for name, arn in wanted["readers"].items()]


def _names(aws: Aws, resource: Resource) -> dict[str, str]:
    return {"AwsAccountId": aws.account, "DashboardId": resource.name}


HANDLER = QuickSightDashboardHandler()
