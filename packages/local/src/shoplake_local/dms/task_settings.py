"""Task settings and table mappings, as far as they can be judged before a task runs. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from shoplake_local.dms.faults import invalid
from shoplake_local.service import UnsupportedOperationError

__all__ = ["checked_mappings", "complete_settings"]

# DMS's user guide, "Task settings example": what a task has that names none of it.
_DEFAULTS: dict[str, dict[str, Any] | None] = {
    "TargetMetadata": {
        "TargetSchema": "",
        "SupportLobs": True,
        "FullLobMode": False,
        "LobChunkSize": 64,
        "LimitedSizeLobMode": True,
        "LobMaxSize": 32,
        "BatchApplyEnabled": False,
        "ParallelLoadThreads": 0,
    },
    "FullLoadSettings": {
        "TargetTablePrepMode": "DROP_AND_CREATE",
        "CreatePkAfterFullLoad": False,
        "StopTaskCachedChangesApplied": False,
        "StopTaskCachedChangesNotApplied": False,
        "MaxFullLoadSubTasks": 8,
        "TransactionConsistencyTimeout": 600,
        "CommitRate": 10000,
    },
    "Logging": {"EnableLogging": False, "CloudWatchLogGroup": None, "CloudWatchLogStream": None},
    "ControlTablesSettings": {"ControlSchema": "", "HistoryTimeslotInMinutes": 5},
    "StreamBufferSettings": {"StreamBufferCount": 3, "StreamBufferSizeInMB": 8, "CtrlStreamBufferSizeInMB": 5},
    "ChangeProcessingDdlHandlingPolicy": {
        "HandleSourceTableDropped": True,
        "HandleSourceTableTruncated": True,
        "HandleSourceTableAltered": True,
    },
    "ErrorBehavior": {
        "DataErrorPolicy": "LOG_ERROR",
        "DataTruncationErrorPolicy": "LOG_ERROR",
        "TableErrorPolicy": "SUSPEND_TABLE",
        "RecoverableErrorCount": -1,
        "RecoverableErrorInterval": 5,
        "FailOnNoTablesCaptured": True,
    },
    "ChangeProcessingTuning": {"MinTransactionSize": 1000, "CommitTimeout": 1, "MemoryLimitTotal": 1024},
    "ValidationSettings": {"EnableValidation": False},
    "BeforeImageSettings": None,
    "CharacterSetSettings": None,
    "LoopbackPreventionSettings": None,
    "PostProcessingRules": None,
    "FailTaskWhenCleanTaskResourceFailed": None,
    "TTSettings": None,
    "ResyncSettings": None,
}
# What the replicator does in one way only, by group and name.
_ONLY = {
    ("FullLoadSettings", "TargetTablePrepMode"): "DO_NOTHING",
    ("FullLoadSettings", "StopTaskCachedChangesApplied"): False,
    ("FullLoadSettings", "StopTaskCachedChangesNotApplied"): False,
    ("ValidationSettings", "EnableValidation"): False,
}
_NO_GROUP = ("BeforeImageSettings", "CharacterSetSettings", "LoopbackPreventionSettings", "PostProcessingRules")


def complete_settings(text: str, earlier: str = "") -> str:
    """The settings of a task as DMS shows them: the given ones over the earlier ones, or over DMS's own.

    Raises:
        ServiceError: It is no JSON object, or holds a group that DMS has not.
        UnsupportedOperationError: DMS takes it, and the replicator here does something else.

    """
    given = _object(text or "{}", "ReplicationTaskSettings")
    settings: dict[str, Any] = json.loads(earlier) if earlier else json.loads(json.dumps(_DEFAULTS))
    for group, members in given.items():
        if group not in _DEFAULTS:
            raise invalid(f'ReplicationTaskSettings: "{group}" is none of {", ".join(_DEFAULTS)}')
        settings[group] = (settings[group] or {}) | members if isinstance(members, dict) else members
    for (group, name), only in _ONLY.items():
        found = (settings[group] or {}).get(name)
        if found != only:
            raise UnsupportedOperationError(
                f"{group}.{name} {json.dumps(found)} of a DMS task: give {json.dumps(only)}, which is all it does"
            )
    for group in _NO_GROUP:
        if settings[group]:
            raise UnsupportedOperationError(f"{group} of a DMS task")
    return json.dumps(settings)


def checked_mappings(text: str) -> str:
    """The table mappings, where they are such and select something.

    What each rule says is judged by the replicator when the task starts.

    Raises:
        ServiceError: They are none.

    """
    rules = _object(text, "TableMappings").get("rules")
    if not isinstance(rules, list) or not all(isinstance(rule, Mapping) for rule in rules):
        raise invalid('TableMappings must hold a list "rules" of objects.')
    ids = [str(rule.get("rule-id", "")) for rule in rules]
    if len(set(ids)) != len(ids) or not all(ids):
        raise invalid("TableMappings: every rule needs a rule-id of its own.")
    if not any(rule.get("rule-type") == "selection" and rule.get("rule-action") == "include" for rule in rules):
        raise invalid("TableMappings: at least one selection rule with the action include is required.")
    return text


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise invalid(f"{what} is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise invalid(f"{what} must be a JSON object.")
    return value
