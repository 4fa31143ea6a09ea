"""What `shoplake.toml` says of an environment on AWS: schedule, alerts, source, network, sizes. The data knows nothing of it.

`[environments.prod]` and the like hold what is different there, in the same tables.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.errors import ConfigError

__all__ = ["DEPLOYMENT_PATHS", "DeploymentConfig", "environment_document", "flat", "parse_deployment_config"]

_ENVIRONMENTS = "environments"
_MOST_BINLOG_HOURS = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentConfig:
    """The settings of one environment's resources.

    Attributes:
        schedule: When a run starts: cron(...) or rate(...), in the store's time zone.
        scheduled: Whether the schedule starts runs; off until a first run by hand went well.
        alert_emails: Who hears of failures.
        rds_instance: Identifier of the RDS instance that is the source; "" for a MySQL at `source_host`, or a new one.
        new_rds_instance: Whether to make an RDS instance, whose user is then made, too.
        new_rds_class: Its class.
        new_rds_storage_gib: Its storage at the beginning; RDS adds to it by itself.
        new_rds_binlog_hours: How long it keeps its binlog, and so how long replication may stand still; 1 to 168.
        source_host: MySQL's host name, where it is no RDS instance.
        source_port: MySQL's port.
        source_user: Who replication and functions log in as.
        source_ready: Whether that user exists with the password in the secret, so that DMS can test its way to MySQL.
        rotate_source_days: How often the source's password is changed; 0 for never.
        cidr: Address range of the environment's network.
        zones: Letters of three availability zones.
        replication_instance_class: DMS's instance class.
        warehouse_base_rpu: Redshift Serverless's base capacity.
        warehouse_daily_rpu_hours: Redshift stops answering queries beyond that many in a day.
        job_workers: Workers of a Glue job.
        job_worker_type: Their type.
        job_timeout_minutes: Longest time that a job may take.
        dashboards_enabled: Whether the dashboards are in QuickSight, which costs by person and month; the account must
            have signed up for its Enterprise edition.
        dashboard_readers: QuickSight groups that are there and see the dashboards, beside the environment's own one.
        log_retention_days: One of the numbers that CloudWatch offers.
        simulated_shop: Whether the function that plays the shop is made: for a demo environment, never for a real one.
        shop_every_minutes: How often that shop lives on for some seconds by itself; 0 for only when it is told to.

    """

    schedule: str = "cron(0 3 * * ? *)"
    scheduled: bool = False
    alert_emails: tuple[str, ...] = ()
    rds_instance: str = ""
    new_rds_instance: bool = False
    new_rds_class: str = "db.t4g.medium"
    new_rds_storage_gib: int = 50
    new_rds_binlog_hours: int = 72
    source_host: str = ""
    source_port: int = 3306
    source_user: str = "shoplake"
    source_ready: bool = False
    rotate_source_days: int = 0
    cidr: str = "10.60.0.0/16"
    zones: tuple[str, ...] = ("a", "b", "c")
    replication_instance_class: str = "dms.t3.medium"
    warehouse_base_rpu: int = 8
    warehouse_daily_rpu_hours: int = 24
    job_workers: int = 2
    job_worker_type: str = "G.1X"
    job_timeout_minutes: int = 120
    dashboards_enabled: bool = False
    dashboard_readers: tuple[str, ...] = ()
    log_retention_days: int = 30
    simulated_shop: bool = False
    shop_every_minutes: int = 0


# path in the file -> field of DeploymentConfig and the type its value must have
_FIELDS: Mapping[str, tuple[str, type]] = {
    "schedule.expression": ("schedule", str),
    "schedule.enabled": ("scheduled", bool),
    "alerts.emails": ("alert_emails", list),
    "source.rds_instance": ("rds_instance", str),
    "source.new_rds_instance": ("new_rds_instance", bool),
    "source.instance_class": ("new_rds_class", str),
    "source.storage_gib": ("new_rds_storage_gib", int),
    "source.binlog_hours": ("new_rds_binlog_hours", int),
    "source.host": ("source_host", str),
    "source.port": ("source_port", int),
    "source.user": ("source_user", str),
    "source.ready": ("source_ready", bool),
    "source.rotate_days": ("rotate_source_days", int),
    "network.cidr": ("cidr", str),
    "network.zones": ("zones", list),
    "replication.instance_class": ("replication_instance_class", str),
    "warehouse.base_rpu": ("warehouse_base_rpu", int),
    "warehouse.daily_rpu_hours": ("warehouse_daily_rpu_hours", int),
    "jobs.workers": ("job_workers", int),
    "jobs.worker_type": ("job_worker_type", str),
    "jobs.timeout_minutes": ("job_timeout_minutes", int),
    "dashboards.enabled": ("dashboards_enabled", bool),
    "dashboards.readers": ("dashboard_readers", list),
    "logs.retention_days": ("log_retention_days", int),
    "shop.simulated": ("simulated_shop", bool),
    "shop.every_minutes": ("shop_every_minutes", int),
}
DEPLOYMENT_PATHS = frozenset(_FIELDS)
"""Paths in `shoplake.toml` that are read here."""


def environment_document(text: str, *, environment: str, where: str) -> dict[str, Any]:
    """The TOML document as one environment sees it: its own tables over those of all.

    Args:
        text: The file.
        environment: "" for the one that `project.environment` names.
        where: The file's name, for messages.

    Raises:
        ConfigError: It is no TOML, or an environment is no table.

    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{where} is not valid TOML: {error}", hint="mend the line that it names", file=where
        ) from error
    environments = document.pop(_ENVIRONMENTS, {})
    wrong = [name for name, value in environments.items() if not isinstance(value, dict)]
    if wrong or not isinstance(environments, dict):
        raise ConfigError(
            f"{where}: {_ENVIRONMENTS}.{wrong[0]} must be a table", hint=f"write [{_ENVIRONMENTS}.{wrong[0]}.<table>]"
        )
    base = document.get("project", {})
    name = environment or (base.get("environment") if isinstance(base, dict) else "") or "dev"
    merged = _merged(document, environments.get(name, {}))
    if environment:
        merged["project"] = {**merged.get("project", {}), "environment": environment}
    return merged


