"""`console`: runs, dashboards and data as pages on this machine."""

from threading import Thread
from typing import Annotated

import typer
from shoplake_console.server import serve_console
from shoplake_infra.artifacts.platforms import Target

from shoplake.cli import InEnvironment, OnTarget, app, session
from shoplake.console_contracts import ConsoleContracts
from shoplake.console_dashboards import ConsoleDashboards
from shoplake.console_data import ConsoleData
from shoplake.console_runs import ConsoleRuns, JobTables
from shoplake.console_warehouse import warehouse_of
from shoplake.run_logs import lines_from_cloudwatch, lines_from_laptop
from shoplake.targets import reached_cloud
from shoplake.warehouse_records import WarehouseRecords

_LOOK_SECONDS_IN_AN_ACCOUNT = 3.0  # each look is some calls of Step Functions, Glue and CloudWatch Logs


@app.command()
def console(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where it listens; 0 for any free one.")] = 0,
    target: OnTarget = Target.LOCAL,
    env: InEnvironment = "",
) -> None:
    """Show runs, dashboards and data as pages that only this machine can open: runs live, with stop and redrive."""
    with session(environment=env) as (workspace, narrator):
        cloud = reached_cloud(workspace, narrator, target)
        logs = cloud.aws.client("logs")
        label = f"{workspace.project.config.name} · {cloud.words}"
        warehouse = warehouse_of(cloud)
        data = ConsoleData(cloud, WarehouseRecords(warehouse, workspace.project.gold), ConsoleContracts(workspace))
        dashboards = ConsoleDashboards(workspace, warehouse, label=label, clock=cloud.clock)
        runs = ConsoleRuns(
            cloud.executions,
            label=label,
            folder=workspace.state_folder,
            clock=cloud.clock,
            log_lines=lambda job: (
                lines_from_laptop(workspace.state_folder, job)
                if target is Target.LOCAL
                else lines_from_cloudwatch(logs, job)
            ),
            reader=cloud.run_reader,
            job_tables=JobTables(
                glue=cloud.aws.client("glue"),
                database={"silver": cloud.names.silver_database, "gold": cloud.names.gold_database},
                tables={"silver": list(workspace.project.silver), "gold": list(workspace.project.gold)},
            ),
        )
        if target is Target.AWS:
            runs.look_seconds = _LOOK_SECONDS_IN_AN_ACCOUNT

        def opened(url: str) -> None:
            Thread(target=dashboards.assets, daemon=True).start()  # seconds of work that the first page would wait for
            narrator.say("the console runs until Ctrl-C; its URL holds a token, so keep it to yourself")
            typer.echo(url)

        serve_console(runs, clock=cloud.clock, port=port, opened=opened, dashboards=dashboards, data=data)
