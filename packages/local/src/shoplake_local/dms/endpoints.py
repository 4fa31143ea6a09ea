"""Endpoints: stored, checked, changed where no task uses them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_local.dms.endpoint_access_aws import NotReachedError
from shoplake_local.dms.endpoint_settings import DISPLAY_NAMES, SETTINGS_MEMBERS, checked_endpoint
from shoplake_local.dms.faults import access_denied, invalid_state
from shoplake_local.dms.pages import filtered, page
from shoplake_local.dms.registry import Kind, Registry, shown
from shoplake_local.dms.tags import TagOperations
from shoplake_local.jobs.operations import Operation
from shoplake_local.service import refuse_unsupported

__all__ = ["EndpointOperations"]

_KIND = Kind.ENDPOINT
_MEMBERS = frozenset({"EndpointIdentifier", "EndpointType", "EngineName", "SslMode", *SETTINGS_MEMBERS})
_LOGIN_IN_CLEAR = frozenset({"Username", "Password", "ServerName", "Port", "DatabaseName"})
_ACTIVE = frozenset({"starting", "running", "stopping"})


@dataclass(frozen=True, slots=True)
class EndpointOperations:
    """Sources and targets.

    Attributes:
        registry: The resources.
        tags: Their tags.
        check_role: Passes where DMS may take an endpoint's role, else raises NotReachedError.
        test_again: Told of an endpoint that was changed: DMS tests its connections by itself.

    """

    registry: Registry
    tags: TagOperations
    check_role: Callable[[Mapping[str, Any]], None]
    test_again: Callable[[str], None]

    def operations(self) -> dict[str, Operation]:
        """By their names on AWS."""
        return {
            "CreateEndpoint": self._create,
            "ModifyEndpoint": self._modify,
            "DeleteEndpoint": self._delete,
            "DescribeEndpoints": self._describe,
        }

    def _create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        supported = _MEMBERS | _LOGIN_IN_CLEAR | {"KmsKeyId", "ResourceIdentifier", "Tags"}
        refuse_unsupported("DMS's CreateEndpoint", parameters, supported)
        self._check(parameters)
        with self.registry.transaction():
            self.registry.checked_identifier(_KIND, parameters["EndpointIdentifier"])
            endpoint = {"SslMode": "none"} | {name: value for name, value in parameters.items() if name in _MEMBERS}
            endpoint |= {
                "EndpointArn": self.registry.new_arn(_KIND, parameters.get("ResourceIdentifier", "")),
                "EngineDisplayName": DISPLAY_NAMES[parameters["EngineName"]],
                "Status": "active",
            }
            if "KmsKeyId" in parameters:
                endpoint["KmsKeyId"] = parameters["KmsKeyId"]
            self.registry.put(_KIND, endpoint)
            self.tags.put(endpoint["EndpointArn"], parameters.get("Tags", ()))
        return {"Endpoint": shown(endpoint)}

    def _modify(self, parameters: dict[str, Any]) -> dict[str, Any]:
        supported = _MEMBERS | _LOGIN_IN_CLEAR | {"EndpointArn", "ExactSettings"}
        refuse_unsupported("DMS's ModifyEndpoint", parameters, supported)
        arn = parameters["EndpointArn"]
        with self.registry.transaction():
            endpoint = self.registry.get(_KIND, arn)
            self._refuse_where_used(arn, _ACTIVE)
            changes = {name: value for name, value in parameters.items() if name in _MEMBERS | _LOGIN_IN_CLEAR}
            if not parameters.get("ExactSettings"):  # then settings that are not named keep their values
                for name in SETTINGS_MEMBERS:
                    if name in changes:
                        changes[name] = endpoint.get(name, {}) | changes[name]
            changed = endpoint | changes
            self._check(changed)
            if changed["EndpointIdentifier"].lower() != endpoint["EndpointIdentifier"].lower():
                self.registry.checked_identifier(_KIND, changed["EndpointIdentifier"])
            changed["EngineDisplayName"] = DISPLAY_NAMES[changed["EngineName"]]
            self.registry.put(_KIND, changed)
        self.test_again(arn)
        return {"Endpoint": shown(changed)}

    def _delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        arn = parameters["EndpointArn"]
        with self.registry.transaction():
            endpoint = self.registry.get(_KIND, arn)
            self._refuse_where_used(arn, None)
            for connection in self.registry.documents.all("Connection"):
                if connection["EndpointArn"] == arn:
                    self.registry.documents.delete("Connection", f"{connection['ReplicationInstanceArn']} {arn}")
            return {"Endpoint": shown(self.registry.put_deleting(_KIND, endpoint))}

    def _describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        endpoints = [shown(endpoint) for endpoint in self.registry.all(_KIND)]
        names = {
            "endpoint-arn": "EndpointArn",
            "endpoint-type": "EndpointType",
            "endpoint-id": "EndpointIdentifier",
            "engine-name": "EngineName",
        }
        return page(filtered(endpoints, parameters, names, what="Endpoints"), parameters, "Endpoints")

    def _check(self, endpoint: Mapping[str, Any]) -> None:
        checked_endpoint(endpoint, account=self.registry.account)
        try:
            self.check_role(endpoint)
        except NotReachedError as error:
            raise access_denied(f"The IAM Role is not configured properly: {error}") from error

    def _refuse_where_used(self, arn: str, states: frozenset[str] | None) -> None:
        for task in self.registry.all(Kind.TASK):
            used = arn in {task["SourceEndpointArn"], task["TargetEndpointArn"]}
            if used and (states is None or task["Status"] in states):
                active = "active " if states else ""
                raise invalid_state(f"Endpoint {arn} is part of one or more {active}ReplicationTasks.")
