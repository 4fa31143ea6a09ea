"""What every kind of DMS's shares: things are found by identifier, tagged by ARN, and tasks stand still for a change."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.described import described
from shoplake_infra.resource import Resource
from shoplake_infra.tags import tag_list, tag_mapping
from shoplake_infra.waiting import wait_until

__all__ = ["ABSENT", "add_tags", "dms_described", "paused", "stop_tasks", "tags_of", "task_at_rest"]

ABSENT = frozenset({"ResourceNotFoundFault"})
_PASSING = frozenset({"creating", "modifying", "moving", "starting", "stopping", "testing", "deleting"})
_RUNNING = "running"
_STOP_SECONDS = 900.0


def dms_described(call: Callable[..., Any], answer_key: str, filter_name: str, value: str) -> Mapping[str, Any] | None:
    """The one that the filter finds, or None."""
    return described(call, answer_key, ABSENT, Filters=[{"Name": filter_name, "Values": [value]}])


def tags_of(aws: Aws, arn: str) -> dict[str, str]:
    """All tags of the ARN; none where it went meanwhile."""
    answer = or_none(aws.client("dms").list_tags_for_resource, ABSENT, ResourceArn=arn)
    return tag_mapping(answer["TagList"]) if answer else {}


def add_tags(aws: Aws, resource: Resource, arn: str) -> None:
    """Set our tags; others stay."""
    aws.client("dms").add_tags_to_resource(ResourceArn=arn, Tags=tag_list(resource.tags))


def task_at_rest(task: Mapping[str, Any]) -> bool:
    """Whether the task's state does not pass by itself."""
    return task["Status"] not in _PASSING


def stop_tasks(aws: Aws, *, filter_name: str, value: str, address: str) -> list[str]:
    """Stop the tasks that the filter finds; ARNs of those that ran.

    Raises:
        ResourceError: A task did not stop.

    """
    tasks = _Tasks(aws, filter_name, value, address)
    tasks.wait(task_at_rest, "come to rest")  # one that starts cannot be stopped
    running = [task["ReplicationTaskArn"] for task in tasks.found() if task["Status"] == _RUNNING]
    for arn in running:
        aws.client("dms").stop_replication_task(ReplicationTaskArn=arn)
    tasks.wait(lambda task: task_at_rest(task) and task["Status"] != _RUNNING, "stop its tasks")
    return running


@contextmanager
def paused(aws: Aws, *, filter_name: str, value: str, address: str) -> Iterator[None]:
    """The tasks that the filter finds stand still within the block; what ran before is resumed after it.

    DMS changes neither a running task nor what it uses. A task that nobody resumes falls behind until the source's
    binlog is gone, and a run comes only by its schedule: what this stopped, this starts. After a kill in between the
    run's machine resumes it.

    Raises:
        ResourceError: A task did not stop, or cannot be resumed.

    """
    stopped = stop_tasks(aws, filter_name=filter_name, value=value, address=address)
    yield
    tasks = _Tasks(aws, filter_name, value, address)
    tasks.wait(task_at_rest, "take the change")
    if stopped:  # an endpoint that was changed is tested by DMS itself, and no task starts before that
        tasks.wait(lambda task: not _is_tested(aws, task), "end the test of its connections")
    for arn in stopped:
        aws.client("dms").start_replication_task(ReplicationTaskArn=arn, StartReplicationTaskType="resume-processing")


@dataclass(frozen=True, slots=True)
class _Tasks:
    """The tasks that a filter finds; `address` says for whose sake they are waited for."""

    aws: Aws
    filter_name: str
    value: str
    address: str

    def found(self) -> list[Mapping[str, Any]]:
        dms = self.aws.client("dms")
        pages = dms.get_paginator("describe_replication_tasks").paginate(
            Filters=[{"Name": self.filter_name, "Values": [self.value]}], WithoutSettings=True
        )
        try:
            return [task for page in pages for task in page["ReplicationTasks"]]
        except dms.exceptions.ResourceNotFoundFault:
            return []

    def wait(self, reached: Callable[[Mapping[str, Any]], bool], what: str) -> None:
        wait_until(
            lambda: all(reached(task) for task in self.found()),
            clock=self.aws.clock,
            timeout_seconds=_STOP_SECONDS,
            address=self.address,
            what=what,
        )


def _is_tested(aws: Aws, task: Mapping[str, Any]) -> bool:
    connections: list[Mapping[str, Any]] = []
    for arn in (task["SourceEndpointArn"], task["TargetEndpointArn"]):
        answer = or_none(
            aws.client("dms").describe_connections, ABSENT, Filters=[{"Name": "endpoint-arn", "Values": [arn]}]
        )
        connections += answer["Connections"] if answer else []
    return any(connection["Status"] == "testing" for connection in connections)
