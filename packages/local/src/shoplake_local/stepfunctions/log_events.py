"""A history's events as Step Functions writes them to CloudWatch Logs. Pure.

https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html and its table of event types by log level.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shoplake_local.stepfunctions.history import Event, shown_details
from shoplake_local.stepfunctions.store import ExecutionRecord

__all__ = ["is_logged", "log_events", "log_groups", "stream_name"]

_FATAL = frozenset({"ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"})
_ERRORS = ("Failed", "TimedOut", "Aborted")


def is_logged(event_type: str, level: str) -> bool:
    """Whether such an event is written at ALL, ERROR, FATAL or OFF."""
    if level == "ALL":
        return True
    if level == "ERROR":
        return event_type.endswith(_ERRORS) or event_type == "FailStateEntered"
    return level == "FATAL" and event_type in _FATAL


def log_groups(configuration: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the log groups that a `loggingConfiguration` names."""
    arns = (place["cloudWatchLogsLogGroup"]["logGroupArn"] for place in configuration.get("destinations", ()))
    return tuple(arn.removesuffix(":*").partition(":log-group:")[2] for arn in arns)


def stream_name(record: ExecutionRecord) -> str:
    """The log stream of an execution."""
    begun = datetime.fromtimestamp(record.started_at, tz=UTC)
    word = hashlib.sha256(record.arn.encode()).hexdigest()[:8]
    return f"states/{record.machine_arn.rpartition(':')[2]}/{begun:%Y-%m-%d-%H-%M}/{word}"


def log_events(
    record: ExecutionRecord, events: Sequence[Event], *, configuration: Mapping[str, Any], redrive_count: int
) -> list[dict[str, Any]]:
    """What is written of these events, each with "timestamp" in milliseconds and "message" as JSON text.

    Args:
        record: The execution that they are of.
        events: In order, next to each other.
        configuration: The machine's `loggingConfiguration`.
        redrive_count: How often it had been redriven before the first of them.

    """
    level, with_data = configuration.get("level", "OFF"), bool(configuration.get("includeExecutionData", False))
    written = []
    for event in events:
        redrive_count += event.type == "ExecutionRedriven"
        if not is_logged(event.type, level):
            continue
        at = int(event.at.timestamp() * 1000)
        line = {
            "id": str(event.id),
            "type": event.type,
            "details": shown_details(event, with_data=with_data),
            "redrive_count": str(redrive_count),
            "previous_event_id": str(event.previous),
            "event_timestamp": str(at),
            "execution_arn": record.arn,
        }
        written.append({"timestamp": at, "message": json.dumps(line, separators=(",", ":"), ensure_ascii=False)})
    return written
