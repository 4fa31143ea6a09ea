"""TestConnection: a real login or a real object, in a thread; what it found is kept."""

import threading
from collections.abc import Mapping
from typing import Any

from shoplake_local.dms.endpoint_access_aws import EndpointAccess, NotReachedError
from shoplake_local.dms.faults import invalid_state, not_found
from shoplake_local.dms.pages import filtered, page
from shoplake_local.dms.registry import Kind, Registry
from shoplake_local.jobs.operations import Operation

__all__ = ["ConnectionOperations"]

_KIND = "Connection"
_LOST = "the local AWS was stopped while the connection was tested; test it again"


class ConnectionOperations:
    """Connections of instances to endpoints, as far as they were tested.

    Args:
        registry: The resources.
        access: How endpoints are reached.

    """

    def __init__(self, registry: Registry, access: EndpointAccess) -> None:
        self._registry = registry
        self._documents = registry.documents
        self._access = access
        self._tests: list[threading.Thread] = []
        for connection in self._documents.all(_KIND):
            if connection["Status"] == "testing":
                self._ended(connection, _LOST)

    def operations(self) -> dict[str, Operation]:
        """By their names on AWS."""
        return {
            "TestConnection": self._test,
            "DescribeConnections": self._describe,
            "DeleteConnection": self._delete,
        }

    def is_successful(self, instance_arn: str, endpoint_arn: str) -> bool:
        """Whether the last test of that connection succeeded."""
        connection = self._documents.get(_KIND, f"{instance_arn} {endpoint_arn}")
        return connection is not None and connection["Status"] == "successful"

    def test_again(self, endpoint_arn: str) -> None:
        """Test every connection of an endpoint that was changed."""
        for connection in self._documents.all(_KIND):
            if connection["EndpointArn"] == endpoint_arn and connection["Status"] != "testing":
                self._begin(connection)

    def close(self) -> None:
        """Wait for the tests under way: each gives up after some seconds."""
        for thread in list(self._tests):
            thread.join()

    def _test(self, parameters: dict[str, Any]) -> dict[str, Any]:
        instance_arn, endpoint_arn = parameters["ReplicationInstanceArn"], parameters["EndpointArn"]
        with self._registry.transaction():
            instance = self._registry.get(Kind.INSTANCE, instance_arn)
            endpoint = self._registry.get(Kind.ENDPOINT, endpoint_arn)
            if instance["ReplicationInstanceStatus"] != "available":
                state = instance["ReplicationInstanceStatus"]
                raise invalid_state(f"Replication Instance {instance_arn} is {state}, it must be available.")
            earlier = self._documents.get(_KIND, f"{instance_arn} {endpoint_arn}")
            if endpoint["Status"] != "active" or (earlier is not None and earlier["Status"] == "testing"):
                state = endpoint["Status"] if endpoint["Status"] != "active" else "being tested already"
                raise invalid_state(f"Endpoint {endpoint_arn} is {state}.")
            connection = {
                "ReplicationInstanceArn": instance_arn,
                "ReplicationInstanceIdentifier": instance["ReplicationInstanceIdentifier"],
                "EndpointArn": endpoint_arn,
                "EndpointIdentifier": endpoint["EndpointIdentifier"],
            }
            return {"Connection": self._begin(connection)}

    def _begin(self, connection: Mapping[str, Any]) -> dict[str, Any]:
        testing = {name: value for name, value in connection.items() if name != "LastFailureMessage"}
        testing["Status"] = "testing"
        self._put(testing)
        thread = threading.Thread(target=self._run, args=(testing,), name="connection test", daemon=True)
        self._tests = [other for other in self._tests if other.is_alive()] + [thread]
        thread.start()
        return testing

    def _run(self, connection: dict[str, Any]) -> None:
        try:
            endpoint = self._registry.find(Kind.ENDPOINT, connection["EndpointArn"])
            if endpoint is not None:
                self._access.test(endpoint)
        except NotReachedError as error:
            self._ended(connection, f"Test Endpoint failed: Application-Detailed-Message: {error}")
        except BaseException as error:
            self._ended(connection, f"the local AWS failed: {type(error).__name__}: {error}")
            raise
        else:
            self._ended(connection, "")

    def _ended(self, connection: Mapping[str, Any], failure: str) -> None:
        with self._registry.transaction():
            if self._documents.get(_KIND, _key(connection)) is None:  # deleted meanwhile
                return
            state = {"Status": "failed", "LastFailureMessage": failure} if failure else {"Status": "successful"}
            self._put({**connection, **state})

    def _describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        names = {"endpoint-arn": "EndpointArn", "replication-instance-arn": "ReplicationInstanceArn"}
        found = filtered(self._documents.all(_KIND), parameters, names, what="Connections")
        return page(found, parameters, "Connections")

    def _delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self._registry.transaction():
            connection = self._documents.get(_KIND, _key(parameters))
            if connection is None:
                raise not_found("There is no such connection.")
            arn = parameters["EndpointArn"]
            users = [
                task
                for task in self._registry.all(Kind.TASK)
                if task["ReplicationInstanceArn"] == parameters["ReplicationInstanceArn"]
                and arn in {task["SourceEndpointArn"], task["TargetEndpointArn"]}
            ]
            if connection["Status"] == "testing" or users:
                why = "it is used by a ReplicationTask" if users else "it is being tested"
                raise invalid_state(f"The connection to {arn} cannot be deleted: {why}.")
            self._documents.delete(_KIND, _key(parameters))
        return {"Connection": connection | {"Status": "deleting"}}

    def _put(self, connection: Mapping[str, Any]) -> None:
        self._documents.put(_KIND, _key(connection), connection)


def _key(connection: Mapping[str, Any]) -> str:
    return f"{connection['ReplicationInstanceArn']} {connection['EndpointArn']}"
