"""A shop's own RDS MySQL, examined before its changes are captured. It is not ours: nothing here writes.

It is a check and no kind of resource: there is nothing to create, to change or to destroy, and no tag of ours on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws
from shoplake_infra.described import described

__all__ = ["ExistingSource", "existing_source"]

_ABSENT = frozenset({"DBInstanceNotFound", "DBInstanceNotFoundFault"})
_ENGINES = ("mysql", "mariadb")
# parameter -> values that capture needs, and what the server takes where the group is silent
_NEEDED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "binlog_format": (("ROW",), "ROW"),
    "binlog_row_image": (("FULL",), "FULL"),
    "binlog_transaction_compression": (("0", "OFF"), "OFF"),
    "binlog_row_value_options": (("",), ""),
    "require_secure_transport": (
        ("0", "OFF"),
        "OFF",
    ),  # DMS would need the server's certificates: its way in has no TLS
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingSource:
    """Where the server is, for the source's secret and for a way into its network."""

    identifier: str
    host: str
    port: int
    engine: str
    engine_version: str
    vpc_id: str
    security_group_ids: tuple[str, ...]


def existing_source(identifier: str, aws: Aws) -> ExistingSource:
    """The RDS instance of that identifier, fit for change capture.

    How long its binlog is kept is not seen from outside; `mysql.rds_show_configuration` tells it in the server.

    Raises:
        ResourceError: There is none, AWS refused, or it is not fit; it names every fault.

    """
    address = f"RDS instance {identifier}"
    rds = aws.client("rds")
    try:
        found = described(rds.describe_db_instances, "DBInstances", _ABSENT, DBInstanceIdentifier=identifier)
        if found is None:
            raise ResourceError(
                f"{address}: there is none in {aws.region}",
                hint="check its identifier and the region",
                address=address,
            )
        faults = [*_faults(found), *_parameter_faults(rds, found)]
    except (ClientError, BotoCoreError) as error:
        raise ResourceError(
            f"{address} cannot be read: {error}", hint="check credentials, region and rights", address=address
        ) from error
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise ResourceError(
            f"{address} is not fit for change capture:\n{lines}",
            hint="its owner changes these; run it again then",
            address=address,
            faults=faults,
        )
    return ExistingSource(
        identifier=identifier,
        host=found["Endpoint"]["Address"],
        port=found["Endpoint"]["Port"],
        engine=found["Engine"],
        engine_version=found["EngineVersion"],
        vpc_id=found.get("DBSubnetGroup", {}).get("VpcId", ""),
        security_group_ids=tuple(group["VpcSecurityGroupId"] for group in found["VpcSecurityGroups"]),
    )


def _faults(found: Mapping[str, Any]) -> list[str]:
    faults = []
    if found["Engine"] not in _ENGINES:
        faults.append(f'engine is "{found["Engine"]}", expected one of {", ".join(_ENGINES)}')
    if "Endpoint" not in found:
        faults.append(f'it is "{found["DBInstanceStatus"]}" and has no address yet: wait until it is available')
    if found["BackupRetentionPeriod"] < 1:
        faults.append("automated backups are off, and with them the binlog: set BackupRetentionPeriod to 1 or more")
    for group in found["DBParameterGroups"]:
        if group["ParameterApplyStatus"] == "pending-reboot":
            name = group["DBParameterGroupName"]
            faults.append(f'parameter group "{name}" waits for a restart: what it says does not hold yet')
    return faults


def _parameter_faults(rds: Any, found: Mapping[str, Any]) -> list[str]:
    faults = []
    for group in found["DBParameterGroups"]:
        name = group["DBParameterGroupName"]
        pages = rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=name)
        values = {
            parameter["ParameterName"]: parameter.get("ParameterValue")
            for page in pages
            for parameter in page["Parameters"]
        }
        for parameter, (needed, default) in _NEEDED.items():
            value = values.get(parameter)
            value = default if value is None else value
            if value.upper() not in needed:
                faults.append(f'{parameter} is "{value}" in parameter group "{name}", expected "{needed[0]}"')
    return faults
