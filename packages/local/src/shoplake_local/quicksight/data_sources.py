"""Data sources: Redshift by host and port, with the login that lies in a secret, tried before they count as made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_local.quicksight.permissions import Permissions
from shoplake_local.quicksight.records import Records, answered, exists, invalid
from shoplake_local.quicksight.warehouse_aws import SourceError
from shoplake_local.service import UnsupportedOperationError, refuse_unsupported

__all__ = ["DataSources"]

_KIND = "DataSource"
_SETTINGS = frozenset({"Name", "DataSourceParameters", "Credentials", "VpcConnectionProperties", "SslProperties"})


@dataclass(frozen=True, slots=True)
class DataSources:
    """The operations.

    Attributes:
        records: Where data sources are kept.
        permissions: Those of data sources.
        check: Connects to a data source; SourceError where that fails.

    """

    records: Records
    permissions: Permissions
    check: Callable[[Mapping[str, Any]], None]

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateDataSource."""
        supported = {"AwsAccountId", "DataSourceId", "Type", "Permissions", "Tags", *_SETTINGS}
        refuse_unsupported("QuickSight's CreateDataSource", parameters, supported)
        if parameters["Type"] != "REDSHIFT":
            raise UnsupportedOperationError(f"data source of type {parameters['Type']} in QuickSight")
        identifier, now = parameters["DataSourceId"], self.records.clock.now()
        arn = self.records.arn(_KIND, identifier)
        source = {"Arn": arn, "DataSourceId": identifier, "Type": parameters["Type"], "CreatedTime": now}
        source |= self._set(parameters)
        then = self._tried(source, "CREATION")
        with self.records.documents.transaction():
            if self.records.find(_KIND, identifier) is not None:
                raise exists(_KIND, identifier)
            self.records.keep_tags(arn, parameters.get("Tags", []))
            self.permissions.grant(arn, parameters.get("Permissions", []))
            self.records.changing(_KIND, identifier, source, status="CREATION_IN_PROGRESS", then=then)
        return answered(202, Arn=arn, DataSourceId=identifier, CreationStatus="CREATION_IN_PROGRESS")

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateDataSource: without credentials it is refused, as AWS does for Redshift."""
        supported = {"AwsAccountId", "DataSourceId", *_SETTINGS}
        refuse_unsupported("QuickSight's UpdateDataSource", parameters, supported)
        identifier = parameters["DataSourceId"]
        source = self.records.idle(_KIND, identifier) | self._set(parameters)
        source = {name: value for name, value in source.items() if name != "ErrorInfo"}
        then = self._tried(source, "UPDATE")
        with self.records.documents.transaction():
            self.records.idle(_KIND, identifier)
            self.records.changing(_KIND, identifier, source, status="UPDATE_IN_PROGRESS", then=then)
        return answered(202, Arn=source["Arn"], DataSourceId=identifier, UpdateStatus="UPDATE_IN_PROGRESS")

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeDataSource."""
        return answered(DataSource=self.records.get(_KIND, parameters["DataSourceId"]))

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteDataSource: at once; its data sets are broken then."""
        identifier = parameters["DataSourceId"]
        with self.records.documents.transaction():
            source = self.records.get(_KIND, identifier)
            self.records.forget(_KIND, identifier)
        return answered(Arn=source["Arn"], DataSourceId=identifier)

    def listing(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListDataSources."""
        found = self.records.all(_KIND)
        page, following = self.records.listed(parameters, found, key=lambda one: one["DataSourceId"])
        return answered(DataSources=page, **following)

    def _set(self, parameters: dict[str, Any]) -> dict[str, Any]:
        given = parameters.get("DataSourceParameters", {})
        redshift = given.get("RedshiftParameters")
        if redshift is None or set(given) != {"RedshiftParameters"}:
            raise invalid("DataSourceParameters must have RedshiftParameters and nothing else.")
        others = sorted(set(redshift) - {"Host", "Port", "Database"})
        if others:
            raise UnsupportedOperationError(f'parameter "RedshiftParameters.{others[0]}" of a data source')
        if "Host" not in redshift or "Port" not in redshift:
            raise invalid("RedshiftParameters needs Host and Port where there is no ClusterId.")
        credentials = parameters.get("Credentials")
        if not credentials:
            raise invalid("The DataSourceCredentials field is incorrectly set.")
        if set(credentials) != {"SecretArn"}:
            raise UnsupportedOperationError(f'parameter "Credentials.{min(credentials)}" of a data source')
        connection = parameters.get("VpcConnectionProperties")
        if connection is not None:
            self._check_connection(connection["VpcConnectionArn"])
        return {
            "Name": parameters["Name"],
            "DataSourceParameters": given,
            "SecretArn": credentials["SecretArn"],
            "SslProperties": parameters.get("SslProperties", {"DisableSsl": False}),
            "LastUpdatedTime": self.records.clock.now(),
        } | ({"VpcConnectionProperties": connection} if connection else {})

    def _check_connection(self, arn: str) -> None:
        start = self.records.arn("VPCConnection", "")
        found = self.records.find("VPCConnection", arn.removeprefix(start)) if arn.startswith(start) else None
        if found is None or found["AvailabilityStatus"] != "AVAILABLE":
            raise invalid(f"The VPC connection {arn} is not there or not available.")

    def _tried(self, source: dict[str, Any], what: str) -> dict[str, Any]:
        try:
            self.check(source)
        except SourceError as error:
            kind = {"DATA_SOURCE_AUTH_FAILED": "ACCESS_DENIED", "UNRESOLVABLE_HOST": "UNKNOWN_HOST"}
            info = {"Type": kind.get(error.kind, "GENERIC_SQL_FAILURE"), "Message": str(error)}
            return {"Status": f"{what}_FAILED", "ErrorInfo": info}
        return {"Status": f"{what}_SUCCESSFUL"}
