"""`runs`: what ran, one run whole, and stop and redrive."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from shoplake_core.errors import ConflictError
from shoplake_infra.artifacts.platforms import Target

from shoplake.cli import InEnvironment, Json, OnTarget, app, session
from shoplake.runs.documents_aws import run_document, status_word
from shoplake.runs.following import RunFollower
from shoplake.targets import reached_cloud
from shoplake.views.documents import print_document
from shoplake.views.graphs import print_graph, run_picture
from shoplake.views.reconciliation import print_reconciliation
from shoplake.views.run import print_run
from shoplake.views.runs import print_run_list, print_run_story

runs = typer.Typer(no_args_is_help=True, help="What ran, one run whole, and stop and redrive.")
app.add_typer(runs, name="runs")
RunId = Annotated[
    str, typer.Argument(metavar="RUN", help='A run\'s id, as `runs list` shows it; "last" for the newest.')
]


@runs.command("list")
def list_runs(
    count: Annotated[int, typer.Option("--count", min=1, max=1000, help="How many, newest first.")] = 20,
    target: OnTarget = Target.LOCAL,
    env: InEnvironment = "",
    as_json: Json = False,
) -> None:
    """List the newest runs."""
    with session(environment=env, announce=not as_json) as (workspace, narrator):
        found = reached_cloud(workspace, narrator, target).executions.listed(count)
        entries = [
            {
                "run_id": run.run_id,
                "status": status_word(run.status),
                "started_at": run.started_at.isoformat(),
                "ended_at": run.ended_at.isoformat() if run.ended_at else "",
                "seconds": round((run.ended_at - run.started_at).total_seconds(), 1) if run.ended_at else None,
                "redrives": run.redrive_count,
            }
            for run in found
        ]
        if as_json:
            print_document({"runs": entries})
        else:
            print_run_list(entries)


@runs.command()
def show(
    run_id: RunId,
    with_graph: Annotated[bool, typer.Option("--graph", help="Every state with what it did, too.")] = False,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Write the graph as a picture.")] = None,
    target: OnTarget = Target.LOCAL,
    env: InEnvironment = "",
    as_json: Json = False,
) -> None:
    """Show one run: its parts and times, what it counted, and why it failed."""
    with session(environment=env, announce=not as_json) as (workspace, narrator):
        cloud = reached_cloud(workspace, narrator, target)
        execution = cloud.executions.named(run_id)
        events = cloud.executions.events(execution)
        if svg is not None:
            svg.write_text(
                run_picture(cloud.executions.definition(execution), events, title=f"Run {execution.run_id}"), "utf-8"
            )
            narrator.say(f"the graph is in {svg}")
        document = run_document(execution, events, cloud.run_reader.summaries(execution.run_id))
        if as_json:
            print_document(document)
            return
        print_run_story(document)
        if with_graph:
            print_graph(cloud.executions.definition(execution), events)
        print_run(document)
        if "outcome" in document["steps"].get("reconcile", {}):
            print_reconciliation(document["steps"]["reconcile"]["outcome"])


@runs.command()
def stop(run_id: RunId, target: OnTarget = Target.LOCAL, env: InEnvironment = "") -> None:
    """Stop a run where it is; what it has done stays done, and `redrive` lets it go on."""
    with session(environment=env) as (workspace, narrator):
        cloud = reached_cloud(workspace, narrator, target)
        execution = cloud.executions.named(run_id)
        if not execution.is_running:
            raise ConflictError(f"run {execution.run_id} is {status_word(execution.status)}", hint="shoplake runs list")
        cloud.executions.stop(execution, cause="stopped with `shoplake runs stop`")
        narrator.say(f"run {execution.run_id} is stopped; it goes on with: shoplake runs redrive {execution.run_id}")


@runs.command()
def redrive(run_id: RunId, target: OnTarget = Target.LOCAL, env: InEnvironment = "", as_json: Json = False) -> None:
    """Let a failed or stopped run go on at the state that failed, and follow it."""
    with session(environment=env) as (workspace, narrator):
        cloud = reached_cloud(workspace, narrator, target)
        execution = cloud.executions.named(run_id)
        cloud.executions.redrive(execution)
        document: dict[str, Any] = RunFollower(
            cloud.executions, cloud.run_reader, narrator, clock=cloud.clock
        ).followed(execution)
        if as_json:
            print_document(document)
        else:
            print_run(document)


@runs.command()
def history(run_id: RunId, target: OnTarget = Target.LOCAL, env: InEnvironment = "") -> None:
    """Print every event of a run as JSON lines, as GetExecutionHistory tells them."""
    with session(environment=env, announce=False) as (workspace, narrator):
        cloud = reached_cloud(workspace, narrator, target)
        for event in cloud.executions.events(cloud.executions.named(run_id)):
            typer.echo(json.dumps(event, default=str))
