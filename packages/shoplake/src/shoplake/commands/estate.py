"""`plan`, `apply`, `destroy`: the environment's resources as the project describes them."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer
from shoplake_core.clock import SystemClock
from shoplake_core.errors import ConfigError
from shoplake_infra.artifacts.platforms import Target
from shoplake_infra.plan import Action, Plan, PlannedChange

from shoplake.cli import InEnvironment, Json, OnTarget, app, session
from shoplake.cloud import Cloud, account_cloud
from shoplake.estate import applied, destruction, planned
from shoplake.exit_codes import ExitCode
from shoplake.narration import Narrator
from shoplake.quicksight_estate import why_without_dashboards
from shoplake.targets import LocalCloud, bring_up, forget_applied, login_writer
from shoplake.views.documents import print_document
from shoplake.views.plans import print_plan
from shoplake.workspace import Workspace

Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking; needed where there is no terminal.")]


def _reached(workspace: Workspace, narrator: Narrator, target: Target) -> tuple[Cloud, LocalCloud | None]:
    """The AWS as it is: servers are up, nothing is provisioned by this."""
    if target is Target.LOCAL:
        local = bring_up(workspace, narrator, count=1)
        narrator.say(local.cloud.words)
        return local.cloud, local
    cloud = account_cloud(workspace, clock=SystemClock())
    narrator.say(cloud.words)
    return cloud, None


def _tell_what_is_left_out(cloud: Cloud, narrator: Narrator) -> None:
    if left_out := why_without_dashboards(cloud):
        narrator.say(left_out)


def _confirmed(question: str, *, answer: str, yes: bool) -> None:
    """Pass where the person agrees.

    Raises:
        ConfigError: There is nobody to ask.
        Abort: The answer is another one.

    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError("there is no terminal to ask on", hint="look at `shoplake plan`, then pass --yes")
    if typer.prompt(question, err=True) != answer:
        raise typer.Abort


@app.command()
def plan(
    target: OnTarget = Target.LOCAL,
    env: InEnvironment = "",
    fail_on_changes: Annotated[
        bool, typer.Option("--fail-on-changes", help="Exit code 1 where there are any.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what `apply` would create (+), change (~) and delete (-). Writes nothing."""
    with session(environment=env) as (workspace, narrator):
        cloud, _ = _reached(workspace, narrator, target)
        _tell_what_is_left_out(cloud, narrator)
        to_do = planned(cloud)
        _show(to_do, as_json=as_json)
        if to_do.changes and not as_json:
            narrator.say(f"next: shoplake apply{_flags(target, env)}")
        if fail_on_changes and to_do.changes:
            raise typer.Exit(ExitCode.WORK_FAILED)


@app.command()
def apply(target: OnTarget = Target.LOCAL, env: InEnvironment = "", yes: Yes = False, as_json: Json = False) -> None:
    """Bring the environment to what the project describes: shows the plan, asks, and does it. Safe to run again."""
    with session(environment=env) as (workspace, narrator):
        cloud, local = _reached(workspace, narrator, target)
        _tell_what_is_left_out(cloud, narrator)
        to_do = planned(cloud)
        if not as_json:
            print_plan(to_do)
        if to_do.changes:
            _confirmed("Do this? Only 'yes' is taken", answer="yes", yes=yes)
            applied(
                to_do, cloud, done=_Counter(len(to_do.changes), narrator, also=login_writer(local) if local else None)
            )
        if as_json:
            print_document(to_do.as_json())
        narrator.say(f"next: shoplake run{_flags(target, env)}")


@app.command()
def destroy(
    target: OnTarget = Target.LOCAL,
    env: InEnvironment = "",
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Buckets and warehouse too, with all in them.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Delete what `apply` made, and nothing that does not carry its tags. Data stays unless --delete-data is given."""
    with session(environment=env) as (workspace, narrator):
        cloud, local = _reached(workspace, narrator, target)
        to_do = destruction(cloud, delete_data=delete_data)
        if not as_json:
            print_plan(to_do)
        if to_do.changes:
            name = cloud.names.environment
            _confirmed(f"This cannot be taken back. Type the environment's name ({name})", answer=name, yes=yes)
            if local is not None:
                forget_applied(workspace)
            applied(to_do, cloud, done=_Counter(len(to_do.changes), narrator))
        if as_json:
            print_document(to_do.as_json())


class _Counter:
    """Says each change when it is done, with its number."""

    def __init__(self, total: int, narrator: Narrator, *, also: Callable[[PlannedChange], None] | None = None) -> None:
        self._total, self._narrator, self._also = total, narrator, also
        self._count = 0

    def __call__(self, change: PlannedChange) -> None:
        self._count += 1
        word = {Action.CREATE: "created", Action.UPDATE: "changed", Action.DELETE: "deleted"}[change.action]
        self._narrator.say(f"[{self._count}/{self._total}] {change.resource.address} {word}")
        if self._also is not None:
            self._also(change)


def _show(to_do: Plan, *, as_json: bool) -> None:
    if as_json:
        print_document(to_do.as_json())
    else:
        print_plan(to_do)


def _flags(target: Target, env: str) -> str:
    return (f" --target {target}" if target is not Target.LOCAL else "") + (f" --env {env}" if env else "")
