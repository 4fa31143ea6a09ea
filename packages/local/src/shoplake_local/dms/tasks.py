"""Replication tasks: stored, started, asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shoplake_core.errors import ResourceError

from shoplake_local.dms.connections import ConnectionOperations
from shoplake_local.dms.faults import invalid, invalid_state
from shoplake_local.dms.pages import Reader, filtered, page
from shoplake_local.dms.registry import Kind, Registry, shown
from shoplake_local.dms.table_statistics import table_failures, table_statistics, task_statistics
from shoplake_local.dms.tags import TagOperations
from shoplake_local.dms.task_runs import TaskRuns
from shoplake_local.dms.task_settings import checked_mappings, complete_settings
from shoplake_local.jobs.operations import Operation
from shoplake_local.service import UnsupportedOperationError, refuse_unsupported

__all__ = ["TaskOperations"]

_KIND = Kind.TASK
_RELOADS = "reloads"
_IDLE = frozenset({"ready", "stopped", "failed"})
_START_TYPES = ("start-replication", "resume-processing", "reload-target")
_LARGEST_TABLE_PAGE = 500
_MEMBERS = frozenset(
    {
        *("ReplicationTaskIdentifier", "SourceEndpointArn", "TargetEndpointArn", "ReplicationInstanceArn"),
        *("MigrationType", "TableMappings", "ReplicationTaskSettings"),
    }
)
_LARGE = ("TableMappings", "ReplicationTaskSettings")
_FILTERS: Mapping[str, str | Reader] = {
    "replication-task-arn": "ReplicationTaskArn",
    "replication-task-id": "ReplicationTaskIdentifier",
    "migration-type": "MigrationType",
    "replication-instance-arn": "ReplicationInstanceArn",
    "endpoint-arn": lambda task: (task["SourceEndpointArn"], task["TargetEndpointArn"]),
}


@dataclass(frozen=True, slots=True)
class TaskOperations:
    """Tasks and how their tables stand."""

    registry: Registry
    tags: TagOperations
    connections: ConnectionOperations
    runs: TaskRuns

    def operations(self) -> dict[str, Operation]:
        """By their names on AWS."""
        return {
            "CreateReplicationTask": self._create,
            "ModifyReplicationTask": self._modify,
            "DeleteReplicationTask": self._delete,
            "DescribeReplicationTasks": self._describe,
            "StartReplicationTask": self._start,
            "StopReplicationTask": self._stop,
            "ReloadTables": self._reload,
            "DescribeTableStatistics": self._statistics,
        }

    def _create(self, parameters: dict[str, Any]) -> dict[str, Any]:
        supported = _MEMBERS | {"ResourceIdentifier", "Tags"}
        refuse_unsupported("DMS's CreateReplicationTask", parameters, supported)
        checked = self._checked(parameters)
        with self.registry.transaction():
            self.registry.checked_identifier(_KIND, parameters["ReplicationTaskIdentifier"])
            instance = self.registry.get(Kind.INSTANCE, parameters["ReplicationInstanceArn"])
            if instance["ReplicationInstanceStatus"] != "available":
                raise invalid_state("The Replication Instance is not available.")
            for member, kind in (("SourceEndpointArn", "source"), ("TargetEndpointArn", "target")):
                endpoint = self.registry.get(Kind.ENDPOINT, parameters[member])
                if endpoint["EndpointType"] != kind:
                    raise invalid(f"{member} {parameters[member]} is a {endpoint['EndpointType']}.")
            task = checked | {
                "ReplicationTaskSettings": complete_settings(parameters.get("ReplicationTaskSettings", "")),
                "ReplicationTaskArn": self.registry.new_arn(_KIND, parameters.get("ResourceIdentifier", "")),
                "ReplicationTaskCreationDate": self.registry.clock.now(),
                "Status": "creating",
            }
            kept = self.registry.put(_KIND, task, then="ready")
            self.tags.put(task["ReplicationTaskArn"], parameters.get("Tags", ()))
        return {"ReplicationTask": shown(kept)}

    def _modify(self, parameters: dict[str, Any]) -> dict[str, Any]:
        supported = {"ReplicationTaskArn", "ReplicationTaskIdentifier", "MigrationType", *_LARGE}
        refuse_unsupported("DMS's ModifyReplicationTask", parameters, supported)
        with self.registry.transaction():
            task = self._idle(parameters["ReplicationTaskArn"], "modified")
            changes = self._checked(parameters)
            name = changes.get("ReplicationTaskIdentifier", task["ReplicationTaskIdentifier"])
            if name.lower() != task["ReplicationTaskIdentifier"].lower():
                self.registry.checked_identifier(_KIND, name)
            if "ReplicationTaskSettings" in parameters:
                given, earlier = parameters["ReplicationTaskSettings"], task["ReplicationTaskSettings"]
                changes["ReplicationTaskSettings"] = complete_settings(given, earlier)
            kept = self.registry.put(_KIND, {**task, **changes, "Status": "modifying"}, then=task["Status"])
        return {"ReplicationTask": shown(kept)}

    def _delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        arn = parameters["ReplicationTaskArn"]
        with self.registry.transaction():
            task = self._idle(arn, "deleted")
            kept = self.registry.put_deleting(_KIND, task)
            self.registry.documents.delete(_RELOADS, arn)
        self.runs.process(arn).erase()
        return {"ReplicationTask": shown(kept)}

    def _describe(self, parameters: dict[str, Any]) -> dict[str, Any]:
        found = filtered(self.registry.all(_KIND), parameters, _FILTERS, what="Replication Tasks")
        answer = page(found, parameters, "ReplicationTasks")
        left_out = _LARGE if parameters.get("WithoutSettings") else ()
        tasks = [self._shown(task) for task in answer["ReplicationTasks"]]
        return answer | {"ReplicationTasks": [{key: one[key] for key in one if key not in left_out} for one in tasks]}

    def _start(self, parameters: dict[str, Any]) -> dict[str, Any]:
        refuse_unsupported("DMS's StartReplicationTask", parameters, {"ReplicationTaskArn", "StartReplicationTaskType"})
        how = parameters["StartReplicationTaskType"]
        if how not in _START_TYPES:
            raise UnsupportedOperationError(f'StartReplicationTaskType "{how}"')
        with self.registry.transaction():
            task = self.registry.get(_KIND, parameters["ReplicationTaskArn"])
            if task["Status"] not in _IDLE:
                raise invalid_state(f"Replication Task cannot be started, invalid state: {task['Status']}")
            if (how == "start-replication") == bool(task.get("_Ran")):
                word = how.replace("-", "_").upper()
                only = "running for the first time" if how == "start-replication" else "that ran before"
                raise invalid_state(f"Start Type : {word}, valid only for tasks {only}")
            for endpoint in (task["SourceEndpointArn"], task["TargetEndpointArn"]):
                if not self.connections.is_successful(task["ReplicationInstanceArn"], endpoint):
                    raise invalid_state(
                        "Test connection for replication instance and endpoint should be successful for starting "
                        f"the replication task: {endpoint}"
                    )
            now = self.registry.clock.now()
            kept = {name: value for name, value in task.items() if name not in {"LastFailureMessage", "StopReason"}}
            kept |= {"Status": "starting", "ReplicationTaskStartDate": now, "_Ran": True, "_StoppedAt": None}
            kept |= {"_ReloadAll": how == "reload-target" or bool(task.get("_ReloadAll"))}
            if how != "resume-processing":
                kept["_FreshAt"] = now.timestamp()
            self.registry.put(_KIND, kept)
        self.runs.start(kept)
        return {"ReplicationTask": self._shown(kept)}

    def _stop(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with self.registry.transaction():
            task = self.registry.get(_KIND, parameters["ReplicationTaskArn"])
            if task["Status"] != "running":
                raise invalid_state(f"Replication Task cannot be stopped, it is {task['Status']}, not running")
            task["Status"] = "stopping"
            self.registry.put(_KIND, task)
        return {"ReplicationTask": self._shown(task)}

    def _reload(self, parameters: dict[str, Any]) -> dict[str, Any]:
        arn = parameters["ReplicationTaskArn"]
        if parameters.get("ReloadOption", "data-reload") != "data-reload":
            raise UnsupportedOperationError(f'ReloadOption "{parameters["ReloadOption"]}" of ReloadTables')
        task = self.registry.get(_KIND, arn)
        if task["Status"] != "running":
            raise invalid_state(f"Tables can be reloaded while the task is running; it is {task['Status']}.")
        tables = [f"{one['SchemaName']}.{one['TableName']}" for one in parameters["TablesToReload"]]
        process = self.runs.process(arn)
        known = process.report().tables
        unknown = [name for name in tables if name not in known]
        if unknown:
            raise invalid_state(f"The task has no table {', '.join(unknown)}.")
        epochs = {name: known[name]["epoch"] for name in tables}
        with self.registry.transaction():
            earlier = self.registry.documents.get(_RELOADS, arn) or {}
            self.registry.documents.put(_RELOADS, arn, earlier | epochs)
        try:
            process.ask_reload(*tables)
        except ResourceError as error:
            raise invalid_state(error.message) from error
        return {"ReplicationTaskArn": arn}

    def _statistics(self, parameters: dict[str, Any]) -> dict[str, Any]:
        arn = parameters["ReplicationTaskArn"]
        self.registry.get(_KIND, arn)
        names = {"schema-name": "SchemaName", "table-name": "TableName", "table-state": "TableState"}
        found = filtered(self._tables(arn), parameters, names)
        answer = page(found, parameters, "TableStatistics", largest=_LARGEST_TABLE_PAGE)
        return answer | {"ReplicationTaskArn": arn}

    def _tables(self, arn: str) -> list[dict[str, Any]]:
        reloads = self.registry.documents.get(_RELOADS, arn) or {}
        return table_statistics(self.runs.process(arn).report(), reloads)

    def _shown(self, task: Mapping[str, Any]) -> dict[str, Any]:
        answer = shown(task)
        if not task.get("_Ran") or task["Status"] == "deleting":
            return answer
        arn = task["ReplicationTaskArn"]
        started = task["ReplicationTaskStartDate"]
        end = _moment(task["_StoppedAt"]) if task.get("_StoppedAt") else self.registry.clock.now()
        answer["ReplicationTaskStats"] = {
            **task_statistics(self._tables(arn)),
            "ElapsedTimeMillis": max(0, int((end - started).total_seconds() * 1000)),
            "FreshStartDate": _moment(task["_FreshAt"]),
            "StartDate": started,
        }
        if task.get("_StoppedAt"):
            answer["ReplicationTaskStats"]["StopDate"] = end
        failures = table_failures(self.runs.process(arn).report())
        if failures and not answer.get("LastFailureMessage"):
            answer["LastFailureMessage"] = f"Tables in error: {failures}"
        return answer

    def _idle(self, arn: str, what: str) -> dict[str, Any]:
        task = self.registry.get(_KIND, arn)
        if task["Status"] not in _IDLE:
            raise invalid_state(f"Replication Task cannot be {what} while it is {task['Status']}")
        return task

    def _checked(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if parameters.get("MigrationType", "full-load-and-cdc") != "full-load-and-cdc":
            raise UnsupportedOperationError(f'MigrationType "{parameters["MigrationType"]}" of a DMS task')
        if "TableMappings" in parameters:
            checked_mappings(parameters["TableMappings"])
        return {name: value for name, value in parameters.items() if name in _MEMBERS}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
