"""Who may do what with a resource inside QuickSight: kept and checked. Nobody logs in here, so nothing asks them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_local.quicksight.records import Records, answered, invalid

__all__ = ["Permissions"]

_MOST_PRINCIPALS = 64


def _actions(*names: str) -> frozenset[str]:
    return frozenset(f"quicksight:{name}" for name in " ".join(names).split())


# kind -> everything that an owner may be granted (the developer guide's pages "Update...Permissions")
_GRANTABLE: Mapping[str, frozenset[str]] = {
    "DataSource": _actions(
        "DescribeDataSource DescribeDataSourcePermissions PassDataSource UpdateDataSource DeleteDataSource",
        "UpdateDataSourcePermissions",
    ),
    "DataSet": _actions(
        "DescribeDataSet DescribeDataSetPermissions PassDataSet DescribeIngestion ListIngestions UpdateDataSet",
        "DeleteDataSet CreateIngestion CancelIngestion UpdateDataSetPermissions DescribeDataSetRefreshProperties",
        "PutDataSetRefreshProperties DeleteDataSetRefreshProperties CreateRefreshSchedule UpdateRefreshSchedule",
        "DescribeRefreshSchedule ListRefreshSchedules DeleteRefreshSchedule",
    ),
    "Theme": _actions(
        "DescribeTheme DescribeThemeAlias ListThemeAliases ListThemeVersions UpdateTheme DeleteTheme CreateThemeAlias",
        "UpdateThemeAlias DeleteThemeAlias DescribeThemePermissions UpdateThemePermissions",
    ),
    "Dashboard": _actions(
        "DescribeDashboard ListDashboardVersions QueryDashboard UpdateDashboard DeleteDashboard",
        "UpdateDashboardPermissions DescribeDashboardPermissions UpdateDashboardPublishedVersion",
    ),
}


@dataclass(frozen=True, slots=True)
class Permissions:
    """Permissions of one kind of resource, whose ids come as `<kind>Id`."""

    records: Records
    kind: str

    def grant(self, arn: str, permissions: list[dict[str, Any]]) -> None:
        """Add the actions to what the principals have.

        Raises:
            ServiceError: InvalidParameterValueException: an unknown principal or action.

        """
        kept = self._kept(arn)
        for one in permissions:
            principal = self._principal(one["Principal"])
            wrong = sorted(set(one["Actions"]) - _GRANTABLE[self.kind])
            if wrong:
                raise invalid(f"{wrong[0]} is no action that can be granted on a {self.kind}.")
            kept[principal] = sorted({*kept.get(principal, []), *one["Actions"]})
        if len(kept) > _MOST_PRINCIPALS:
            raise invalid(f"A {self.kind} is granted to at most {_MOST_PRINCIPALS} principals.")
        self.records.documents.put("permissions", arn, kept)

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Update...Permissions: what is revoked goes first."""
        arn = self._arn(parameters)
        with self.records.documents.transaction():
            kept = self._kept(arn)
            for one in parameters.get("RevokePermissions", []):
                left = sorted(set(kept.pop(one["Principal"], [])) - set(one["Actions"]))
                kept |= {one["Principal"]: left} if left else {}
            self.records.documents.put("permissions", arn, kept)
            self.grant(arn, parameters.get("GrantPermissions", []))
        shown = self._shown(arn) if self.kind in {"Theme", "Dashboard"} else {}
        return answered(**self._names(parameters, arn), **shown)

    def describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Describe...Permissions."""
        arn = self._arn(parameters)
        return answered(**self._names(parameters, arn), **self._shown(arn))

    def _kept(self, arn: str) -> dict[str, list[str]]:
        return self.records.documents.get("permissions", arn) or {}

    def _shown(self, arn: str) -> dict[str, Any]:
        permissions = [{"Principal": who, "Actions": what} for who, what in sorted(self._kept(arn).items())]
        return {"Permissions": permissions} if permissions else {}  # the model knows no empty list of them

    def _arn(self, parameters: Mapping[str, Any]) -> str:
        identifier = parameters[f"{self.kind}Id"]
        self.records.get(self.kind, identifier)
        return self.records.arn(self.kind, identifier)

    def _names(self, parameters: Mapping[str, Any], arn: str) -> dict[str, Any]:
        return {f"{self.kind}Id": parameters[f"{self.kind}Id"], f"{self.kind}Arn": arn}

    def _principal(self, arn: str) -> str:
        start = f"arn:aws:quicksight:{self.records.region}:{self.records.account}:group/"
        if not arn.startswith(start) or self.records.find("Group", arn.removeprefix(start)) is None:
            raise invalid(f"The principal {arn} is no group of this account; there are no users here.")
        return arn
