"""The command `shoplake`: words, flags and exit codes. Each command loads what it needs, does it, and shows it."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from shoplake_core.clock import SystemClock
from shoplake_infra.artifacts.platforms import Target

from shoplake.exit_codes import ExitCode
from shoplake.narration import Narrator
from shoplake.workspace import Workspace, open_workspace

__all__ = ["app", "asked_command", "main", "session", "told"]

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
_MODULE_OF = {
    "init": "init",
    "validate": "validate",
    "demo": "demo",
    "up": "servers",
    "down": "servers",
    "status": "status",
    "plan": "estate",
    "apply": "estate",
    "destroy": "estate",
    "seed": "data",
    "load": "data",
    "reload": "data",
    "run": "run",
    "backfill": "run",
    "reconcile": "run",
    "runs": "runs",
    "logs": "logs",
    "pause": "schedule",
    "resume": "schedule",
    "query": "query",
    "dash": "dash",
    "metrics": "metrics",
    "console": "console",
    "doctor": "doctor",
    "iam-policy": "iam_policy",
}
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; talk stays on stderr.")]
OnTarget = Annotated[
    Target,
    typer.Option(
        "--target", envvar="SHOPLAKE_TARGET", help="The AWS on this laptop, or the account that is signed in."
    ),
]
InEnvironment = Annotated[
    str,
    typer.Option("--env", envvar="SHOPLAKE_ENV", help="dev, prod ...; by default the one that shoplake.toml names."),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"shoplake {installed_version('shoplake')}\n")
        raise typer.Exit


@app.callback()
def _global_flags(
    project: Annotated[
        Path | None, typer.Option("--project", help="Folder with shoplake.toml; by default the current one or above.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour (NO_COLOR does the same).")] = False,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    _settings.project, _settings.debug, _settings.no_color = project, debug, no_color


def make_narrator() -> Narrator:
    """A narrator on stderr."""
    return Narrator(Console(stderr=True, no_color=_settings.no_color or None), SystemClock())


@contextmanager
def told(folder: Path | None = None) -> Iterator[Narrator]:
    """A narrator on stderr; an error of ours is told in our words, with its exit code.

    Args:
        folder: Where a full disk would be; by default the current one.

    """
    narrator = make_narrator()
    try:
        yield narrator
    except Exception as error:
        from shoplake.foreign_errors import told_error  # noqa: PLC0415 - botocore is imported where something failed

        ours = told_error(error, folder or Path.cwd())
        if ours is None or _settings.debug:
            raise
        narrator.error(ours)
        raise typer.Exit(ours.exit_code) from None
    except KeyboardInterrupt:
        narrator.say(
            "interrupted; a rerun goes on where this stopped. A run that was started goes on: shoplake runs list"
        )
        raise typer.Exit(ExitCode.INTERRUPTED) from None


@contextmanager
def session(*, environment: str = "", announce: bool = True) -> Iterator[tuple[Workspace, Narrator]]:
    """The workspace and a narrator; an error of ours is told in our words, with its exit code.

    Args:
        environment: Which environment of the project; "" for the one that it names.
        announce: Say which project this is before anything else.

    """
    with ExitStack() as stack:
        with told():
            workspace = open_workspace(
                project=_settings.project, start=Path.cwd(), environment=os.environ, named=environment
            )
        narrator = stack.enter_context(told(workspace.state_folder))
        if announce:
            config = workspace.project.config
            state = os.path.relpath(workspace.state_folder)
            narrator.say(f"project {config.name}   environment {config.environment}   state {state}")
        yield workspace, narrator


def asked_command(words: Sequence[str]) -> str:
    """The command's name among a command line's words; "" where it names none.

    A value of a flag before it is not mistaken for one: a project may lie in a folder called "demo".
    """
    skipped = False
    for word in words:
        if skipped:
            skipped = False
        elif word == "--project":
            skipped = True
        elif not word.startswith("-"):
            return word
    return ""


def main() -> None:
    """Run the command line; only the module of the command that is asked for is imported."""
    module = _MODULE_OF.get(asked_command(sys.argv[1:]))
    for name in [module] if module else sorted(set(_MODULE_OF.values())):
        import_module(f"shoplake.commands.{name}")
    app()
