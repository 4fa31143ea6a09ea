"""The warehouse on Redshift Serverless: its data, its machine, and what it may cost in a day. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shoplake_core.errors import ConfigError
from shoplake_core.names import ResourceNames

from shoplake_infra.resource import Resource
from shoplake_infra.resources.redshift_namespace import redshift_namespace
from shoplake_infra.resources.redshift_usage_limit import redshift_usage_limit
from shoplake_infra.resources.redshift_workgroup import WarehousePower, redshift_workgroup
from shoplake_infra.resources.security_group import LetIn, security_group

__all__ = ["WarehouseParts", "WarehouseSettings", "desired_warehouse"]

_PORT = (5439, 5439)
_FEWEST_SUBNETS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseSettings:
    """What a user decides about the warehouse.

    Attributes:
        power: How large it is.
        daily_rpu_hours: It answers no query beyond that many RPU-hours in a day.
        admin: Name of the administrator, "" for Redshift's own; its password is made and kept by Secrets Manager.

    """

    power: WarehousePower = field(default_factory=WarehousePower)
    daily_rpu_hours: int = 24
    admin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseParts:
    """What the warehouse needs: its network, who may connect, its key, and the role that reads gold.

    Attributes:
        shared_groups: Security groups that the workgroup is in beside its own, with others who reach it by that.

    """

    vpc: Resource
    subnets: tuple[Resource, ...]
    workers: Resource
    key: Resource
    role: Resource
    shared_groups: tuple[Resource, ...] = ()


def desired_warehouse(
    names: ResourceNames, settings: WarehouseSettings, *, parts: WarehouseParts, tags: Mapping[str, str]
) -> tuple[Resource, ...]:
    """Security group, namespace, workgroup and limit; the workgroup carries the tag that runs may query it by.

    Raises:
        ConfigError: There are fewer subnets than Redshift wants.

    """
    if len(parts.subnets) < _FEWEST_SUBNETS:
        raise ConfigError(
            f"network.zones: {len(parts.subnets)} given, Redshift Serverless wants {_FEWEST_SUBNETS}",
            hint='write three zones, such as ["a", "b", "c"]',
        )
    group = security_group(
        f"{names.prefix}-warehouse",
        vpc=parts.vpc,
        description=f"Shoplake {names.environment}: the warehouse",
        let_in=(LetIn(parts.workers, _PORT),),
        tags=tags,
    )
    namespace = redshift_namespace(
        names.workgroup,
        database=names.warehouse_database,
        admin=settings.admin,
        role=parts.role,
        key=parts.key,
        tags=tags,
    )
    workgroup = redshift_workgroup(
        names.workgroup,
        namespace=namespace,
        power=settings.power,
        subnets=parts.subnets,
        security_groups=(group, *parts.shared_groups),
        tags=tags,
    )
    limit = redshift_usage_limit(
        f"{names.workgroup}-daily", workgroup=workgroup, daily_rpu_hours=settings.daily_rpu_hours, tags=tags
    )
    return (group, namespace, workgroup, limit)
