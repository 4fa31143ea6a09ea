"""Operations on usage limits: kept and shown. A laptop's PostgreSQL costs nothing, so no limit is ever reached."""

import uuid
from dataclasses import dataclass
from typing import Any

from shoplake_local.redshift_serverless.records import Records, conflict, invalid, not_found

__all__ = ["UsageLimits"]

_KIND = "UsageLimit"
_IDENTITY = ("resourceArn", "usageType", "period")


@dataclass(frozen=True, slots=True)
class UsageLimits:
    """The operations."""

    records: Records

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateUsageLimit: one for each workgroup, type and period."""
        _check(parameters)
        identifier = str(uuid.uuid4())
        limit = {"period": "monthly", "breachAction": "log"} | parameters
        limit |= {"usageLimitId": identifier, "usageLimitArn": self.records.arn("usagelimit", identifier)}
        with self.records.documents.transaction():
            arns = {workgroup["workgroupArn"] for workgroup in self.records.all("Workgroup")}
            if limit["resourceArn"] not in arns:
                raise not_found("Workgroup", limit["resourceArn"])
            for other in self.records.all(_KIND):
                if all(other[name] == limit[name] for name in _IDENTITY):
                    raise conflict(f"There is a {limit['period']} limit of {limit['usageType']} already.")
            self.records.documents.put(_KIND, identifier, limit)
        return {"usageLimit": limit}

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateUsageLimit."""
        _check(parameters)
        with self.records.documents.transaction():
            limit = self.records.get(_KIND, parameters["usageLimitId"]) | parameters
            self.records.documents.put(_KIND, limit["usageLimitId"], limit)
        return {"usageLimit": limit}

    def get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """GetUsageLimit."""
        return {"usageLimit": self.records.get(_KIND, parameters["usageLimitId"])}

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteUsageLimit."""
        with self.records.documents.transaction():
            limit = self.records.get(_KIND, parameters["usageLimitId"])
            self.records.documents.delete(_KIND, limit["usageLimitId"])
        return {"usageLimit": limit}


def _check(parameters: dict[str, Any]) -> None:
    if parameters.get("amount", 1) <= 0:
        raise invalid("amount must be greater than 0.")
