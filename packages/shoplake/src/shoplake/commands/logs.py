"""`logs`: what a run left in logs."""

import json
from typing import Annotated

import typer
from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean
from shoplake_infra.artifacts.platforms import Target

from shoplake.cli import InEnvironment, OnTarget, app, session
from shoplake.run_logs import job_runs_in, lines_from_cloudwatch, lines_from_laptop, logged_events
from shoplake.targets import reached_cloud


@app.command()
def logs(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help='A run\'s id, or "last".')] = "last",
    state: Annotated[str, typer.Option("--state", help="Only the job of this state.")] = "",
    events: Annotated[
        bool, typer.Option("--events", help="The run's own events instead, as Step Functions logged them: JSON lines.")
    ] = False,
    target: OnTarget = Target.LOCAL,
    env: InEnvironment = "",
) -> None:
    """Print what the jobs of a run printed, in the order of their start."""
    with session(environment=env, announce=False) as (workspace, narrator):
        cloud = reached_cloud(workspace, narrator, target)
        execution = cloud.executions.named(run_id)
        if events:
            logs_client, group = cloud.aws.client("logs"), cloud.names.state_machine_logs
            for event in logged_events(logs_client, group, execution.arn, since=execution.started_at):
                typer.echo(json.dumps(event, ensure_ascii=False))
            return
        jobs = job_runs_in(cloud.executions.events(execution))
        states = [job.state for job in jobs]
        if state and state not in states:
            raise ConfigError(
                f'run {execution.run_id} started no job in "{state}"{did_you_mean(state, states)}',
                hint=f"it did in: {'; '.join(dict.fromkeys(states)) or 'no state'}",
            )
        for job in jobs:
            if state and job.state != state:
                continue
            narrator.say(f"-- {job.state}: {job.job_run_id}")
            local = target is Target.LOCAL
            lines = (
                lines_from_laptop(workspace.state_folder, job)
                if local
                else lines_from_cloudwatch(cloud.aws.client("logs"), job)
            )
            for line in lines:
                typer.echo(line)
