"""What everything else of an environment stands on: its key, buckets, roles and secrets. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from shoplake_core.names import ResourceNames, RoleName

from shoplake_infra.policies import SERVICES, RolePolicies
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resources.bucket import LifecycleRule, bucket
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.role import role
from shoplake_infra.resources.secret import Login, Rotation, hex_secret, login_secret
from shoplake_infra.settings import EnvironmentSettings
from shoplake_infra.tags import owner_tags

__all__ = ["Foundations", "desired_foundations", "desired_masking_secret", "desired_source_secret"]

_MASKING_KEY_BYTES = 32
_NO_ACCOUNT = frozenset({"lambda.amazonaws.com", "redshift.amazonaws.com"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundations:
    """Key, buckets by layer ("artifacts" is one), and roles."""

    key: Resource
    buckets: Mapping[str, Resource]
    roles: Mapping[RoleName, Resource]

    @property
    def resources(self) -> tuple[Resource, ...]:
        """All of them."""
        return (self.key, *self.buckets.values(), *self.roles.values())


def desired_foundations(project: str, names: ResourceNames, settings: EnvironmentSettings) -> Foundations:
    """The key, and what it encrypts or who uses it."""
    key = kms_key(
        names.prefix,
        account=names.account,
        description=f"Shoplake {names.environment}: buckets, secrets and alerts",
        tags=owner_tags(project, names.environment),
        services=("cloudwatch.amazonaws.com",),  # an alarm publishes to the encrypted topic
    )
    return Foundations(
        key=key,
        buckets=_buckets(project, names, settings, key),
        roles=_roles(project, names, settings, key),
    )


def _buckets(project: str, names: ResourceNames, settings: EnvironmentSettings, key: Resource) -> dict[str, Resource]:
    everywhere = (
        LifecycleRule(name="unfinished-uploads", unfinished_days=7),
        LifecycleRule(name="replaced-objects", replaced_days=settings.replaced_objects_days),
    )
    records = LifecycleRule(name="run-records", prefix="runs/", expire_days=settings.run_records_days)
    layers = {
        "bronze": (names.bronze_bucket, everywhere),
        "silver": (names.silver_bucket, everywhere),
        "gold": (names.gold_bucket, everywhere),
        "artifacts": (names.artifacts_bucket, (*everywhere, records)),
    }
    return {
        layer: bucket(
            name,
            key=key,
            tags=owner_tags(project, names.environment, layer=layer),
            lifecycle=rules,
            tls_only=not settings.on_loopback,
        )
        for layer, (name, rules) in layers.items()
    }


def _roles(
    project: str, names: ResourceNames, settings: EnvironmentSettings, key: Resource
) -> dict[RoleName, Resource]:
    policies = RolePolicies(names, key, dashboards=settings.dashboards.enabled)
    tags = owner_tags(project, names.environment)
    regional = {RoleName.REPLICATION: (f"dms.{names.region}.amazonaws.com",)}  # it reads the secret as this one
    # a service of another account may not borrow our role; Lambda and Redshift are not documented to name an account
    ours = {"StringEquals": {"aws:SourceAccount": names.account}}
    return {
        name: role(
            names.role(name),
            services=(*services, *regional.get(name, ())),
            statements=policies.statements(name),
            tags=tags,
            trust_condition=None if _NO_ACCOUNT & {*services} else ours,
        )
        for name, services in SERVICES.items()
        if name not in settings.left_out
    }


def desired_masking_secret(names: ResourceNames, *, key: Resource, tags: Mapping[str, str]) -> Resource:
    """The key that personal values are masked with; it is data: without it old and new rows do not join."""
    return hex_secret(
        names.masking_secret,
        size_bytes=_MASKING_KEY_BYTES,
        description="Shoplake's masking key: with another one, masked values of old and new rows do not join",
        key=key,
        tags=tags,
        holds_data=True,
    )


def desired_source_secret(
    names: ResourceNames,
    settings: EnvironmentSettings,
    *,
    host: str | Ref,
    key: Resource,
    rotation: Resource,
    tags: Mapping[str, str],
) -> Resource:
    """The login to MySQL at `host`; `rotation` is the function that changes its password."""
    days = settings.rotate_source_days
    return login_secret(
        names.source_secret,
        login=Login(host=host, port=settings.source_port, username=settings.source_user),
        description="Shoplake's login to MySQL",
        key=key,
        tags=tags,
        rotation=Rotation(function=rotation, days=days) if days else None,
    )
