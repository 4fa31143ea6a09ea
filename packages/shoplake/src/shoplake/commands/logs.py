"""`logs`: what the jobs of a run printed."""

from typing import Annotated

import typer
from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean
from shoplake_infra.artifacts.platforms import Target

from shoplake.cli import InEnvironment, OnTarget, app, session
from shoplake.run_logs import job_runs_in, lines_from_cloudwatch, lines_from_laptop
from shoplake.targets import reached_cloud


@app.command()
def logs(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help='A run\'s id, or "last".')] = "last",
    state: Annotated[str, typer.Option("--state", help="Only the job of this state.")] = "",
    target: OnTarget = Target.LOCAL,
    env: InEnvironment = "",
) -> None:
    """Print what the jobs of a run printed, in the order of their start."""
    with session(environment=env, announce=False) as (workspace, narrator):
        cloud = reached_cloud(workspace, narrator, target)
        execution = cloud.executions.named(run_id)
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
