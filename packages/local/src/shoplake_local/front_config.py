"""What the front process is told, as one JSON file that only its owner may read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from shoplake_core.endpoints import AwsEndpoint, WarehouseEndpoint
from shoplake_core.errors import ConfigError

__all__ = ["FrontConfig", "read_front_config"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontConfig:
    """Settings of the front process.

    Attributes:
        port: Where it listens on 127.0.0.1.
        state_folder: Where its services keep what must live through a kill.
        region: The one region that it plays.
        account: The account id in ARNs and catalogue ids.
        access_key_id: Who may call.
        secret_access_key: That caller's secret.
        object_store: S3, for services that read objects (COPY).
        object_store_state: The state folder of our own object store, where roles are let in; None for any other.
        warehouse: PostgreSQL, for the Redshift Data API.
        job_variables: What Glue jobs may know of this machine, such as JAVA_HOME.
        mysql: Host and port of the laptop's MySQL: where RDS's instances of it stand; None for nowhere.
        check_answers: Hold answers against AWS's models, too: for tests.

    """

    port: int
    state_folder: Path
    region: str
    account: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    object_store: AwsEndpoint | None = None
    object_store_state: Path | None = None
    warehouse: WarehouseEndpoint | None = None
    job_variables: Mapping[str, str] = field(default_factory=dict)
    mysql: tuple[str, int] | None = None
    check_answers: bool = False

    def to_json(self) -> str:
        """The file's text; it holds secrets."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, default=str)  # str: of paths

    @property
    def endpoint(self) -> AwsEndpoint:
        """How to call the front."""
        return AwsEndpoint(
            url=f"http://127.0.0.1:{self.port}",
            region=self.region,
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key,
        )


def read_front_config(path: Path) -> FrontConfig:
    """The settings in that file.

    Raises:
        ConfigError: It cannot be read, or a setting is unknown, missing or of the wrong kind.

    """
    hint = "let `up` write it again"
    try:
        data = json.loads(path.read_text("utf-8"))
        unknown = sorted(set(data) - {field.name for field in fields(FrontConfig)})
        if unknown:
            raise ConfigError(f"{path}: unknown settings {', '.join(unknown)}", hint=hint)
        data["state_folder"] = Path(data["state_folder"])
        if data.get("object_store_state") is not None:
            data["object_store_state"] = Path(data["object_store_state"])
        if data.get("mysql") is not None:
            host, port = data["mysql"]
            data["mysql"] = (str(host), int(port))
        for name, kind in (("object_store", AwsEndpoint), ("warehouse", WarehouseEndpoint)):
            if data.get(name) is not None:
                data[name] = kind(**data[name])
        return FrontConfig(**data)
    except (OSError, ValueError, TypeError, KeyError) as error:
        # without the cause: the text of a JSON error may hold what it read
        raise ConfigError(f"{path} is no configuration of the front ({type(error).__name__})", hint=hint) from None
