"""What the environment shall be made of, from the project and its settings; planned and applied by `infra`."""

from collections.abc import Callable

from shoplake_core.deployment import DeploymentConfig
from shoplake_core.errors import ConfigError
from shoplake_core.names import JobName
from shoplake_infra.applying import apply
from shoplake_infra.artifacts.code_artifacts import code_artifacts
from shoplake_infra.artifacts.platforms import Target
from shoplake_infra.dashboards import DashboardSettings
from shoplake_infra.database import SourceSettings
from shoplake_infra.environment import desired_environment
from shoplake_infra.existing_source import existing_source
from shoplake_infra.jobs import JobSettings
from shoplake_infra.network import NetworkSettings
from shoplake_infra.plan import Plan, PlannedChange
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.replication import ReplicationSettings
from shoplake_infra.resource import Resource
from shoplake_infra.resources.dms_instance import ReplicationMachine
from shoplake_infra.resources.glue_job import Workers
from shoplake_infra.resources.rds_instance import InstanceShape
from shoplake_infra.resources.redshift_workgroup import WarehousePower
from shoplake_infra.runs import RunSettings
from shoplake_infra.settings import EnvironmentSettings
from shoplake_infra.warehouse import WarehouseSettings

from shoplake.cloud import Cloud
from shoplake.quicksight_estate import can_have_dashboards, dashboard_assets

__all__ = ["applied", "desired_estate", "destruction", "planned"]

_LOCAL_POLLS = {"poll_seconds": 1, "most_polls": 600, "load_poll_seconds": 1}


def desired_estate(cloud: Cloud, *, dashboards: bool | None = None) -> tuple[Resource, ...]:
    """Every resource of the environment; what is shipped is built, or taken from the state folder.

    Args:
        cloud: Where it shall be.
        dashboards: Whether QuickSight is part of it; None for where they are wanted and the account can have them.

    """
    workspace = cloud.workspace
    if dashboards is None:
        dashboards = workspace.deployment.dashboards_enabled and can_have_dashboards(cloud)
    project = workspace.project
    artifacts = code_artifacts(project, target=cloud.target, cache_folder=workspace.state_folder / "artifacts")
    return desired_environment(
        project.config.name,
        cloud.names,
        _settings(cloud, dashboards=dashboards),
        artifacts=artifacts,
        dashboards=dashboard_assets(cloud) if dashboards else None,
    )


def _settings(cloud: Cloud, *, dashboards: bool) -> EnvironmentSettings:
    project, deployment = cloud.workspace.project, cloud.workspace.deployment
    local = cloud.target is Target.LOCAL
    source_host, source_port = _source_address(cloud)
    return EnvironmentSettings(
        source_host=source_host,
        source_port=source_port,
        source_user=deployment.source_user,
        source_schema=project.config.source_schema,
        rotate_source_days=deployment.rotate_source_days or None,
        alert_emails=deployment.alert_emails,
        log_retention_days=deployment.log_retention_days,
        network=NetworkSettings(cidr=deployment.cidr, zones=deployment.zones),
        new_source=_new_source(deployment) if deployment.new_rds_instance and not local else None,
        replication=ReplicationSettings(
            source_schema=project.config.source_schema,
            tables=tuple(contract.source_name for contract in project.silver.values()),
            machine=ReplicationMachine(class_name=deployment.replication_instance_class),
            flush_interval_seconds=max(1, round(project.config.flush_interval_seconds)),
            minimum_file_kilobytes=max(1, project.config.flush_size_bytes // 1024),
            # the user of a new instance is made with it
            test_connections=local or deployment.source_ready or deployment.new_rds_instance,
        ),
        warehouse=WarehouseSettings(
            power=WarehousePower(base_rpu=deployment.warehouse_base_rpu),
            daily_rpu_hours=deployment.warehouse_daily_rpu_hours,
        ),
        dashboards=DashboardSettings(enabled=dashboards, readers=deployment.dashboard_readers),
        simulated_shop=deployment.simulated_shop,
        shop_every_minutes=deployment.shop_every_minutes,
        jobs=JobSettings(
            workers={job: Workers(kind=deployment.job_worker_type, count=deployment.job_workers) for job in JobName}
        ),
        runs=RunSettings(
            expression=deployment.schedule,
            time_zone=project.config.store_time_zone,
            scheduled=deployment.scheduled,
            job_timeout_seconds=60 * deployment.job_timeout_minutes,
            **(_LOCAL_POLLS if local else {}),
        ),
        on_loopback=local,
    )


def _new_source(deployment: DeploymentConfig) -> SourceSettings:
    shape = InstanceShape(
        class_name=deployment.new_rds_class,
        storage_gib=deployment.new_rds_storage_gib,
        most_storage_gib=10 * deployment.new_rds_storage_gib,
    )
    return SourceSettings(shape=shape, binlog_retention_hours=deployment.new_rds_binlog_hours)


def _source_address(cloud: Cloud) -> tuple[str, int]:
    """Host and port of MySQL; an instance that is there is examined."""
    deployment = cloud.workspace.deployment
    if cloud.target is Target.LOCAL:
        return "127.0.0.1", deployment.source_port  # the servers' own: its secret is written when they are up
    if deployment.rds_instance:
        found = existing_source(deployment.rds_instance, cloud.aws)
        return found.host, found.port
    if deployment.source_host or deployment.new_rds_instance:
        return deployment.source_host, deployment.source_port
    raise ConfigError(
        "no source is named: neither source.host, nor source.rds_instance, nor source.new_rds_instance",
        hint="write one of them into shoplake.toml",
    )


def planned(cloud: Cloud) -> Plan:
    """What must be done so that the environment is as desired; only reads."""
    return plan(desired_estate(cloud), cloud.aws)


def destruction(cloud: Cloud, *, delete_data: bool) -> Plan:
    """What must be deleted so that nothing of the environment is left, but its data unless asked for; only reads.

    Dashboards are looked for wherever the account can have them: they may have been wanted before.
    """
    desired = desired_estate(cloud, dashboards=can_have_dashboards(cloud))
    return plan_destroy(desired, cloud.aws, delete_data=delete_data)


def applied(to_do: Plan, cloud: Cloud, *, done: Callable[[PlannedChange], None]) -> None:
    """Carry the plan out; `done` hears of each change."""
    apply(to_do, cloud.aws, done=done)
