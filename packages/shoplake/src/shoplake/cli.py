"""The command `shoplake`: words, flags and exit codes. Each command loads what it needs, does it, and shows it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from shoplake_core.clock import SystemClock
from shoplake_core.errors import ShoplakeError

from shoplake.exit_codes import ExitCode
from shoplake.narration import Narrator
from shoplake.workspace import Workspace, open_workspace

__all__ = ["app", "main"]

app = typer.Typer(
    name="shoplake",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From a shop's MySQL to numbers that agree. Start with `shoplake demo`, or `shoplake doctor` on your own database.",
)


@dataclass
class _Settings:
    """The flags that stand before the command's name."""

    project: Path | None = None
    debug: bool = False
    no_color: bool = False


_settings = _Settings()
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; talk stays on stderr.")]


@app.callback()
def _global_flags(
    project: Annotated[
        Path | None, typer.Option("--project", help="Folder with shoplake.toml; by default the current one or above.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour (NO_COLOR does the same).")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version and end.")] = False,
) -> None:
    _settings.project, _settings.debug, _settings.no_color = project, debug, no_color
    if version:
        from importlib.metadata import version as installed  # noqa: PLC0415 - only this flag needs it

        sys.stdout.write(f"shoplake {installed('shoplake')}\n")
        raise typer.Exit


def make_narrator() -> Narrator:
    """A narrator on stderr."""
    return Narrator(Console(stderr=True, no_color=_settings.no_color or None), SystemClock())


@contextmanager
def session(*, announce: bool = True) -> Iterator[tuple[Workspace, Narrator]]:
    """The workspace and a narrator; an error of ours is told in our words, with its exit code."""
    narrator = make_narrator()
    try:
        workspace = open_workspace(project=_settings.project, start=Path.cwd(), environment=os.environ)
        if announce:
            config = workspace.project.config
            state = os.path.relpath(workspace.state_folder)
            narrator.say(f"target local   project {config.name}   environment {config.environment}   state {state}")
        yield workspace, narrator
    except ShoplakeError as error:
        if _settings.debug:
            raise
        narrator.error(error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        narrator.say("interrupted; a rerun goes on where this stopped")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def main() -> None:
    """Run the command line."""
    from shoplake import commands  # noqa: F401, PLC0415 - registers the commands; imported late so that --help is quick

    app()


if __name__ == "__main__":
    main()
