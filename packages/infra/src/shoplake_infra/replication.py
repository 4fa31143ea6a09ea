"""What brings the source's changes to bronze: DMS's instance, its two endpoints, and one task. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shoplake_core.names import ResourceNames
from shoplake_replication.standard_settings import standard_s3_settings, standard_table_mappings

from shoplake_infra.resource import Resource
from shoplake_infra.resources.account_role import account_role
from shoplake_infra.resources.dms_connection import dms_connection
from shoplake_infra.resources.dms_endpoint import mysql_source, s3_target
from shoplake_infra.resources.dms_instance import ReplicationMachine, dms_instance
from shoplake_infra.resources.dms_subnet_group import dms_subnet_group
from shoplake_infra.resources.dms_task import dms_task

__all__ = ["ReplicationParts", "ReplicationSettings", "desired_replication", "task_settings"]

_DMS = "dms.amazonaws.com"
_STOP_THE_TABLE = "SUSPEND_TABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationSettings:
    """What a user decides about replication.

    Attributes:
        source_schema: MySQL's schema that is captured.
        tables: Its captured tables; the marker's is always captured.
        machine: What the task runs on.
        flush_interval_seconds: Longest time that a change waits before it is written; DMS takes whole seconds.
        minimum_file_kilobytes: Files are also cut when they hold so much.
        largest_value_kilobytes: Longer texts, blobs and JSON documents are cut off by DMS, whose S3 target has no other
            way; it costs memory for each row under way.
        test_connections: Whether instance and endpoints are tested, as DMS wants it before it starts the task. False
            until the source has its user: with a new database it has none at first.

    """

    source_schema: str
    tables: tuple[str, ...]
    machine: ReplicationMachine = field(default_factory=ReplicationMachine)
    flush_interval_seconds: int = 60
    minimum_file_kilobytes: int = 32_000
    largest_value_kilobytes: int = 64
    test_connections: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationParts:
    """The resources that replication needs; `preparation` is of a new source, where nobody may log in before it."""

    subnets: tuple[Resource, ...]
    security_groups: tuple[Resource, ...]
    key: Resource
    role: Resource
    source_secret: Resource
    bronze: Resource
    preparation: Resource | None = None


def desired_replication(
    names: ResourceNames, settings: ReplicationSettings, *, parts: ReplicationParts, tags: Mapping[str, str]
) -> tuple[Resource, ...]:
    """The resources of replication; the last one is the task, which carries the tag that runs may start it by."""
    vpc_role = account_role(
        "dms-vpc-role", service=_DMS, managed_policy="service-role/AmazonDMSVPCManagementRole", tags=tags
    )
    logs_role = account_role(
        "dms-cloudwatch-logs-role", service=_DMS, managed_policy="service-role/AmazonDMSCloudWatchLogsRole", tags=tags
    )
    name = f"{names.prefix}-replication"
    description = f"Shoplake {names.environment}: replication"
    group = dms_subnet_group(name, description=description, subnets=parts.subnets, vpc_role=vpc_role, tags=tags)
    instance = dms_instance(
        name,
        machine=settings.machine,
        subnet_group=group,
        security_groups=parts.security_groups,
        key=parts.key,
        tags=tags,
    )
    source = mysql_source(f"{names.prefix}-source", secret=parts.source_secret, role=parts.role, tags=tags)
    target = s3_target(
        f"{names.prefix}-bronze",
        bucket=parts.bronze,
        role=parts.role,
        key=parts.key,
        settings=standard_s3_settings(
            flush_interval_seconds=settings.flush_interval_seconds,
            minimum_file_kilobytes=settings.minimum_file_kilobytes,
        ),
        tags=tags,
    )
    prepared = (parts.preparation.address,) if parts.preparation else ()
    connections = (
        tuple(
            dms_connection(endpoint.name, instance=instance, endpoint=endpoint, tags=tags, depends_on=needs)
            for endpoint, needs in ((source, prepared), (target, ()))
        )
        if settings.test_connections
        else ()
    )
    task = dms_task(
        names.replication_task,
        ends=(source, target),
        instance=instance,
        table_mappings=standard_table_mappings(settings.source_schema, settings.tables),
        settings=task_settings(largest_value_kilobytes=settings.largest_value_kilobytes),
        tags=tags,
        depends_on=(logs_role.address, *prepared, *(connection.address for connection in connections)),
    )
    return (vpc_role, logs_role, group, instance, source, target, *connections, task)


def task_settings(*, largest_value_kilobytes: int) -> dict[str, Any]:
    """DMS task settings that lose nothing in silence and never delete bronze's files.

    Source: https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TaskSettings.html
    """
    return {
        "TargetMetadata": {
            "SupportLobs": True,
            "FullLobMode": False,  # the S3 target has none
            "LimitedSizeLobMode": True,
            "LobMaxSize": largest_value_kilobytes,
            "BatchApplyEnabled": False,  # it may lose changes on S3
        },
        "FullLoadSettings": {
            "TargetTablePrepMode": "DO_NOTHING",  # any other deletes the files that are there
            "StopTaskCachedChangesApplied": False,
            "StopTaskCachedChangesNotApplied": False,
        },
        "ChangeProcessingDdlHandlingPolicy": {
            "HandleSourceTableDropped": False,  # true deletes the table's files
            "HandleSourceTableTruncated": False,  # the same
            "HandleSourceTableAltered": True,
        },
        "Logging": {"EnableLogging": True},
        "ValidationSettings": {"EnableValidation": False},  # reconciliation does it, every run and to the cent
        "ErrorBehavior": {
            "DataErrorPolicy": _STOP_THE_TABLE,
            "DataTruncationErrorPolicy": _STOP_THE_TABLE,
            "DataErrorEscalationPolicy": _STOP_THE_TABLE,
            "TableErrorPolicy": _STOP_THE_TABLE,
            "TableErrorEscalationPolicy": "STOP_TASK",
            "ApplyErrorDeletePolicy": _STOP_THE_TABLE,
            "ApplyErrorInsertPolicy": _STOP_THE_TABLE,
            "ApplyErrorUpdatePolicy": _STOP_THE_TABLE,
            "ApplyErrorEscalationPolicy": _STOP_THE_TABLE,
            "ApplyErrorFailOnTruncationDdl": True,  # rows gone without a delete: the task stops and says so
            "FailOnNoTablesCaptured": True,
            "RecoverableErrorCount": -1,  # the source's restart is no reason to give up
        },
    }
