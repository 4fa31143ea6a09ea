"""DMS tasks: a full load and then every change, from one endpoint to the other."""

import json
from collections.abc import Mapping
from typing import Any

from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, touches
from shoplake_infra.dms_calls import add_tags, dms_described, paused, stop_tasks, tags_of, task_at_rest
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resting import AVAILABLE, DELETING, made_again
from shoplake_infra.tags import tag_list

__all__ = ["HANDLER", "DmsTaskHandler", "dms_task"]


def dms_task(
    name: str,
    *,
    ends: tuple[Resource, Resource],
    instance: Resource,
    table_mappings: Mapping[str, Any],
    settings: Mapping[str, Any],
    tags: Mapping[str, str],
    depends_on: tuple[str, ...] = (),
) -> Resource:
    """A task from the first endpoint to the second; it is made and changed here, and started by a run.

    `settings` are compared where they say something; DMS fills in all the others.
    """
    source, target = ends
    return Resource(
        kind="dms_task",
        name=name,
        tags=tags,
        depends_on=depends_on,
        properties={
            "source": Ref(source, "arn"),
            "target": Ref(target, "arn"),
            "instance": Ref(instance, "arn"),
            "migration": "full-load-and-cdc",
            "table_mappings": dict(table_mappings),
            "settings": dict(settings),
            "state": AVAILABLE,
        },
    )


class DmsTaskHandler(Handler):
    """All calls for tasks."""

    kind = "dms_task"
    replaced_for = frozenset({"source", "target", "instance"})
    timeout_seconds = 900.0

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The task, whatever it is doing: to run and to stand is the runs' affair."""
        found = _described(aws, resource)
        if found is None:
            return None
        arn, settings = found["ReplicationTaskArn"], json.loads(found["ReplicationTaskSettings"])
        state = DELETING if found["Status"] == DELETING else AVAILABLE
        return Observed(
            properties={
                "source": found["SourceEndpointArn"],
                "target": found["TargetEndpointArn"],
                "instance": found["ReplicationInstanceArn"],
                "migration": found["MigrationType"],
                "table_mappings": json.loads(found["TableMappings"]),
                "settings": _said(resource.properties["settings"], settings),
                "state": state,
            },
            tags=resource.tags if state == DELETING else tags_of(aws, arn),
            attributes={"arn": arn, "name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """The task with its tags; it is not started."""
        wanted = resource.properties
        aws.client("dms").create_replication_task(
            ReplicationTaskIdentifier=resource.name,
            SourceEndpointArn=wanted["source"],
            TargetEndpointArn=wanted["target"],
            ReplicationInstanceArn=wanted["instance"],
            Tags=tag_list(resource.tags),
            **_parameters(resource),
        )

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs while it stands still; it is resumed where it ran."""
        if made_again(self, aws, resource, observed):
            return
        arn = observed.attributes["arn"]
        if touches(changes, *resource.properties):
            with paused(aws, filter_name="replication-task-arn", value=arn, address=resource.address):
                aws.client("dms").modify_replication_task(ReplicationTaskArn=arn, **_parameters(resource))
        if touches(changes, "tags"):
            add_tags(aws, resource, arn)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Stop it, and delete it with its position in the source: another one begins with a full load."""
        arn = observed.attributes["arn"]
        if observed.properties["state"] == DELETING:
            return
        stop_tasks(aws, filter_name="replication-task-arn", value=arn, address=resource.address)
        aws.client("dms").delete_replication_task(ReplicationTaskArn=arn)

    def settled(self, aws: Aws, resource: Resource) -> bool:
        """Whether it is ready to be started, or runs again.

        Raises:
            ResourceError: It failed to be made.

        """
        found = _described(aws, resource)
        if (
            found is not None
            and found["Status"] in {"failed", "failed-move"}
            and "ReplicationTaskStartDate" not in found
        ):
            raise ResourceError(
                f"{resource.address} failed: {found.get('LastFailureMessage', 'no reason given')}",
                hint="remove the cause and apply again",
                address=resource.address,
            )
        return found is not None and task_at_rest(found)


def _described(aws: Aws, resource: Resource) -> Mapping[str, Any] | None:
    describe = aws.client("dms").describe_replication_tasks
    return dms_described(describe, "ReplicationTasks", "replication-task-id", resource.name)


def _said(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Of what was found, the settings that are wanted."""
    return {
        name: _said(value, found[name])
        if isinstance(value, Mapping) and isinstance(found[name], Mapping)
        else found[name]
        for name, value in wanted.items()
        if name in found
    }


def _parameters(resource: Resource) -> dict[str, Any]:
    wanted = resource.properties
    return {
        "MigrationType": wanted["migration"],
        "TableMappings": json.dumps(wanted["table_mappings"]),
        "ReplicationTaskSettings": json.dumps(wanted["settings"]),
    }


HANDLER = DmsTaskHandler()
