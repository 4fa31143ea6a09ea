"""One environment as desired state: every resource of it, written from names and settings. Pure."""

from collections.abc import Mapping

from shoplake_core.errors import ConfigError
from shoplake_core.names import FunctionName, ResourceNames, RoleName

from shoplake_infra.artifacts.stored_file import CodeArtifacts
from shoplake_infra.dashboards import (
    DashboardAssets,
    DashboardParts,
    dashboard_network_group,
    desired_dashboards,
    spice_refreshes,
)
from shoplake_infra.database import SourceParts, desired_source
from shoplake_infra.foundations import (
    Foundations,
    desired_foundations,
    desired_masking_secret,
    desired_source_secret,
)
from shoplake_infra.functions import FunctionParts, desired_functions, function_log_groups
from shoplake_infra.glue import CatalogueSettings, desired_catalogue
from shoplake_infra.jobs import JobParts, desired_jobs
from shoplake_infra.network import Network, desired_network
from shoplake_infra.replication import ReplicationParts, desired_replication
from shoplake_infra.replication_alarms import replication_alarms
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resources.log_group import log_group
from shoplake_infra.resources.source_preparation import PreparedSource, source_preparation
from shoplake_infra.resources.topic import topic
from shoplake_infra.runs import RunParts, desired_runs
from shoplake_infra.settings import EnvironmentSettings
from shoplake_infra.shipped_code import ShippedCode, desired_code
from shoplake_infra.shop_schedule import desired_shop_schedule
from shoplake_infra.tags import owner_tags
from shoplake_infra.warehouse import WarehouseParts, desired_warehouse

__all__ = ["EnvironmentSettings", "desired_environment"]

_CALLED_BY_RUN = frozenset({"function", "glue_job", "glue_crawler", "dms_task", "redshift_workgroup"})


def desired_environment(
    project: str,
    names: ResourceNames,
    settings: EnvironmentSettings,
    *,
    artifacts: CodeArtifacts,
    dashboards: DashboardAssets | None = None,
) -> tuple[Resource, ...]:
    """Every resource of the environment, in no special order: references say what comes first.

    Args:
        project: Its name, for tags.
        names: The environment's resources.
        settings: What the user decides.
        artifacts: What is shipped.
        dashboards: What QuickSight shows; made only where the settings enable it.

    Raises:
        ConfigError: Replication, a warehouse or a new source is wanted without a network, or dashboards without a warehouse.

    """
    tags = owner_tags(project, names.environment)
    base = desired_foundations(project, names, settings)
    code = desired_code(artifacts, bucket=base.buckets["artifacts"], tags=tags)
    network = desired_network(names, settings.network, tags=tags) if settings.network else None
    functions = _functions(names, settings, code=code, base=base, network=network, tags=tags)
    alerts = topic(names.alerts_topic_arn.rpartition(":")[2], key=base.key, emails=settings.alert_emails, tags=tags)
    catalogue = desired_catalogue(
        names,
        # the laptop's crawler puts the schema before a table's name by itself
        CatalogueSettings(table_prefix="" if settings.on_loopback else f"{settings.source_schema}__"),
        crawler_role=base.roles[RoleName.CRAWLER],
        tags={layer: owner_tags(project, names.environment, layer=layer) for layer in base.buckets},
    )
    jobs = desired_jobs(
        names,
        settings.jobs,
        parts=JobParts(
            code=code,
            role=base.roles[RoleName.JOB],
            subnet=network.subnets[0] if network else None,
            security_group=network.workers if network else None,
        ),
        tags=tags,
    )
    source = _source(names, settings, base=base, network=network, tags=tags)
    source_secret = desired_source_secret(
        names,
        settings,
        host=Ref(source[-1], "host") if source else settings.source_host,
        key=base.key,
        rotation=functions[FunctionName.ROTATE_SOURCE_SECRET],
        tags=tags,
    )
    preparation = _preparation(names, settings, functions=functions, source=source, secret=source_secret, tags=tags)
    replication = _replication(
        names,
        settings,
        base=base,
        network=network,
        source_secret=source_secret,
        preparation=preparation,
        alerts=alerts,
        tags=tags,
    )
    warehouse = _warehouse(names, settings, base=base, network=network, tags=tags)
    assets = dashboards or DashboardAssets()
    shown = _dashboards(
        names,
        settings,
        assets=assets,
        base=base,
        network=network,
        warehouse=warehouse,
        tags=tags,
    )
    run_log = log_group(names.state_machine_logs, retention_days=settings.log_retention_days, tags=tags)
    run_parts = RunParts(
        machine_role=base.roles[RoleName.STATE_MACHINE],
        scheduler_role=base.roles[RoleName.SCHEDULER],
        log_group=run_log,
        topic=alerts,
        project_url=code.project_bundle.url,
        refreshes=spice_refreshes(assets.dashboards) if settings.dashboards.enabled else (),
        called=tuple(
            one.address
            for one in (*functions.values(), *jobs, *catalogue, *replication, *warehouse)
            if one.kind in _CALLED_BY_RUN
        ),
    )
    runs = desired_runs(names, settings.runs, parts=run_parts, tags=tags)
    return (
        *base.resources,
        *(network.resources if network else ()),
        *code.resources,
        *source,
        desired_masking_secret(names, key=base.key, tags=tags),
        source_secret,
        *((preparation,) if preparation else ()),
        *replication,
        *catalogue,
        *function_log_groups(names, functions, retention_days=settings.log_retention_days, tags=tags),
        *functions.values(),
        *jobs,
        *warehouse,
        alerts,
        run_log,
        *runs,
        *_shop_schedule(names, settings, base=base, functions=functions, runs=runs, tags=tags),
        *shown,  # last: an account without QuickSight has everything else
    )


