"""Where a user's project and its state lie: the folder with `shoplake.toml`, and `.shoplake/` beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shoplake_core.deployment import DeploymentConfig, parse_deployment_config
from shoplake_core.errors import ConfigError
from shoplake_core.names import LOCAL_ACCOUNT, ResourceNames
from shoplake_core.project import CONFIG_FILE_NAME, Project, project_from_folder

__all__ = ["Workspace", "open_workspace"]

_STATE_FOLDER_NAME = ".shoplake"
_REFERENCE_PROJECT = "shop"


@dataclass(frozen=True, slots=True)
class Workspace:
    """One project on this machine.

    Attributes:
        folder: The folder that holds `shoplake.toml`.
        state_folder: Everything that servers and runs keep; ignored by git.
        project: The project as it is now, as one environment sees it.
        deployment: What it says of that environment's resources.
        mysql_url: A MySQL of the user's own, "" for a private one.

    """

    folder: Path
    state_folder: Path
    project: Project
    deployment: DeploymentConfig
    mysql_url: str

    @property
    def names(self) -> ResourceNames:
        """The local environment's resource names."""
        config = self.project.config
        return ResourceNames(config.environment, LOCAL_ACCOUNT, config.region)


def _project_folder(start: Path) -> Path:
    for folder in (start, *start.parents):
        if (folder / CONFIG_FILE_NAME).is_file():
            return folder
    if (start / _REFERENCE_PROJECT / CONFIG_FILE_NAME).is_file():
        return start / _REFERENCE_PROJECT
    raise ConfigError(
        f"no {CONFIG_FILE_NAME} in {start} or above it",
        hint="run it in a project folder, or pass --project FOLDER",
        folder=str(start),
    )


def open_workspace(*, project: Path | None, start: Path, environment: Mapping[str, str], named: str = "") -> Workspace:
    """The workspace of `project`, or of the nearest project at or above `start`.

    Args:
        project: What `--project` names; None to look for it.
        start: The current folder.
        environment: SHOPLAKE_STATE (state folder) and SHOPLAKE_MYSQL_URL are read from it.
        named: The environment to see, such as "prod"; "" for the one that `shoplake.toml` names.

    Raises:
        ConfigError: There is no project, or its files are wrong.

    """
    folder = project.resolve() if project is not None else _project_folder(start.resolve())
    state = environment.get("SHOPLAKE_STATE", "")
    found = project_from_folder(folder, environment=named)
    return Workspace(
        folder=folder,
        state_folder=Path(state).resolve() if state else folder / _STATE_FOLDER_NAME,
        project=found,
        deployment=parse_deployment_config(
            found.files[CONFIG_FILE_NAME], environment=found.config.environment, where=CONFIG_FILE_NAME
        ),
        mysql_url=environment.get("SHOPLAKE_MYSQL_URL", ""),
    )
