"""QuickSight data sets: a SELECT of the warehouse, in SPICE or asked live, with its look-back window.

A new or changed one of SPICE is read by QuickSight at once, and that may fail where no run has made the tables yet: a run
refreshes it, so nothing is waited for here.
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
    quicksight,
    sent_hash,
    sent_of,
    sent_tags,
    tags_of,
)
from shoplake_infra.resource import Resource

__all__ = ["HANDLER", "QuickSightDataSetHandler", "quicksight_data_set"]

_SPICE = "SPICE"


def quicksight_data_set(
    name: str,
    *,
    sent: Mapping[str, Any],
    look_back: Mapping[str, Any] | None,
    data_source: Resource,
    tags: Mapping[str, str],
) -> Resource:
    """A data set.

    Args:
        name: Its DataSetId.
        sent: The members of `create_data_set` that say what it is: Name, PhysicalTableMap, ImportMode ...
        look_back: ColumnName, Size and SizeUnit of its incremental refresh; None where each refresh is a full one.
        data_source: What it reads; `sent` names its ARN.
        tags: Ours.

    """
    return SentResource(
        kind="quicksight_data_set",
        name=name,
        tags=tags,
        depends_on=(data_source.address,),
        sent=sent,
        properties={
            "name": sent["Name"],
            "mode": sent["ImportMode"],
            "look_back": dict(look_back or {}),
            "sent": sent_hash(sent),
        },
    )


class QuickSightDataSetHandler(Handler):
    """All calls for data sets."""

    kind = "quicksight_data_set"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The data set; what it selects by the hash in its tag."""
        client, names = quicksight(aws), _names(aws, resource)
        answer = or_none(client.describe_data_set, ABSENT, **names)
        if answer is None:
            return None
        found = answer["DataSet"]
        tags = tags_of(aws, found["Arn"])
        look_back: Mapping[str, Any] = {}
        if found["ImportMode"] == _SPICE:
            properties = or_none(client.describe_data_set_refresh_properties, ABSENT, **names)
            refreshed = properties["DataSetRefreshProperties"] if properties else {}
            incremental = refreshed.get("RefreshConfiguration", {}).get("IncrementalRefresh", {})
            look_back = incremental.get("LookbackWindow", {})
        return Observed(
            properties={
                "name": found["Name"],
                "mode": found["ImportMode"],
                "look_back": dict(look_back),
                "sent": tags.get(SENT, ""),
            },
            tags=tags,
            attributes={"arn": found["Arn"], "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The data set with its tags, then its window."""
        quicksight(aws).create_data_set(**_names(aws, resource), **sent_of(resource), Tags=sent_tags(resource))
        if resource.properties["look_back"]:
            _put_window(aws, resource)

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Send all of it again where it differs; the hash comes last."""
        if touches(changes, "name", "mode", "sent"):
            quicksight(aws).update_data_set(**_names(aws, resource), **sent_of(resource))
        if touches(changes, "look_back"):
            _put_window(aws, resource)
        if touches(changes, "name", "mode", "sent", "tags"):
            add_tags(aws, observed.attributes["arn"], sent_tags(resource))

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it with its rows in SPICE."""
        del observed
        quicksight(aws).delete_data_set(**_names(aws, resource))


def _put_window(aws: Aws, resource: Resource) -> None:
    window = resource.properties["look_back"]
    if window:
        properties = {"RefreshConfiguration": {"IncrementalRefresh": {"LookbackWindow": dict(window)}}}
        quicksight(aws).put_data_set_refresh_properties(**_names(aws, resource), DataSetRefreshProperties=properties)
    elif resource.properties["mode"] == _SPICE:  # a live one has none, and QuickSight refuses the question
        or_none(quicksight(aws).delete_data_set_refresh_properties, ABSENT, **_names(aws, resource))


def _names(aws: Aws, resource: Resource) -> dict[str, str]:
    return {"AwsAccountId": aws.account, "DataSetId": resource.name}


HANDLER = QuickSightDataSetHandler()