def _functions(
    names: ResourceNames,
    settings: EnvironmentSettings,
    *,
    code: ShippedCode,
    base: Foundations,
    network: Network | None,
    tags: Mapping[str, str],
) -> dict[FunctionName, Resource]:
    wanted = (name for name in FunctionName if name not in settings.left_out)
    parts = FunctionParts(
        code=code,
        roles=base.roles,
        subnets=network.subnets if network else (),
        security_groups=(network.workers,) if network else (),
    )
    return desired_functions(names, wanted, parts=parts, tags=tags)


def _shop_schedule(
    names: ResourceNames,
    settings: EnvironmentSettings,
    *,
    base: Foundations,
    functions: Mapping[FunctionName, Resource],
    runs: tuple[Resource, ...],
    tags: Mapping[str, str],
) -> tuple[Resource, ...]:
    if not settings.has_shop_schedule:
        return ()
    (group,) = (one for one in runs if one.kind == "schedule_group")
    role, function = base.roles[RoleName.SHOP_SCHEDULER], functions[FunctionName.SHOP]
    made = desired_shop_schedule(
        names, settings.shop_every_minutes, function=function, role=role, group=group, tags=tags
    )
    return (made,)


def _source(
    names: ResourceNames,
    settings: EnvironmentSettings,
    *,
    base: Foundations,
    network: Network | None,
    tags: Mapping[str, str],
) -> tuple[Resource, ...]:
    if settings.new_source is None:
        return ()
    place = _in_network(network, "a new source")
    parts = SourceParts(vpc=place.vpc, subnets=place.subnets, workers=place.workers, key=base.key)
    return desired_source(names, settings.new_source, parts=parts, tags=tags)


def _preparation(
    names: ResourceNames,
    settings: EnvironmentSettings,
    *,
    functions: Mapping[FunctionName, Resource],
    source: tuple[Resource, ...],
    secret: Resource,
    tags: Mapping[str, str],
) -> Resource | None:
    if settings.new_source is None:
        return None
    return source_preparation(
        f"{names.prefix}-source",
        function=functions[FunctionName.PREPARE_SOURCE],
        instance=source[-1],
        secret=secret,
        wanted=PreparedSource(
            schema=settings.source_schema,
            binlog_retention_hours=settings.new_source.binlog_retention_hours,
            simulated_shop=settings.simulated_shop,
        ),
        tags=tags,
    )


def _replication(  # noqa: PLR0913 - each a part of the environment
    names: ResourceNames,
    settings: EnvironmentSettings,
    *,
    base: Foundations,
    network: Network | None,
    source_secret: Resource,
    preparation: Resource | None,
    alerts: Resource,
    tags: Mapping[str, str],
) -> tuple[Resource, ...]:
    if settings.replication is None:
        return ()
    place = _in_network(network, "replication")
    parts = ReplicationParts(
        subnets=place.subnets,
        security_groups=(place.workers,),
        key=base.key,
        role=base.roles[RoleName.REPLICATION],
        source_secret=source_secret,
        bronze=base.buckets["bronze"],
        preparation=preparation,
    )
    resources = desired_replication(names, settings.replication, parts=parts, tags=tags)
    (instance,) = (one for one in resources if one.kind == "dms_instance")
    alarms = replication_alarms(
        names,
        task=resources[-1],
        instance=instance,
        topic=alerts,
        late_seconds=settings.late_seconds,
        scheduled=settings.runs.scheduled,
        tags=tags,
    )
    return (*resources, *alarms)


def _warehouse(
    names: ResourceNames,
    settings: EnvironmentSettings,
    *,
    base: Foundations,
    network: Network | None,
    tags: Mapping[str, str],
) -> tuple[Resource, ...]:
    if settings.warehouse is None:
        return ()
    place = _in_network(network, "a warehouse")
    parts = WarehouseParts(
        vpc=place.vpc,
        subnets=place.subnets,
        workers=place.workers,
        key=base.key,
        role=base.roles[RoleName.WAREHOUSE],
        shared_groups=(dashboard_network_group(names, vpc=place.vpc, tags=tags),)
        if settings.dashboards.enabled
        else (),
    )
    return desired_warehouse(names, settings.warehouse, parts=parts, tags=tags)


def _dashboards(
    names: ResourceNames,
    settings: EnvironmentSettings,
    *,
    assets: DashboardAssets,
    base: Foundations,
    network: Network | None,
    warehouse: tuple[Resource, ...],
    tags: Mapping[str, str],
) -> tuple[Resource, ...]:
    if not settings.dashboards.enabled:
        return ()
    place, made = _in_network(network, "a dashboard"), {one.kind: one for one in warehouse}
    if not made:
        raise ConfigError(
            "dashboards are wanted without a warehouse to read", hint="give [warehouse], or leave dashboards out"
        )
    group = dashboard_network_group(names, vpc=place.vpc, tags=tags)
    parts = DashboardParts(
        subnets=place.subnets,
        group=group,
        namespace=made["redshift_namespace"],
        workgroup=made["redshift_workgroup"],
        key=base.key,
        dashboards=assets.dashboards,
        theme=assets.theme,
    )
    return (group, *desired_dashboards(names, settings.dashboards, parts=parts, tags=tags))


def _in_network(network: Network | None, what: str) -> Network:
    if network is None:
        raise ConfigError(f"{what} is wanted without a network to stand in", hint="give [network], or leave it out")
    return network
