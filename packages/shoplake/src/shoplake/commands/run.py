"""`run` and `reconcile`: bring the layers up to date, and prove that they agree."""

import secrets
from datetime import datetime
from typing import Annotated, Any

import typer
from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean
from shoplake_infra.artifacts.platforms import Target
from shoplake_orchestration.run_machine import BEGINNINGS

from shoplake.cli import InEnvironment, Json, OnTarget, app, session
from shoplake.cloud import Cloud
from shoplake.narration import Narrator
from shoplake.replication_status import why_replication_stopped
from shoplake.runs.following import RunFailedError, RunFollower
from shoplake.runs.story import RUN_PARTS
from shoplake.targets import open_cloud
from shoplake.views.documents import print_document
from shoplake.views.reconciliation import print_reconciliation
from shoplake.views.run import print_run

__all__ = ["run_now"]

_RECONCILE = "Reconcile all layers"


def run_now(
    cloud: Cloud,
    narrator: Narrator,
    *,
    begin_at: str = "",
    rebuild: bool = False,
    backfill_from: str = "",
    first_number: int = 1,
    step_count: int = len(RUN_PARTS),
) -> dict[str, Any]:
    """The document of a run that was started now and has succeeded.

    Raises:
        RunFailedError: It failed; where replication is the cause, with what that says.
        DisagreementError: The layers disagree.

    """
    run_id = f"{cloud.clock.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    execution = cloud.executions.start(run_id, begin_at=begin_at, rebuild=rebuild, backfill_from=backfill_from)
    follower = RunFollower(
        cloud.executions,
        cloud.run_reader,
        narrator,
        clock=cloud.clock,
        first_number=first_number,
        step_count=step_count,
    )
    try:
        return follower.followed(execution)
    except RunFailedError as error:
        if "replication" not in error.message:
            raise
        told = why_replication_stopped(cloud)
        if not told or told in error.message:
            raise
        raise RunFailedError(f"{error.message}\n{told}", hint=error.hint, **error.values) from error


@app.command()
def run(
    begin_at: Annotated[
        str, typer.Option("--from", metavar="STATE", help="Begin at this state, not at the first.")
    ] = "",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build gold and the warehouse anew from silver.")] = False,
    target: OnTarget = Target.LOCAL,
    env: InEnvironment = "",
    as_json: Json = False,
) -> None:
    """Carry everything new from MySQL to the warehouse, and reconcile."""
    with session(environment=env) as (workspace, narrator):
        if begin_at and begin_at not in BEGINNINGS:
            raise ConfigError(
                f'a run cannot begin at "{begin_at}"{did_you_mean(begin_at, BEGINNINGS)}',
                hint=f"one of: {'; '.join(BEGINNINGS)}",
            )
        cloud = open_cloud(workspace, narrator, target)
        _print(run_now(cloud, narrator, begin_at=begin_at, rebuild=rebuild), as_json=as_json)


def _print(document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_document(document)
        return
    print_run(document)
    if "outcome" in document["steps"].get("reconcile", {}):
        print_reconciliation(document["steps"]["reconcile"]["outcome"])


@app.command()
def backfill(
    first_day: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help="The first day to build anew.")
    ],
    target: OnTarget = Target.LOCAL,
    env: InEnvironment = "",
    as_json: Json = False,
) -> None:
    """Build gold anew from a day on, and reconcile: for a model whose SQL was corrected, or that missed late rows."""
    with session(environment=env) as (workspace, narrator):
        cloud = open_cloud(workspace, narrator, target)
        day = first_day.date()
        if day > cloud.clock.now().date():
            raise ConfigError(f"there is nothing to build from {day} on: it lies in the future", hint="an earlier day")
        _print(run_now(cloud, narrator, backfill_from=day.isoformat()), as_json=as_json)


@app.command()
def reconcile(target: OnTarget = Target.LOCAL, env: InEnvironment = "", as_json: Json = False) -> None:
    """Compare MySQL, silver, gold and the warehouse at one cut, to the row and the cent. Exit code 1 where they disagree."""
    with session(environment=env) as (workspace, narrator):
        cloud = open_cloud(workspace, narrator, target)
        document = run_now(cloud, narrator, begin_at=_RECONCILE)["steps"]["reconcile"]["outcome"]
        if as_json:
            print_document(document)
        else:
            print_reconciliation(document)
