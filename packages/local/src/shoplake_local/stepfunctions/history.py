"""The events of an execution, as GetExecutionHistory names them.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shoplake_local.stepfunctions.frames import Frame

__all__ = ["MOST_EVENTS", "Event", "History", "details_member", "json_text", "shown_details"]

MOST_EVENTS = 25_000
_LONGEST_CAUSE = 32_768
_WITHOUT_DETAILS = ("Aborted", "Succeeded", "Failed")


def json_text(value: Any) -> str:
    """A state's input or output as it is shown and measured."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history."""

    id: int
    previous: int
    type: str
    at: datetime
    details: dict[str, Any]


@dataclass(slots=True)
class History:
    """Numbers the events of one transition; `next_id` goes on from what is stored."""

    next_id: int
    at: datetime
    fresh: list[Event] = field(default_factory=list)

    def add(self, event_type: str, details: Mapping[str, Any] | None = None, *, after: Frame) -> int:
        """Append an event that follows the frame's last one."""
        kept = {name: value for name, value in (details or {}).items() if value is not None}
        if "cause" in kept:
            kept["cause"] = str(kept["cause"])[:_LONGEST_CAUSE]
        number = self.next_id
        self.fresh.append(Event(number, after.last_event, event_type, self.at, kept))
        self.next_id += 1
        after.last_event = number
        return number


def shown_details(event: Event, *, with_data: bool) -> dict[str, Any]:
    """An event's details as they are told, with or without what states were given and gave."""
    details = dict(event.details)
    if not with_data:
        for name in ("input", "output", "assignedVariables"):
            details.pop(name, None)
        if "parameters" in details:
            details["parameters"] = ""
    for name in ("input", "output"):
        if name in details:
            details[f"{name}Details"] = {"truncated": False}
    return details


def details_member(event_type: str) -> str | None:
    """The member of a HistoryEvent that holds such an event's details; None where it has none."""
    if event_type.endswith("StateEntered"):
        return "stateEnteredEventDetails"
    if event_type.endswith("StateExited"):
        return "stateExitedEventDetails"
    if event_type.startswith(("ParallelState", "WaitState", "TaskState")):
        return None
    if event_type.startswith("MapState") and event_type.endswith(_WITHOUT_DETAILS):
        return None
    return f"{event_type[0].lower()}{event_type[1:]}EventDetails"
