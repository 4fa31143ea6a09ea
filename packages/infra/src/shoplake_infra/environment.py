"""One environment as desired state: every resource whose kind has a handler, written from names and settings. Pure."""

from dataclasses import dataclass

from shoplake_core.names import FunctionName, ResourceNames, RoleName

from shoplake_infra.network import NetworkSettings, desired_network
from shoplake_infra.policies import SERVICES, RolePolicies
from shoplake_infra.resource import Resource
from shoplake_infra.resources.bucket import LifecycleRule, bucket
from shoplake_infra.resources.glue_database import glue_database
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.log_group import log_group
from shoplake_infra.resources.role import role
from shoplake_infra.resources.secret import Login, hex_secret, login_secret
from shoplake_infra.resources.topic import topic
from shoplake_infra.runs import RunParts, RunSettings, desired_runs
from shoplake_infra.tags import owner_tags

__all__ = ["EnvironmentSettings", "desired_environment"]

_MASKING_KEY_BYTES = 32
_NO_ACCOUNT = frozenset({"lambda.amazonaws.com", "redshift.amazonaws.com"})
# the function's own log group is made by us; the shop's role and function come with the shop
_LOGGED = tuple(function for function in FunctionName if function is not FunctionName.SHOP)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """What a user decides about an environment.

    Attributes:
        source_host: MySQL's host name, written into its secret when that is made.
        source_port: MySQL's port.
        source_user: MySQL's user that replication and functions log in as.
        alert_emails: Who hears of failures.
        log_retention_days: One of the numbers that CloudWatch offers.
        run_records_days: How long summaries and readings of runs are kept.
        replaced_objects_days: How long a replaced or deleted object can still be taken back.
        network: The private network to make; None to make none.
        runs: How the pipeline is run; None to make no state machine.
        tls_only: Refuse requests without TLS; False only for a server on loopback.

    """

    source_host: str
    source_port: int = 3306
    source_user: str = "shoplake"
    alert_emails: tuple[str, ...] = ()
    log_retention_days: int = 30
    run_records_days: int = 400
    replaced_objects_days: int = 30
    network: NetworkSettings | None = None
    runs: RunSettings | None = None
    tls_only: bool = True


def desired_environment(project: str, names: ResourceNames, settings: EnvironmentSettings) -> tuple[Resource, ...]:
    """Every resource of the environment, in no special order: references say what comes first."""
    tags = owner_tags(project, names.environment)
    key = kms_key(
        names.prefix,
        account=names.account,
        description=f"Shoplake {names.environment}: buckets, secrets and alerts",
        tags=tags,
        services=("cloudwatch.amazonaws.com",),  # an alarm publishes to the encrypted topic
    )
    buckets = _buckets(project, names, settings, key)
    roles = _roles(project, names, key)
    alerts = topic(names.alerts_topic_arn.rpartition(":")[2], key=key, emails=settings.alert_emails, tags=tags)
    run_log = log_group(f"/aws/vendedlogs/states/{names.prefix}", retention_days=settings.log_retention_days, tags=tags)
    parts = RunParts(
        machine_role=roles[RoleName.STATE_MACHINE],
        scheduler_role=roles[RoleName.SCHEDULER],
        log_group=run_log,
        topic=alerts,
    )
    return (
        key,
        *(desired_network(names, settings.network, tags=tags) if settings.network else ()),
        *buckets,
        *_databases(project, names),
        *roles.values(),
        *_secrets(project, names, settings, key),
        alerts,
        *(
            log_group(f"/aws/lambda/{names.function(function)}", retention_days=settings.log_retention_days, tags=tags)
            for function in _LOGGED
        ),
        run_log,
        *(desired_runs(names, settings.runs, parts=parts, tags=tags) if settings.runs else ()),
    )


def _databases(project: str, names: ResourceNames) -> list[Resource]:
    layers = {
        "bronze": (names.bronze_database, names.bronze_bucket, "Changes as they were captured"),
        "silver": (names.silver_database, names.silver_bucket, "The source's rows as they are now"),
        "gold": (names.gold_database, names.gold_bucket, "Facts and dimensions"),
    }
    return [
        glue_database(
            name,
            description=description,
            location=f"s3://{bucket_name}/",
            tags=owner_tags(project, names.environment, layer=layer),
            depends_on=(f"bucket {bucket_name}",),
        )
        for layer, (name, bucket_name, description) in layers.items()
    ]


def _buckets(project: str, names: ResourceNames, settings: EnvironmentSettings, key: Resource) -> list[Resource]:
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
    return [
        bucket(
            name,
            key=key,
            tags=owner_tags(project, names.environment, layer=layer),
            lifecycle=rules,
            tls_only=settings.tls_only,
        )
        for layer, (name, rules) in layers.items()
    ]


def _roles(project: str, names: ResourceNames, key: Resource) -> dict[RoleName, Resource]:
    policies = RolePolicies(names, key)
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
    }


def _secrets(project: str, names: ResourceNames, settings: EnvironmentSettings, key: Resource) -> list[Resource]:
    tags = owner_tags(project, names.environment)
    masking = hex_secret(
        names.masking_secret,
        size_bytes=_MASKING_KEY_BYTES,
        description="Shoplake's masking key: with another one, masked values of old and new rows do not join",
        key=key,
        tags=tags,
        holds_data=True,
    )
    source = login_secret(
        names.source_secret,
        login=Login(host=settings.source_host, port=settings.source_port, username=settings.source_user),
        description="Shoplake's login to MySQL",
        key=key,
        tags=tags,
    )
    return [masking, source]
