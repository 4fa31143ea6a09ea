"""`status`: servers, replication and the last run; it starts nothing."""

from dataclasses import asdict
from typing import Any

from shoplake_core.clock import SystemClock
from shoplake_infra.artifacts.platforms import Target

from shoplake.cli import InEnvironment, Json, OnTarget, app, session
from shoplake.cloud import Cloud, account_cloud, laptop_cloud
from shoplake.laptop import open_laptop, server_statuses
from shoplake.replication_status import replication_document
from shoplake.runs.documents_aws import run_document
from shoplake.views.documents import print_document
from shoplake.views.servers import print_status
from shoplake.workspace import Workspace


@app.command()
def status(target: OnTarget = Target.LOCAL, env: InEnvironment = "", as_json: Json = False) -> None:
    """Show servers, replication and the last run."""
    with session(environment=env, announce=not as_json) as (workspace, _):
        servers = [asdict(server) for server in server_statuses(workspace)] if target is Target.LOCAL else []
        cloud = _cloud(workspace, target, all_up=all(server["running"] for server in servers))
        document: dict[str, Any] = {
            "target": str(target),
            "servers": servers,
            "replication": replication_document(cloud) if cloud else None,
            "last_run": _last_run(cloud) if cloud else None,
            "state_folder": str(workspace.state_folder),
        }
        if as_json:
            print_document(document)
        else:
            print_status(document)


def _cloud(workspace: Workspace, target: Target, *, all_up: bool) -> Cloud | None:
    if target is Target.AWS:
        return account_cloud(workspace, clock=SystemClock())
    if not all_up:
        return None
    laptop = open_laptop(workspace, on_progress=lambda _: None)
    return laptop_cloud(workspace, laptop.control, clock=laptop.clock)


def _last_run(cloud: Cloud) -> dict[str, Any] | None:
    newest = cloud.executions.listed(1)
    if not newest:
        return None
    execution = cloud.executions.described(newest[0].run_id)
    return run_document(execution, cloud.executions.events(execution), cloud.run_reader.summaries(execution.run_id))
