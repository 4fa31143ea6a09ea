"""Which MySQL a laptop gets: the server program that is there, else Docker, else a sentence that says what to install."""

from pathlib import Path
from typing import TYPE_CHECKING

from shoplake_core.clock import Clock
from shoplake_core.errors import ResourceError

from shoplake_engines.mysql_engine import MySqlEngine
from shoplake_engines.mysql_programs import INSTALL_HINT, find_mysql_program

if TYPE_CHECKING:
    from shoplake_engines.mysql_docker_engine import DockerMySqlEngine

__all__ = ["mysql_engine_for"]


def mysql_engine_for(
    state_folder: Path, *, program_path: Path | None = None, fast: bool = False, clock: Clock | None = None
) -> "MySqlEngine | DockerMySqlEngine":
    """The engine that this machine can run; nothing is started yet.

    Raises:
        ResourceError: There is neither a server program nor a Docker engine that answers.

    """
    program = find_mysql_program(program_path)
    if program is not None:
        return MySqlEngine(state_folder, program, fast=fast, clock=clock)
    # imported late: Docker's client takes a third of a second, and most machines have a program
    from shoplake_engines.mysql_docker_engine import DockerMySqlEngine, docker_answers  # noqa: PLC0415

    if docker_answers():
        return DockerMySqlEngine(state_folder, fast=fast, clock=clock)
    raise ResourceError("there is no MySQL or MariaDB server here, and no Docker engine answers", hint=INSTALL_HINT)
