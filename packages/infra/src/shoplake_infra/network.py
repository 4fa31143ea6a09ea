"""The private network of an environment: three zones, no way to the internet, endpoints for what its members call."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from shoplake_core.errors import ConfigError
from shoplake_core.names import ResourceNames

from shoplake_infra.resource import Resource
from shoplake_infra.resources.route_table import route_table
from shoplake_infra.resources.security_group import ALL_PORTS, LetIn, security_group
from shoplake_infra.resources.subnet import subnet
from shoplake_infra.resources.vpc import vpc
from shoplake_infra.resources.vpc_endpoint import gateway_endpoint, interface_endpoint

__all__ = ["Network", "NetworkSettings", "desired_network"]

_SUBNET_BITS = 4  # a sixteenth of the VPC each: room for more
_LONGEST_PREFIX = 24  # AWS takes no subnet beyond /28
_HTTPS = (443, 443)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """What a user decides about the network.

    Attributes:
        cidr: Address range; it must not meet that of a network which it is to be peered with.
        zones: Letters of the region's availability zones; Redshift Serverless wants three.
        interface_services: Services that functions, jobs and DMS call from inside; each costs by the hour and zone.

    """

    cidr: str = "10.60.0.0/16"
    zones: tuple[str, ...] = ("a", "b", "c")
    interface_services: tuple[str, ...] = ("secretsmanager", "glue", "logs", "monitoring", "redshift-data", "lambda")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network as resources.

    Attributes:
        vpc: The whole of it.
        subnets: One a zone.
        workers: The security group of functions, jobs, replication and databases: its members reach each other.
        others: What else it is made of.

    """

    vpc: Resource
    subnets: tuple[Resource, ...]
    workers: Resource
    others: tuple[Resource, ...]

    @property
    def resources(self) -> tuple[Resource, ...]:
        """All of it."""
        return (self.vpc, *self.subnets, self.workers, *self.others)


def desired_network(names: ResourceNames, settings: NetworkSettings, *, tags: Mapping[str, str]) -> Network:
    """The network.

    Raises:
        ConfigError: The address range is none, or too small for its subnets.

    """
    net = vpc(names.prefix, cidr=settings.cidr, tags=tags)
    subnets = tuple(
        subnet(f"{names.prefix}-{zone}", vpc=net, cidr=cidr, zone=f"{names.region}{zone}", tags=tags)
        for zone, cidr in zip(settings.zones, _subnet_ranges(settings), strict=True)
    )
    table = route_table(names.prefix, vpc=net, subnets=subnets, tags=tags)
    workers = security_group(
        f"{names.prefix}-workers",
        vpc=net,
        description="Functions, jobs and replication of Shoplake",
        let_in=(LetIn(None, ALL_PORTS),),  # Glue's workers talk to each other on any port and want this rule
        tags=tags,
    )
    endpoints = security_group(
        f"{names.prefix}-endpoints",
        vpc=net,
        description="Endpoints that Shoplake calls AWS through",
        let_in=(LetIn(workers, _HTTPS),),
        tags=tags,
    )
    others = (
        table,
        endpoints,
        gateway_endpoint(f"{names.prefix}-s3", vpc=net, service="s3", route_tables=(table,), tags=tags),
        *(
            interface_endpoint(
                f"{names.prefix}-{service}",
                vpc=net,
                service=service,
                subnets=subnets,
                security_group=endpoints,
                tags=tags,
            )
            for service in settings.interface_services
        ),
    )
    return Network(vpc=net, subnets=subnets, workers=workers, others=others)


def _subnet_ranges(settings: NetworkSettings) -> list[str]:
    try:
        whole = ip_network(settings.cidr)
    except ValueError as error:
        raise ConfigError(f"network.cidr: {error}", hint='write a range such as "10.60.0.0/16"') from error
    if whole.prefixlen > _LONGEST_PREFIX or len(settings.zones) > 2**_SUBNET_BITS:
        raise ConfigError(
            f"network.cidr: {settings.cidr} is too small for {len(settings.zones)} subnets",
            hint=f"take a range of /{_LONGEST_PREFIX} or larger",
        )
    ranges = whole.subnets(prefixlen_diff=_SUBNET_BITS)
    return [str(next(ranges)) for _ in settings.zones]
