"""`pause`, `resume`: whether the schedule starts runs."""

from typing import Any

from botocore.exceptions import ClientError
from shoplake_core.errors import ResourceError
from shoplake_infra.artifacts.platforms import Target

from shoplake.cli import InEnvironment, OnTarget, app, session
from shoplake.cloud import Cloud
from shoplake.targets import open_cloud

_KEPT = (
    "Name",
    "GroupName",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "EndDate",
    "Description",
    "KmsKeyArn",
    "Target",
    "FlexibleTimeWindow",
    "ActionAfterCompletion",
)


def _switch(cloud: Cloud, state: str) -> dict[str, Any]:
    """The schedule as it is now."""
    scheduler: Any = cloud.aws.client("scheduler")
    name = cloud.names.schedule
    try:
        found = scheduler.get_schedule(Name=name, GroupName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise ResourceError(f"there is no schedule {name}", hint="provision the environment: shoplake apply") from error
    if found["State"] != state:
        # an update leaves nothing as it was that is not said again
        scheduler.update_schedule(**{member: found[member] for member in _KEPT if member in found}, State=state)
    return dict(found)


@app.command()
def pause(target: OnTarget = Target.LOCAL, env: InEnvironment = "") -> None:
    """Let the schedule start no more runs. Replication goes on; a run under way ends as it would."""
    with session(environment=env) as (workspace, narrator):
        found = _switch(open_cloud(workspace, narrator, target), "DISABLED")
        word = "was paused already" if found["State"] == "DISABLED" else "is paused"
        narrator.say(f"the schedule {found['ScheduleExpression']} {word}; it goes on with: shoplake resume")


@app.command()
def resume(target: OnTarget = Target.LOCAL, env: InEnvironment = "") -> None:
    """Let the schedule start runs again."""
    with session(environment=env) as (workspace, narrator):
        found = _switch(open_cloud(workspace, narrator, target), "ENABLED")
        zone = found.get("ScheduleExpressionTimezone", "UTC")
        narrator.say(f"the schedule {found['ScheduleExpression']} ({zone}) starts runs")
