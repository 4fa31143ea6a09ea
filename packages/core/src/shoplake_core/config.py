"""What `shoplake.toml` says, as one frozen value. Unknown keys are refused with their path.

Precedence is flag > environment > this file > default; flags and environment are joined on at the command's edge.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shoplake_core.deployment import DEPLOYMENT_PATHS, environment_document, flat
from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean

__all__ = ["ProjectConfig", "parse_project_config"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectConfig:
    """The settings of one project.

    Attributes:
        name: Names the project in resource names; lower-case letters, digits and hyphens.
        environment: dev, prod or another word of up to 16 lower-case letters, digits and hyphens; part of every resource
            name, of which a bucket's is the tightest.
        region: AWS region, also used locally so that requests are signed alike.
        source_schema: The MySQL schema that is captured.
        store_time_zone: IANA name of the zone that decides which day a sale belongs to.
        store_currency: ISO 4217 code of the currency that amounts are summed in.
        tables: Silver tables to take; empty for every contract.
        flush_interval_seconds: Longest time a change waits before it is written to bronze (DMS: CdcMaxBatchInterval,
            60 s by default). Short locally so that a demo does not wait.
        flush_size_bytes: A change file is closed at this size (DMS: CdcMinFileSize, 32,000 KB).
        tombstone_days: How long deleted keys are remembered; longer than any redelivery of old changes.

    """

    name: str = "shop"
    environment: str = "dev"
    region: str = "eu-central-1"
    source_schema: str = "shop"
    store_time_zone: str = "UTC"
    store_currency: str = "EUR"
    tables: tuple[str, ...] = ()
    flush_interval_seconds: float = 60.0
    flush_size_bytes: int = 32_000 * 1024
    tombstone_days: int = 30


_ENVIRONMENT = re.compile(r"(?=.{1,16}$)[a-z](-?[a-z0-9])*")

# path in the file -> field of ProjectConfig and the type its value must have
_FIELDS: Mapping[str, tuple[str, type | tuple[type, ...]]] = {
    "project.name": ("name", str),
    "project.environment": ("environment", str),
    "project.region": ("region", str),
    "source.schema": ("source_schema", str),
    "store.time_zone": ("store_time_zone", str),
    "store.currency": ("store_currency", str),
    "tables.include": ("tables", list),
    "replication.flush_interval_seconds": ("flush_interval_seconds", (int, float)),
    "replication.flush_size_bytes": ("flush_size_bytes", int),
    "silver.tombstone_days": ("tombstone_days", int),
}


def parse_project_config(text: str, *, where: str, environment: str = "") -> ProjectConfig:
    """The configuration written in TOML `text`, as one environment sees it; "" for the one that the file names.

    Raises:
        ConfigError: Listing every unknown key and wrong value with its path.

    """
    given = flat(environment_document(text, environment=environment, where=where))
    faults: list[str] = []
    values: dict[str, Any] = {}
    for path, value in given.items():
        if path in DEPLOYMENT_PATHS:
            continue
        if path not in _FIELDS:
            faults.append(f"{path}: unknown setting{did_you_mean(path, {*_FIELDS, *DEPLOYMENT_PATHS})}")
            continue
        field, kind = _FIELDS[path]
        if not isinstance(value, kind) or isinstance(value, bool):
            faults.append(f"{path}: expected {kind if isinstance(kind, tuple) else kind.__name__}, found {value!r}")
            continue
        values[field] = tuple(value) if isinstance(value, list) else value
    zone = values.get("store_time_zone", "UTC")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(f'store.time_zone: "{zone}" is no IANA time zone, such as "Europe/Berlin"')
    positive = ("flush_interval_seconds", "flush_size_bytes", "tombstone_days")
    faults += [f"{field}: must be above 0" for field in positive if values.get(field, 1) <= 0]
    environment_name = values.get("environment", "dev")
    if not _ENVIRONMENT.fullmatch(environment_name):
        faults.append(
            f'project.environment: "{environment_name}" is no word of up to 16 lower-case letters, digits and single hyphens'
        )
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise ConfigError(
            f"{where} is not a valid configuration:\n{lines}", hint=f"edit {where}", file=where, faults=faults
        )
    return ProjectConfig(**values)
