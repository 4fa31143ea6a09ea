"""Glue's network connections: stored and shown. On a laptop every job is in the one network there is."""

from dataclasses import dataclass
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.glue.requests import already_exists, entity_not_found, invalid_input
from shoplake_local.jobs.documents import Documents
from shoplake_local.jobs.operations import Operation, TagOperations
from shoplake_local.service import UnsupportedOperationError, refuse_unsupported

__all__ = ["ConnectionOperations"]

_KIND = "Connection"
_SUPPORTED = frozenset(
    {"Name", "Description", "ConnectionType", "MatchCriteria", "ConnectionProperties", "PhysicalConnectionRequirements"}
)


@dataclass(frozen=True, slots=True)
class ConnectionOperations:
    """Connections of type NETWORK."""

    documents: Documents
    tags: TagOperations
    account: str
    clock: Clock

    def operations(self) -> dict[str, Operation]:
        """By their names on AWS."""
        return {
            "CreateConnection": self._create,
            "GetConnection": self._get,
            "UpdateConnection": self._update,
            "DeleteConnection": self._delete,
        }

    def _create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        self._check("CreateConnection", parameters, {"ConnectionInput", "Tags"})
        definition, now = _checked(parameters["ConnectionInput"]), self.clock.now()
        name = definition["Name"]
        with self.documents.transaction():
            if self.documents.get(_KIND, name) is not None:
                raise already_exists(f"Connection {name} already exists.")
            stamps = {"CreationTime": now, "LastUpdatedTime": now, "Status": "READY"}
            self.documents.put(_KIND, name, definition | stamps)
            self.tags.put(self.tags.arn("connection", name), parameters.get("Tags", {}))
        return {"CreateConnectionStatus": "READY"}

    def _get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        self._check("GetConnection", parameters, {"Name", "HidePassword"})
        return {"Connection": self._connection(parameters["Name"])}

    def _update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        self._check("UpdateConnection", parameters, {"Name", "ConnectionInput"})
        name, definition = parameters["Name"], _checked(parameters["ConnectionInput"])
        if definition["Name"] != name:
            raise invalid_input("A connection cannot be renamed.")
        with self.documents.transaction():
            earlier = self._connection(name)
            stamps = {"CreationTime": earlier["CreationTime"], "LastUpdatedTime": self.clock.now(), "Status": "READY"}
            self.documents.put(_KIND, name, definition | stamps)
        return {}

    def _delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        self._check("DeleteConnection", parameters, {"ConnectionName"})
        name = parameters["ConnectionName"]
        with self.documents.transaction():
            self._connection(name)
            self.documents.delete(_KIND, name)
            self.tags.forget(self.tags.arn("connection", name))
        return {}

    def _connection(self, name: str) -> dict[str, Any]:
        connection = self.documents.get(_KIND, name)
        if connection is None:
            raise entity_not_found(f"Connection {name} not found.")
        return connection

    def _check(self, operation: str, parameters: dict[str, Any], supported: set[str]) -> None:
        refuse_unsupported(f"Glue's {operation}", parameters, {"CatalogId", *supported})
        if parameters.get("CatalogId", self.account) != self.account:
            raise entity_not_found(f"Catalog {parameters['CatalogId']} not found: the local one is {self.account}.")


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    if given["ConnectionType"] != "NETWORK":
        raise UnsupportedOperationError(f'Glue connections of type "{given["ConnectionType"]}"')
    for name in given:
        if name not in _SUPPORTED:
            raise UnsupportedOperationError(f'"ConnectionInput.{name}" of a Glue connection')
    place = given.get("PhysicalConnectionRequirements", {})
    if not place.get("SubnetId") or not place.get("SecurityGroupIdList"):
        raise invalid_input("A NETWORK connection needs SubnetId and SecurityGroupIdList.")
    return given
