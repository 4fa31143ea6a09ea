"""Which MySQL a laptop gets: the server program that is there, else Docker, else a sentence that says what to install."""

from pathlib import Path
from typing import Protocol

from shoplake_core.clock import Clock
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import ResourceError

from shoplake_engines.engine import EngineStatus
from shoplake_engines.mysql_engine import DOCKER_FOLDER_NAME, PREFERRED_PORT, MySqlEngine
from shoplake_engines.mysql_programs import INSTALL_HINT, find_mysql_program

__all__ = ["MySqlServerEngine", "mysql_engine_for"]


class MySqlServerEngine(Protocol):
    """An engine that gives a MySQL endpoint."""

    name: str

    def up(self) -> MySqlEndpoint:
        """The endpoint of the running server, started if it did not run."""
        ...

    def down(self) -> bool:
        """Whether it ran; afterwards it does not."""
        ...

    def status(self) -> EngineStatus:
        """Whether it runs now."""
        ...


def mysql_engine_for(
    state_folder: Path,
    *,
    program_path: Path | None = None,
    fast: bool = False,
    preferred_port: int = PREFERRED_PORT,
    clock: Clock | None = None,
) -> MySqlServerEngine:
    """The engine that this machine can run; nothing is started yet.

    A state folder whose data are in Docker stays with Docker, also when a program is installed later.

    Raises:
        ResourceError: There is neither a server program nor a Docker engine that answers.

    """
    data_in_docker = (state_folder / DOCKER_FOLDER_NAME).is_dir()
    program = find_mysql_program(program_path)
    if program is not None and not data_in_docker:
        return MySqlEngine(state_folder, program, fast=fast, preferred_port=preferred_port, clock=clock)
    # imported late: Docker's client takes a third of a second, and most machines have a program
    from shoplake_engines.mysql_docker_engine import DockerMySqlEngine, docker_answers  # noqa: PLC0415

    if data_in_docker or docker_answers():
        return DockerMySqlEngine(state_folder, fast=fast, preferred_port=preferred_port, clock=clock)
    raise ResourceError("there is no MySQL or MariaDB server here, and no Docker engine answers", hint=INSTALL_HINT)
