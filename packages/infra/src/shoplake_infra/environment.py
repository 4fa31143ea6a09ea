"""One environment as desired state: every resource whose kind has a handler, written from names and settings. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shoplake_core.names import FunctionName, ResourceNames, RoleName

from shoplake_infra.artifacts.stored_file import CodeArtifacts
from shoplake_infra.functions import FunctionParts, desired_functions, function_log_groups
from shoplake_infra.glue import CatalogueSettings, desired_catalogue
from shoplake_infra.jobs import JobParts, JobSettings, desired_jobs
from shoplake_infra.network import Network, NetworkSettings, desired_network
from shoplake_infra.policies import SERVICES, RolePolicies
from shoplake_infra.resource import Resource
from shoplake_infra.resources.bucket import LifecycleRule, bucket
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.log_group import log_group
from shoplake_infra.resources.role import role
from shoplake_infra.resources.secret import Login, Rotation, hex_secret, login_secret
from shoplake_infra.resources.topic import topic
from shoplake_infra.runs import RunParts, RunSettings, desired_runs
from shoplake_infra.shipped_code import ShippedCode, desired_code
from shoplake_infra.tags import owner_tags

__all__ = ["EnvironmentSettings", "desired_environment"]

_MASKING_KEY_BYTES = 32
_NO_ACCOUNT = frozenset({"lambda.amazonaws.com", "redshift.amazonaws.com"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """What a user decides about an environment.

    Attributes:
        source_host: MySQL's host name, written into its secret when that is made.
        source_port: MySQL's port.
        source_user: MySQL's user that replication and functions log in as.
        source_schema: The captured schema, which the catalogue's names of bronze's tables begin with.
        rotate_source_days: After how many days MySQL's password is changed; None to leave it.
        alert_emails: Who hears of failures.
        log_retention_days: One of the numbers that CloudWatch offers.
        run_records_days: How long summaries and readings of runs are kept.
        replaced_objects_days: How long a replaced or deleted object can still be taken back.
        network: The private network to make; None to make none.
        jobs: How large jobs are.
        runs: How the pipeline is run.
        simulated_shop: Whether there is the function that plays the shop: for a demo, never for a real one.
        on_loopback: AWS is played by servers on this machine: without TLS and without a network of its own.

    """

    source_host: str
    source_port: int = 3306
    source_user: str = "shoplake"
    source_schema: str = "shop"
    rotate_source_days: int | None = None
    alert_emails: tuple[str, ...] = ()
    log_retention_days: int = 30
    run_records_days: int = 400
    replaced_objects_days: int = 30
    network: NetworkSettings | None = field(default_factory=NetworkSettings)
    jobs: JobSettings = field(default_factory=JobSettings)
    runs: RunSettings = field(default_factory=RunSettings)
    simulated_shop: bool = False
    on_loopback: bool = False


def desired_environment(
    project: str, names: ResourceNames, settings: EnvironmentSettings, *, artifacts: CodeArtifacts
) -> tuple[Resource, ...]:
    """Every resource of the environment, in no special order: references say what comes first.

    Args:
        project: Its name, for tags.
        names: The environment's resources.
        settings: What the user decides.
        artifacts: What is shipped.

    """
    tags = owner_tags(project, names.environment)
    layers = {layer: owner_tags(project, names.environment, layer=layer) for layer in ("bronze", "silver", "gold")}
    key = kms_key(
        names.prefix,
        account=names.account,
        description=f"Shoplake {names.environment}: buckets, secrets and alerts",
        tags=tags,
        services=("cloudwatch.amazonaws.com",),  # an alarm publishes to the encrypted topic
    )
    buckets = _buckets(project, names, settings, key)
    code = desired_code(artifacts, bucket=buckets["artifacts"], tags=tags)
    network = desired_network(names, settings.network, tags=tags) if settings.network else None
    roles = _roles(project, names, settings, key)
    functions = _functions(names, settings, code=code, roles=roles, network=network, tags=tags)
    alerts = topic(names.alerts_topic_arn.rpartition(":")[2], key=key, emails=settings.alert_emails, tags=tags)
    run_log = log_group(f"/aws/vendedlogs/states/{names.prefix}", retention_days=settings.log_retention_days, tags=tags)
    catalogue = desired_catalogue(
        names,
        # the laptop's crawler puts the schema before a table's name by itself
        CatalogueSettings(table_prefix="" if settings.on_loopback else f"{settings.source_schema}__"),
        crawler_role=roles[RoleName.CRAWLER],
        tags=layers,
    )
    jobs = desired_jobs(
        names,
        settings.jobs,
        parts=JobParts(
            code=code,
            role=roles[RoleName.JOB],
            subnet=network.subnets[0] if network else None,
            security_group=network.workers if network else None,
        ),
        tags=tags,
    )
    run_parts = RunParts(
        machine_role=roles[RoleName.STATE_MACHINE],
        scheduler_role=roles[RoleName.SCHEDULER],
        log_group=run_log,
        topic=alerts,
        project_url=code.project_bundle.url,
        called=tuple(called.address for called in (*functions.values(), *jobs, *catalogue)),
    )
    return (
        key,
        *(network.resources if network else ()),
        *buckets.values(),
        *code.resources,
        *catalogue,
        *roles.values(),
        *_secrets(project, names, settings, key=key, rotation=functions[FunctionName.ROTATE_SOURCE_SECRET]),
        alerts,
        *function_log_groups(names, functions, retention_days=settings.log_retention_days, tags=tags),
        *functions.values(),
        *jobs,
        run_log,
        *desired_runs(names, settings.runs, parts=run_parts, tags=tags),
    )


def _wanted(settings: EnvironmentSettings) -> tuple[FunctionName, ...]:
    return tuple(name for name in FunctionName if name is not FunctionName.SHOP or settings.simulated_shop)


def _functions(
    names: ResourceNames,
    settings: EnvironmentSettings,
    *,
    code: ShippedCode,
    roles: Mapping[RoleName, Resource],
    network: Network | None,
    tags: Mapping[str, str],
) -> dict[FunctionName, Resource]:
    parts = FunctionParts(
        code=code,
        roles=roles,
        subnets=network.subnets if network else (),
        security_groups=(network.workers,) if network else (),
        called_by_secrets_manager=not settings.on_loopback,
    )
    return desired_functions(names, _wanted(settings), parts=parts, tags=tags)


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
        if name is not RoleName.SHOP_FUNCTION or settings.simulated_shop
    }


def _secrets(
    project: str, names: ResourceNames, settings: EnvironmentSettings, *, key: Resource, rotation: Resource
) -> list[Resource]:
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
        rotation=Rotation(function=rotation, days=settings.rotate_source_days) if settings.rotate_source_days else None,
    )
    return [masking, source]
