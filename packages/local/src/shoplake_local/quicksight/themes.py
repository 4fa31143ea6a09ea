"""Themes: each update is a version, and the newest one counts."""

from dataclasses import dataclass
from typing import Any

from shoplake_local.quicksight.permissions import Permissions
from shoplake_local.quicksight.records import Records, answered, conflict, exists
from shoplake_local.service import refuse_unsupported

__all__ = ["Themes"]

_KIND, _VERSION = "Theme", "ThemeVersion"


@dataclass(frozen=True, slots=True)
class Themes:
    """The operations."""

    records: Records
    permissions: Permissions

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateTheme."""
        identifier, now = parameters["ThemeId"], self.records.clock.now()
        arn = self.records.arn(_KIND, identifier)
        theme = {"Arn": arn, "Name": parameters["Name"], "ThemeId": identifier, "Type": "CUSTOM"}
        with self.records.documents.transaction():
            if self.records.find(_KIND, identifier) is not None:
                raise exists(_KIND, identifier)
            self.records.documents.put(_KIND, identifier, theme | {"CreatedTime": now, "LastUpdatedTime": now})
            self.records.keep_tags(arn, parameters.get("Tags", []))
            self.permissions.grant(arn, parameters.get("Permissions", []))
            return self._new_version(parameters, 1)

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateTheme: a new version; what is not given stays as it was."""
        identifier = parameters["ThemeId"]
        with self.records.documents.transaction():
            theme = self.records.get(_KIND, identifier)
            before = self._latest(identifier)
            if before["Status"].endswith("_IN_PROGRESS"):
                raise conflict(f"Theme {identifier} is {before['Status']}: wait until it is done")
            theme |= {"LastUpdatedTime": self.records.clock.now(), "Name": parameters.get("Name", theme["Name"])}
            self.records.documents.put(_KIND, identifier, theme)
            kept = {"Configuration": before["Configuration"]} | parameters
            return self._new_version(kept, before["VersionNumber"] + 1)

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeTheme: its newest version."""
        refuse_unsupported("QuickSight's DescribeTheme", parameters, {"AwsAccountId", "ThemeId"})
        identifier = parameters["ThemeId"]
        return answered(Theme=self.records.get(_KIND, identifier) | {"Version": self._latest(identifier)})

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteTheme: with every version."""
        refuse_unsupported("QuickSight's DeleteTheme", parameters, {"AwsAccountId", "ThemeId"})
        identifier = parameters["ThemeId"]
        with self.records.documents.transaction():
            theme = self.records.get(_KIND, identifier)
            for one in self.records.all(_VERSION, under=f"{identifier}/"):
                self.records.forget(_VERSION, _key(identifier, one["VersionNumber"]))
            self.records.forget(_KIND, identifier)
        return answered(Arn=theme["Arn"], ThemeId=identifier)

    def _latest(self, identifier: str) -> dict[str, Any]:
        return self.records.all(_VERSION, under=f"{identifier}/")[-1]

    def _new_version(self, parameters: dict[str, Any], number: int) -> dict[str, Any]:
        identifier = parameters["ThemeId"]
        arn = self.records.arn(_KIND, identifier)
        version = {
            "VersionNumber": number,
            "Arn": f"{arn}/version/{number}",
            "BaseThemeId": parameters["BaseThemeId"],
            "CreatedTime": self.records.clock.now(),
            "Configuration": parameters["Configuration"],
        } | ({"Description": parameters["VersionDescription"]} if "VersionDescription" in parameters else {})
        key, then = _key(identifier, number), {"Status": "CREATION_SUCCESSFUL"}
        self.records.changing(_VERSION, key, version, status="CREATION_IN_PROGRESS", then=then)
        names = {"Arn": arn, "VersionArn": version["Arn"], "ThemeId": identifier}
        return answered(202, **names, CreationStatus="CREATION_IN_PROGRESS")


def _key(identifier: str, number: int) -> str:
    return f"{identifier}/{number:06d}"
