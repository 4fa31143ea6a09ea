"""A MySQL of our own on RDS, for whoever has none yet: its server, what it is told, and who reaches it. Pure.

A MySQL that is there already is never made desired state: `existing_source` examines it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shoplake_core.endpoints import MYSQL_DEFAULT_PORT
from shoplake_core.names import ResourceNames

from shoplake_infra.resource import Resource
from shoplake_infra.resources.rds_instance import InstancePlace, InstanceShape, rds_instance
from shoplake_infra.resources.rds_parameter_group import rds_parameter_group
from shoplake_infra.resources.rds_subnet_group import rds_subnet_group
from shoplake_infra.resources.security_group import LetIn, security_group

__all__ = ["BINLOG_PARAMETERS", "SourceParts", "SourceSettings", "desired_source"]

# what change capture needs of the binlog. How long it is kept is no parameter: `source_preparation` sets it in the server
BINLOG_PARAMETERS: Mapping[str, str] = {
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "binlog_row_metadata": "FULL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """What a user decides about a MySQL of our own.

    Attributes:
        shape: Size, version, backups and protection.
        master_user: Name of the administrator; its password is made and kept by Secrets Manager.
        binlog_retention_hours: How long RDS keeps the binlog, and so how long replication may stand still; 1 to 168.

    """

    shape: InstanceShape = field(default_factory=InstanceShape)
    master_user: str = "admin"
    binlog_retention_hours: int = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceParts:
    """What the server needs: its network, the group of those that may connect, and the key of its storage."""

    vpc: Resource
    subnets: tuple[Resource, ...]
    workers: Resource
    key: Resource


def desired_source(
    names: ResourceNames, settings: SourceSettings, *, parts: SourceParts, tags: Mapping[str, str]
) -> tuple[Resource, ...]:
    """The resources of a MySQL server; the last one is the instance, with "host" and "port"."""
    name = f"{names.prefix}-source"
    description = f"Shoplake {names.environment}: the shop's MySQL"
    subnet_group = rds_subnet_group(name, description=description, subnets=parts.subnets, tags=tags)
    major_minor = ".".join(settings.shape.engine_version.split(".")[:2])
    parameter_group = rds_parameter_group(
        name, family=f"mysql{major_minor}", description=description, parameters=BINLOG_PARAMETERS, tags=tags
    )
    port = (MYSQL_DEFAULT_PORT, MYSQL_DEFAULT_PORT)
    group = security_group(
        name, vpc=parts.vpc, description=description, let_in=(LetIn(parts.workers, port),), tags=tags
    )
    server = rds_instance(
        name,
        shape=settings.shape,
        place=InstancePlace(subnet_group=subnet_group, security_groups=(group,), parameter_group=parameter_group),
        master_user=settings.master_user,
        key=parts.key,
        tags=tags,
    )
    return (subnet_group, parameter_group, group, server)
