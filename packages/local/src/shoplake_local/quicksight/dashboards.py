"""Dashboards: versions of a definition, one of them published. Nothing is drawn; columns are held against the data sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_local.quicksight.dashboard_faults import dashboard_faults
from shoplake_local.quicksight.data_sets import columns_of
from shoplake_local.quicksight.permissions import Permissions
from shoplake_local.quicksight.records import Records, answered, conflict, exists, invalid, not_found
from shoplake_local.service import ServiceError, refuse_unsupported

__all__ = ["Dashboards"]

_KIND, _VERSION, _DEFINITION = "Dashboard", "DashboardVersion", "DashboardVersionDefinition"
_PUBLISHED, _LATEST = "$PUBLISHED", "$LATEST"
_MOST_VERSIONS = 1000
_SENT = frozenset(
    {"Name", "Definition", "ThemeArn", "VersionDescription", "DashboardPublishOptions", "ValidationStrategy"}
)


@dataclass(frozen=True, slots=True)
class Dashboards:
    """The operations."""

    records: Records
    permissions: Permissions

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateDashboard: its first version is the published one."""
        supported = {"AwsAccountId", "DashboardId", "Permissions", "Tags", *_SENT}
        refuse_unsupported("QuickSight's CreateDashboard", parameters, supported)
        identifier, now = parameters["DashboardId"], self.records.clock.now()
        arn = self.records.arn(_KIND, identifier)
        dashboard = {"DashboardId": identifier, "Arn": arn, "Name": parameters["Name"], "CreatedTime": now}
        dashboard |= {"LastPublishedTime": now, "LastUpdatedTime": now}
        with self.records.documents.transaction():
            if self.records.find(_KIND, identifier) is not None:
                raise exists(_KIND, identifier)
            self.records.keep_tags(arn, parameters.get("Tags", []))
            self.permissions.grant(arn, parameters.get("Permissions", []))
            self.records.documents.put(_KIND, identifier, dashboard)
            self.records.documents.put("published", identifier, {"number": 1})
            version = self._new_version(parameters, 1)
        names = {"Arn": arn, "VersionArn": version["Arn"], "DashboardId": identifier}
        return answered(202, **names, CreationStatus="CREATION_IN_PROGRESS")

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateDashboard: a new version, which nobody sees until it is published."""
        supported = {"AwsAccountId", "DashboardId", *_SENT}
        refuse_unsupported("QuickSight's UpdateDashboard", parameters, supported)
        identifier = parameters["DashboardId"]
        with self.records.documents.transaction():
            dashboard = self.records.get(_KIND, identifier)
            latest = self._version(identifier, _LATEST)
            if latest["Status"].endswith("_IN_PROGRESS"):
                raise conflict(f"Dashboard {identifier} is {latest['Status']}: wait until it is done")
            number = latest["VersionNumber"] + 1
            if number > _MOST_VERSIONS:
                raise ServiceError("LimitExceededException", f"At most {_MOST_VERSIONS} versions of a dashboard", 409)
            changed = {"Name": parameters["Name"], "LastUpdatedTime": self.records.clock.now()}
            self.records.documents.put(_KIND, identifier, dashboard | changed)
            version = self._new_version(parameters, number)
        names = {"Arn": dashboard["Arn"], "VersionArn": version["Arn"], "DashboardId": identifier}
        return answered(202, **names, CreationStatus="CREATION_IN_PROGRESS")

    def publish(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateDashboardPublishedVersion."""
        identifier, number = parameters["DashboardId"], parameters["VersionNumber"]
        with self.records.documents.transaction():
            dashboard = self.records.get(_KIND, identifier)
            version = self._version(identifier, number)
            if version["Status"].endswith("_IN_PROGRESS"):
                raise conflict(f"Version {number} is {version['Status']}: wait until it is done")
            if version["Status"] != "CREATION_SUCCESSFUL":
                raise invalid(f"Version {number} is {version['Status']} and cannot be published.")
            self.records.documents.put("published", identifier, {"number": number})
            self.records.documents.put(_KIND, identifier, dashboard | {"LastPublishedTime": self.records.clock.now()})
        return answered(DashboardId=identifier, DashboardArn=dashboard["Arn"])

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeDashboard: its published version, unless another one is asked for."""
        identifier = parameters["DashboardId"]
        dashboard = self.records.get(_KIND, identifier)
        return answered(Dashboard=dashboard | {"Version": self._version(identifier, _wanted(parameters))})

    def definition(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeDashboardDefinition."""
        identifier = parameters["DashboardId"]
        dashboard, version = self.records.get(_KIND, identifier), self._version(identifier, _wanted(parameters))
        definition = self.records.documents.get(_DEFINITION, _key(identifier, version["VersionNumber"]))
        members = {
            "DashboardId": identifier,
            "Name": dashboard["Name"],
            "ResourceStatus": version["Status"],
            "Definition": definition,
        }
        return answered(**members, **{name: version[name] for name in ("ThemeArn", "Errors") if name in version})

    def versions(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListDashboardVersions."""
        identifier = parameters["DashboardId"]
        self.records.get(_KIND, identifier)
        names = ("Arn", "CreatedTime", "VersionNumber", "Status", "Description")
        found = [{name: one[name] for name in names if name in one} for one in self._versions(identifier)]
        page, following = self.records.listed(parameters, found, key=lambda one: f"{one['VersionNumber']:06d}")
        return answered(DashboardVersionSummaryList=page, **following)

    def listing(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListDashboards."""
        names = ("Arn", "DashboardId", "Name", "CreatedTime", "LastUpdatedTime", "LastPublishedTime")
        found = [{name: one[name] for name in names} for one in self.records.all(_KIND)]
        page, following = self.records.listed(parameters, found, key=lambda one: one["DashboardId"])
        return answered(DashboardSummaryList=page, **following)

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteDashboard: with every version."""
        refuse_unsupported("QuickSight's DeleteDashboard", parameters, {"AwsAccountId", "DashboardId"})
        identifier = parameters["DashboardId"]
        with self.records.documents.transaction():
            dashboard = self.records.get(_KIND, identifier)
            for one in self._versions(identifier):
                self.records.forget(_VERSION, _key(identifier, one["VersionNumber"]))
                self.records.documents.delete(_DEFINITION, _key(identifier, one["VersionNumber"]))
            self.records.documents.delete("published", identifier)
            self.records.forget(_KIND, identifier)
        return answered(Arn=dashboard["Arn"], DashboardId=identifier)

    def _versions(self, identifier: str) -> list[dict[str, Any]]:
        return self.records.all(_VERSION, under=f"{identifier}/")

    def _version(self, identifier: str, wanted: str | int) -> dict[str, Any]:
        if wanted == _LATEST:
            return self._versions(identifier)[-1]
        published = (self.records.documents.get("published", identifier) or {})["number"]
        number = published if wanted == _PUBLISHED else int(wanted)
        found = self.records.find(_VERSION, _key(identifier, number))
        if found is None:
            raise not_found("DashboardVersion", f"{identifier}/{number}")
        return found

    def _new_version(self, parameters: dict[str, Any], number: int) -> dict[str, Any]:
        identifier = parameters["DashboardId"]
        definition = parameters.get("Definition")
        if definition is None:
            raise invalid("A dashboard needs a Definition.")
        theme = parameters.get("ThemeArn")
        if theme is not None:
            self._check_theme(theme)
        version: dict[str, Any] = {
            "CreatedTime": self.records.clock.now(),
            "VersionNumber": number,
            "Arn": f"{self.records.arn(_KIND, identifier)}/version/{number}",
            "DataSetArns": [one["DataSetArn"] for one in definition["DataSetIdentifierDeclarations"]],
            "Sheets": [
                {name: one[name] for name in ("SheetId", "Name") if name in one} for one in definition.get("Sheets", [])
            ],
        }
        version |= {"ThemeArn": theme} if theme else {}
        version |= {"Description": parameters["VersionDescription"]} if "VersionDescription" in parameters else {}
        errors = dashboard_faults(definition, self._columns(version["DataSetArns"]))
        then = {"Status": "CREATION_FAILED", "Errors": errors} if errors else {"Status": "CREATION_SUCCESSFUL"}
        key = _key(identifier, number)
        self.records.documents.put(_DEFINITION, key, definition)
        self.records.changing(_VERSION, key, version, status="CREATION_IN_PROGRESS", then=then)
        return version

    def _columns(self, arns: list[str]) -> dict[str, dict[str, str]]:
        found = {arn: self.records.find("DataSet", arn.rpartition("/")[2]) for arn in arns}
        return {arn: columns_of(one) for arn, one in found.items() if one is not None and one["Arn"] == arn}

    def _check_theme(self, arn: str) -> None:
        start = self.records.arn("Theme", "")
        ours = arn.startswith(start) and self.records.find("Theme", arn.removeprefix(start)) is not None
        if not ours and not arn.startswith("arn:aws:quicksight::aws:theme/"):
            raise not_found("Theme", arn)


def _wanted(parameters: Mapping[str, Any]) -> str | int:
    return parameters.get("VersionNumber") or str(parameters.get("AliasName", _PUBLISHED))


def _key(identifier: str, number: int) -> str:
    return f"{identifier}/{number:06d}"