def _merged(base: Mapping[str, Any], special: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in special.items():
        before = merged.get(name)
        merged[name] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def parse_deployment_config(text: str, *, environment: str, where: str) -> DeploymentConfig:
    """The settings written in TOML `text` for that environment; settings of the data are passed over.

    Raises:
        ConfigError: Listing every wrong value with its path.

    """
    faults: list[str] = []
    values: dict[str, Any] = {}
    for path, value in flat(environment_document(text, environment=environment, where=where)).items():
        if path not in _FIELDS:
            continue
        field, kind = _FIELDS[path]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            faults.append(f"{path}: expected {kind.__name__}, found {value!r}")
            continue
        if isinstance(value, list) and not all(isinstance(one, str) for one in value):
            faults.append(f"{path}: expected texts in the list, found {value!r}")
            continue
        values[field] = tuple(value) if isinstance(value, list) else value
    faults += [
        f"{field}: must not be negative" for field, value in values.items() if isinstance(value, int) and value < 0
    ]
    if not 1 <= values.get("new_rds_binlog_hours", 1) <= _MOST_BINLOG_HOURS:
        faults.append(f"source.binlog_hours: RDS takes 1 to {_MOST_BINLOG_HOURS}")
    if values.get("shop_every_minutes") and not values.get("simulated_shop"):
        faults.append("shop.every_minutes: there is no shop to live on: set shop.simulated, too")
    if values.get("rds_instance") and values.get("new_rds_instance"):
        faults.append(
            "source: rds_instance names one that is there, new_rds_instance asks for a new one: keep one of them"
        )
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise ConfigError(f"{where} is not a valid configuration:\n{lines}", hint=f"edit {where}", faults=faults)
    return DeploymentConfig(**values)


def flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted path -> value, of every value in the tables."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
