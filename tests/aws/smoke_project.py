"""The project that the smoke runs: a copy of the reference shop with an environment of its own, as small as AWS sells it."""

import shutil
from pathlib import Path

__all__ = ["smoke_project"]

_ROOT = Path(__file__).parents[2]
_SETTINGS = """
[environments.{name}.replication]
flush_interval_seconds = {flush_seconds}
[environments.{name}.source]
new_rds_instance = true
instance_class = "db.t4g.micro"
storage_gib = 20
[environments.{name}.shop]
simulated = true
[environments.{name}.warehouse]
base_rpu = 8
daily_rpu_hours = 16
[environments.{name}.jobs]
workers = 2
timeout_minutes = 30
[environments.{name}.logs]
retention_days = 1
"""


def smoke_project(folder: Path, environment: str, *, on_aws: bool, region: str = "") -> Path:
    """The folder, filled: `new_rds_instance` is one on AWS, and the laptop's own MySQL on a laptop."""
    shutil.copytree(_ROOT / "shop", folder, ignore=shutil.ignore_patterns(".shoplake"), dirs_exist_ok=True)
    settings = _SETTINGS.format(name=environment, flush_seconds=10.0 if on_aws else 1.0)
    if region:
        settings += f'[environments.{environment}.project]\nregion = "{region}"\n'
    file = folder / "shoplake.toml"
    file.write_text(file.read_text() + settings)
    return folder
