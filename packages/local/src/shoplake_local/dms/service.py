"""DMS of the local AWS: one account's replication, with a replicator of our own as the engine of each task."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.dms.connections import ConnectionOperations
from shoplake_local.dms.endpoint_access_aws import EndpointAccess
from shoplake_local.dms.endpoints import EndpointOperations
from shoplake_local.dms.instances import InstanceOperations
from shoplake_local.dms.registry import Registry
from shoplake_local.dms.tags import TagOperations
from shoplake_local.dms.task_runs import TaskRuns
from shoplake_local.dms.tasks import TaskOperations
from shoplake_local.jobs.documents import Documents
from shoplake_local.jobs.operations import Operation
from shoplake_local.service import UnsupportedOperationError

__all__ = ["DmsService"]

_TRANSITION = timedelta(seconds=0.5)


class DmsService:
    """Replication of one account and region.

    Args:
        folder: Everything lies below it.
        access: How endpoints are reached.
        account: The account.
        clock: Time.

    """

    service_name = "dms"

    def __init__(self, folder: Path, access: EndpointAccess, *, account: str, clock: Clock) -> None:
        self._documents = Documents(folder / "dms.sqlite", self.service_name)
        region = access.front.region
        registry = Registry(self._documents, account=account, region=region, clock=clock, transition=_TRANSITION)
        tags = TagOperations(registry)
        self._connections = ConnectionOperations(registry, access)
        self._runs = TaskRuns(registry, access, folder)
        instances = InstanceOperations(registry, tags, access.subnets, lambda role: access.trusts_dms(role, account))
        endpoints = EndpointOperations(registry, tags, access.check_role, self._connections.test_again)
        tasks = TaskOperations(registry, tags, self._connections, self._runs)
        self._operations: Mapping[str, Operation] = {
            **tags.operations(),
            **instances.operations(),
            **endpoints.operations(),
            **self._connections.operations(),
            **tasks.operations(),
        }

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer of one operation; see `Service`."""
        handler = self._operations.get(operation)
        if handler is None:
            raise UnsupportedOperationError(f"operation {operation} of dms")
        return handler(parameters)

    def close(self) -> None:
        """Stop following the tasks, whose replicators go on, and close the file."""
        self._runs.close()
        self._connections.close()
        self._documents.close()
