"""Operations on workgroups: the compute of a namespace. Here all of them are one PostgreSQL; capacities are kept and shown."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.endpoints import WarehouseEndpoint

from shoplake_local.redshift_serverless.records import Records, conflict, invalid, tags_from
from shoplake_local.service import UnsupportedOperationError, refuse_unsupported

__all__ = ["Workgroups"]

_KIND = "Workgroup"
_SETTINGS = frozenset(
    {
        "baseCapacity",
        "maxCapacity",
        "configParameters",
        "enhancedVpcRouting",
        "publiclyAccessible",
        "port",
        "pricePerformanceTarget",
        "securityGroupIds",
        "subnetIds",
    }
)
_DEFAULTS: Mapping[str, Any] = {
    "baseCapacity": 128,
    "enhancedVpcRouting": False,
    "publiclyAccessible": False,
    "port": 5439,
    "securityGroupIds": [],
    "subnetIds": [],
}
_PORTS = (range(5431, 5456), range(8191, 8216))
_SMALLEST_CAPACITY, _CAPACITY_STEP, _LARGEST_CAPACITY = 4, 8, 1024
# parameter -> its value on a new workgroup
_PARAMETERS: Mapping[str, str] = {
    "auto_mv": "true",
    "datestyle": "ISO, MDY",
    "enable_case_sensitive_identifier": "false",
    "enable_user_activity_logging": "true",
    "max_query_execution_time": "14400",
    "query_group": "default",
    "require_ssl": "true",
    "search_path": "$user, public",
    "use_fips_ssl": "false",
}
# with another value the same SQL would mean something else, and here it would not
_FIXED = frozenset({"datestyle", "enable_case_sensitive_identifier", "search_path"})


@dataclass(frozen=True, slots=True)
class Workgroups:
    """The operations.

    Attributes:
        records: Where workgroups are kept.
        warehouse: The PostgreSQL that does their work; its address is the endpoint that is shown.

    """

    records: Records
    warehouse: WarehouseEndpoint

    def create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CreateWorkgroup."""
        supported = {"workgroupName", "namespaceName", "tags", *_SETTINGS}
        refuse_unsupported("Redshift Serverless's CreateWorkgroup", parameters, supported)
        name, namespace = parameters["workgroupName"], parameters["namespaceName"]
        tags, identifier = tags_from(parameters.get("tags", [])), str(uuid.uuid4())
        settings = dict(_DEFAULTS) | {setting: parameters[setting] for setting in _SETTINGS if setting in parameters}
        settings["configParameters"] = _config_parameters([], parameters.get("configParameters", []))
        _check(settings)
        workgroup = settings | {
            "workgroupArn": self.records.arn("workgroup", identifier),
            "workgroupId": identifier,
            "workgroupName": name,
            "namespaceName": namespace,
            "creationDate": self.records.now(),
            "endpoint": {"address": self.warehouse.host, "port": self.warehouse.port, "vpcEndpoints": []},
        }
        with self.records.documents.transaction():
            self.records.idle("Namespace", namespace)
            for other in self.records.all(_KIND):
                if other["workgroupName"] == name:
                    raise conflict(f"Workgroup {name} already exists.")
                if other["namespaceName"] == namespace:
                    raise conflict(f"Namespace {namespace} is already associated with {other['workgroupName']}.")
            self.records.documents.put("tags", workgroup["workgroupArn"], tags)
            return {"workgroup": self.records.changing(_KIND, name, workgroup, "CREATING")}

    def update(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """UpdateWorkgroup: one setting a call, as its documentation says."""
        refuse_unsupported("Redshift Serverless's UpdateWorkgroup", parameters, {"workgroupName", *_SETTINGS})
        changed = {name: value for name, value in parameters.items() if name != "workgroupName"}
        if len(changed) != 1:
            raise invalid(f"One setting of a workgroup can be updated at a time; these are {sorted(changed)}.")
        name = parameters["workgroupName"]
        with self.records.documents.transaction():
            workgroup = self.records.idle(_KIND, name)
            if "configParameters" in changed:
                changed["configParameters"] = _config_parameters(
                    workgroup["configParameters"], changed["configParameters"]
                )
            _check(workgroup | changed)
            return {"workgroup": self.records.changing(_KIND, name, workgroup | changed, "MODIFYING")}

    def get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """GetWorkgroup."""
        return {"workgroup": self.records.get(_KIND, parameters["workgroupName"])}

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """DeleteWorkgroup: its usage limits go with it."""
        name = parameters["workgroupName"]
        with self.records.documents.transaction():
            workgroup = self.records.idle(_KIND, name)
            for limit in self.records.documents.all("UsageLimit"):
                if limit["resourceArn"] == workgroup["workgroupArn"]:
                    self.records.documents.delete("UsageLimit", limit["usageLimitId"])
            return {"workgroup": self.records.changing(_KIND, name, workgroup, "DELETING")}


def _config_parameters(before: list[dict[str, str]], given: list[dict[str, str]]) -> list[dict[str, str]]:
    values = dict(_PARAMETERS) | {one["parameterKey"]: one["parameterValue"] for one in before}
    for one in given:
        name, value = one.get("parameterKey", ""), one.get("parameterValue", "")
        if name not in _PARAMETERS:
            raise invalid(f'configParameters: "{name}" is none of {", ".join(_PARAMETERS)}.')
        if name in _FIXED and value != _PARAMETERS[name]:
            raise UnsupportedOperationError(f'configuration parameter {name} = "{value}" of a workgroup')
        values[name] = value
    return [{"parameterKey": name, "parameterValue": value} for name, value in sorted(values.items())]


def _check(workgroup: Mapping[str, Any]) -> None:
    if not any(workgroup["port"] in ports for ports in _PORTS):
        raise invalid(f"port {workgroup['port']} is not in 5431-5455 or 8191-8215.")
    base = workgroup["baseCapacity"]
    if not _is_capacity(base):
        raise invalid(f"baseCapacity {base} is neither 4 nor a multiple of 8 up to 1024.")
    most = workgroup.get("maxCapacity")
    if most is not None and (most < base or not _is_capacity(most)):
        raise invalid(f"maxCapacity {most} is no capacity of at least {base}.")


def _is_capacity(units: int) -> bool:
    return units == _SMALLEST_CAPACITY or (0 < units <= _LARGEST_CAPACITY and units % _CAPACITY_STEP == 0)
