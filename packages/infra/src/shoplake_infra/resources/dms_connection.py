"""Connections between a replication instance and an endpoint, tested: DMS starts no task over one that was not."""

from collections.abc import Mapping
from typing import Any

from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws
from shoplake_infra.described import described
from shoplake_infra.diff import Change
from shoplake_infra.dms_calls import ABSENT
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource, Unknown

__all__ = ["HANDLER", "DmsConnectionHandler", "dms_connection"]

_SUCCESSFUL, _TESTING, _FAILED = "successful", "testing", "failed"


def dms_connection(
    name: str, *, instance: Resource, endpoint: Resource, tags: Mapping[str, str], depends_on: tuple[str, ...] = ()
) -> Resource:
    """The instance reaches the endpoint and is let in."""
    properties = {"instance": Ref(instance, "arn"), "endpoint": Ref(endpoint, "arn"), "test": _SUCCESSFUL}
    return Resource(kind="dms_connection", name=name, tags=tags, properties=properties, depends_on=depends_on)


class DmsConnectionHandler(Handler):
    """All calls for connections."""

    kind = "dms_connection"
    timeout_seconds = 600.0

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The connection. It has neither name nor tags: it is ours as its two ends are."""
        found = _described(aws, resource)
        if found is None:
            return None
        wanted = resource.properties
        return Observed(
            properties={"instance": wanted["instance"], "endpoint": wanted["endpoint"], "test": found["Status"]},
            tags=resource.tags,
            attributes={"name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """Test it; that makes it."""
        aws.client("dms").test_connection(
            ReplicationInstanceArn=resource.properties["instance"], EndpointArn=resource.properties["endpoint"]
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Test it again, unless it is being tested."""
        del changes
        if observed.properties["test"] != _TESTING:
            self.create(aws, resource)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it."""
        aws.client("dms").delete_connection(
            ReplicationInstanceArn=resource.properties["instance"], EndpointArn=resource.properties["endpoint"]
        )

    def settled(self, aws: Aws, resource: Resource) -> bool:
        """Whether the test went well.

        Raises:
            ResourceError: It failed.

        """
        found = _described(aws, resource)
        if found is not None and found["Status"] == _FAILED:
            raise ResourceError(
                f"{resource.address} failed: {found.get('LastFailureMessage', 'no reason given')}",
                hint="check the secret's host and login, security groups and rights, then apply again",
                address=resource.address,
            )
        return found is not None and found["Status"] == _SUCCESSFUL


def _described(aws: Aws, resource: Resource) -> Mapping[str, Any] | None:
    ends = {"replication-instance-arn": "instance", "endpoint-arn": "endpoint"}
    arns = {name: resource.properties[end] for name, end in ends.items()}
    if any(isinstance(arn, Unknown) for arn in arns.values()):
        return None
    filters = [{"Name": name, "Values": [arn]} for name, arn in arns.items()]
    return described(aws.client("dms").describe_connections, "Connections", ABSENT, Filters=filters)


HANDLER = DmsConnectionHandler()
