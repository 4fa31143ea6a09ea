"""The replicator's configuration: one JSON file, and the password from the environment."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean

from shoplake_replication.s3_settings import S3Settings, parse_s3_settings
from shoplake_replication.table_mappings import TableMappings, parse_table_mappings

__all__ = ["PASSWORD_VARIABLE", "ReplicatorConfig", "S3Target", "parse_config"]

PASSWORD_VARIABLE = "SHOPLAKE_SOURCE_PASSWORD"  # noqa: S105 - the variable's name, not a password


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Target:
    """Where bronze lies; who writes there is said by the standard AWS variables.

    Attributes:
        bucket: An existing bucket.
        folder: Prefix before every key, without slashes at the ends; "" for none.
        endpoint_url: None for AWS itself.
        region: AWS region.

    """

    bucket: str
    folder: str = ""
    endpoint_url: str | None = None
    region: str = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicatorConfig:
    """Everything one replicator needs. In the JSON file the keys are the same.

    Attributes:
        source: {"host", "port", "user"}; the password comes from SHOPLAKE_SOURCE_PASSWORD.
        table_mappings: DMS table mappings.
        s3: {"bucket", "folder", "endpoint_url", "region"}.
        s3_settings: DMS S3Settings.
        state_dir: Folder of this replicator alone: position, counters, the cut under way.
        server_id: Its id among the server's replicas; 0 draws one at the first start and keeps it.
        heartbeat_seconds: How often a server with nothing to send must say so; after three missed ones the stream is
            opened anew.
        transaction_memory_bytes: Rows of one transaction held in memory; a larger one waits for its commit on disk.
        load_file_bytes: Arrow bytes of one LOAD file.

    """

    source: MySqlEndpoint
    table_mappings: TableMappings
    s3: S3Target
    s3_settings: S3Settings
    state_dir: Path
    server_id: int = 0
    heartbeat_seconds: float = 5.0
    transaction_memory_bytes: int = 64_000_000
    load_file_bytes: int = 128_000_000


_REQUIRED = ("source", "table_mappings", "s3", "s3_settings", "state_dir")
_OPTIONAL: dict[str, type] = {
    "server_id": int,
    "heartbeat_seconds": float,
    "transaction_memory_bytes": int,
    "load_file_bytes": int,
}
_MAX_SERVER_ID = 2**32 - 1


def _fields(document: Any, path: str, *, required: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise ConfigError(f"{path} must be an object", path=path)
    for key in document:
        if key not in (*required, *optional):
            known = [*required, *optional]
            raise ConfigError(
                f"{path}.{key} is no setting{did_you_mean(key, known)}",
                hint="remove or rename it",
                path=f"{path}.{key}",
            )
    for key in required:
        if key not in document:
            raise ConfigError(f"{path}.{key} is missing", hint="add it", path=f"{path}.{key}")
    return document


def _numbers(document: dict[str, Any], where: str) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for key, kind in _OPTIONAL.items():
        if key in document:
            value = document[key]
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise ConfigError(f"{where}.{key} is {value!r}, expected a number", path=f"{where}.{key}")
            numbers[key] = kind(value)
    if numbers.get("server_id", 0) > _MAX_SERVER_ID:
        raise ConfigError(f"{where}.server_id must be below 2**32", path=f"{where}.server_id")
    return numbers


def parse_config(text: str, *, password: str, where: str = "config") -> ReplicatorConfig:
    """The configuration in a JSON text.

    Raises:
        ConfigError: It is not valid; the message has the path of the setting.

    """
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{where} is no JSON: {error}", hint="mend it") from error
    document = _fields(parsed, where, required=_REQUIRED, optional=tuple(_OPTIONAL))
    source = _fields(document["source"], f"{where}.source", required=("host", "user"), optional=("port",))
    s3 = _fields(document["s3"], f"{where}.s3", required=("bucket",), optional=("folder", "endpoint_url", "region"))
    target = S3Target(
        bucket=str(s3["bucket"]),
        folder=str(s3.get("folder") or "").strip("/"),
        endpoint_url=s3.get("endpoint_url"),
        region=str(s3.get("region") or "us-east-1"),
    )
    return ReplicatorConfig(
        source=MySqlEndpoint(
            host=str(source["host"]), port=int(source.get("port", 3306)), user=str(source["user"]), password=password
        ),
        table_mappings=parse_table_mappings(document["table_mappings"], where=f"{where}.table_mappings"),
        s3=target,
        s3_settings=parse_s3_settings(
            document["s3_settings"], bucket=target.bucket, folder=target.folder, where=f"{where}.s3_settings"
        ),
        state_dir=Path(str(document["state_dir"])),
        **_numbers(document, where),
    )
