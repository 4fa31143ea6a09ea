"""VPC connections: kept with the network interfaces that AWS would make; there is no VPC to connect to."""

import uuid
from dataclasses import dataclass
from typing import Any

from shoplake_local.quicksight.records import Records, answered, exists
from shoplake_local.service import refuse_unsupported

__all__ = ["VpcConnections"]

_KIND = "VPCConnection"
_SETTINGS = frozenset({"Name", "SubnetIds", "SecurityGroupIds", "RoleArn"})


@dataclass(frozen=True, slots=True)
class VpcConnections:
    """The operations."""

    records: Records

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateVPCConnection."""
        supported = {"AwsAccountId", "VPCConnectionId", "Tags", *_SETTINGS}
        refuse_unsupported("QuickSight's CreateVPCConnection", parameters, supported)
        identifier, now = parameters["VPCConnectionId"], self.records.clock.now()
        arn = self.records.arn(_KIND, identifier)
        connection = {"VPCConnectionId": identifier, "Arn": arn, "CreatedTime": now, **self._set(parameters)}
        with self.records.documents.transaction():
            if self.records.find(_KIND, identifier) is not None:
                raise exists(_KIND, identifier)
            self.records.keep_tags(arn, parameters.get("Tags", []))
            self._changing(identifier, connection, "CREATION")
        return self._answer(identifier, CreationStatus="CREATION_IN_PROGRESS")

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateVPCConnection."""
        supported = {"AwsAccountId", "VPCConnectionId", *_SETTINGS}
        refuse_unsupported("QuickSight's UpdateVPCConnection", parameters, supported)
        identifier = parameters["VPCConnectionId"]
        with self.records.documents.transaction():
            connection = self.records.idle(_KIND, identifier) | self._set(parameters)
            self._changing(identifier, connection, "UPDATE")
        return self._answer(identifier, UpdateStatus="UPDATE_IN_PROGRESS")

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeVPCConnection."""
        return answered(VPCConnection=self.records.get(_KIND, parameters["VPCConnectionId"]))

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteVPCConnection: gone after a while."""
        identifier = parameters["VPCConnectionId"]
        with self.records.documents.transaction():
            connection = self.records.idle(_KIND, identifier)
            self.records.changing(_KIND, identifier, connection, status="DELETION_IN_PROGRESS", then=None)
        return self._answer(identifier, DeletionStatus="DELETION_IN_PROGRESS")

    def listing(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListVPCConnections."""
        found = self.records.all(_KIND)
        page, following = self.records.listed(parameters, found, key=lambda one: one["VPCConnectionId"])
        return answered(VPCConnectionSummaries=page, **following)

    def _set(self, parameters: dict[str, Any]) -> dict[str, Any]:
        interfaces = [
            {"SubnetId": subnet, "Status": "AVAILABLE", "NetworkInterfaceId": f"eni-{uuid.uuid4().hex[:17]}"}
            for subnet in parameters["SubnetIds"]
        ]
        return {
            "Name": parameters["Name"],
            "SecurityGroupIds": parameters["SecurityGroupIds"],
            "RoleArn": parameters["RoleArn"],
            "NetworkInterfaces": interfaces,
            "LastUpdatedTime": self.records.clock.now(),
        }

    def _changing(self, identifier: str, connection: dict[str, Any], what: str) -> None:
        then = {"Status": f"{what}_SUCCESSFUL", "AvailabilityStatus": "AVAILABLE"}
        connection["AvailabilityStatus"] = "UNAVAILABLE"
        self.records.changing(_KIND, identifier, connection, status=f"{what}_IN_PROGRESS", then=then)

    def _answer(self, identifier: str, **status: str) -> dict[str, Any]:
        members = {"Arn": self.records.arn(_KIND, identifier), "VPCConnectionId": identifier}
        return answered(202, **members, **status)
