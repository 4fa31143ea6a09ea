"""What each state of a run did, from the events of its history. Pure.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

__all__ = ["SIGNS", "StateStatus", "StateVisit", "state_visits"]

_ENDS = {
    "ExecutionAborted": "cancelled",
    "ExecutionFailed": "failed",
    "ExecutionTimedOut": "failed",
}


class StateStatus(StrEnum):
    """How a state is, as the console of AWS says it."""

    NOT_STARTED = "not started"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    CAUGHT = "caught error"
    FAILED = "failed"
    CANCELLED = "cancelled"


SIGNS = {
    StateStatus.NOT_STARTED: "",
    StateStatus.RUNNING: "…",
    StateStatus.SUCCEEDED: "✓",
    StateStatus.CAUGHT: "!",
    StateStatus.FAILED: "✗",
    StateStatus.CANCELLED: "■",
}
"""What stands beside the word and the colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateVisit:
    """One state of a run.

    Attributes:
        status: How it is, by its newest visit.
        visits: How often the run was in it.
        seconds: How long in all; up to the newest event, or to now, where the run is in it.

    """

    status: StateStatus = StateStatus.NOT_STARTED
    visits: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class _Visit:
    entered_at: datetime
    failed: bool = False


def state_visits(events: Sequence[Mapping[str, Any]], *, now: datetime | None = None) -> dict[str, StateVisit]:
    """State name -> what it did, for each state that the run was in.

    Args:
        events: In order.
        now: Up to when a state that goes on is counted; None for the newest event.

    """
    found: dict[str, StateVisit] = {}
    open_: dict[str, list[_Visit]] = {}
    name_of: dict[int, str] = {}  # event -> the state that it belongs to
    for event in events:
        entered = event.get("stateEnteredEventDetails", {}).get("name")
        left = event.get("stateExitedEventDetails", {}).get("name")
        name = entered or left or name_of.get(event.get("previousEventId", 0), "")
        name_of[event["id"]] = name
        kind, at = event["type"], event["timestamp"]
        if entered:
            before = found.get(entered, StateVisit())
            open_.setdefault(entered, []).append(_Visit(at))
            found[entered] = StateVisit(status=StateStatus.RUNNING, visits=before.visits + 1, seconds=before.seconds)
        elif left and open_.get(left):
            visit = open_[left].pop()
            status = StateStatus.CAUGHT if visit.failed else StateStatus.SUCCEEDED
            found[left] = _ended(found[left], visit, at, status)
        elif kind.endswith(("Failed", "TimedOut")) and open_.get(name):
            open_[name][-1].failed = True  # a Retry or a Catch may follow
        elif kind.endswith(("Scheduled", "Started")) and open_.get(name):
            open_[name][-1].failed = False
        if kind == "ExecutionRedriven":
            continue
        if kind in _ENDS:
            _end_all(found, open_, at, StateStatus(_ENDS[kind]))
        elif kind == "ExecutionSucceeded":
            _end_all(found, open_, at, StateStatus.SUCCEEDED)
    if events:
        newest = events[-1]["timestamp"]
        for name, visits in open_.items():
            for visit in visits:
                found[name] = _ended(found[name], visit, max(newest, now or newest), StateStatus.RUNNING)
    return found


def _ended(visit: StateVisit, opened: _Visit, at: datetime, status: StateStatus) -> StateVisit:
    seconds = visit.seconds + (at - opened.entered_at).total_seconds()
    return StateVisit(status=status, visits=visit.visits, seconds=round(seconds, 3))


def _end_all(found: dict[str, StateVisit], open_: dict[str, list[_Visit]], at: datetime, status: StateStatus) -> None:
    """The execution has ended: what it was in has ended with it, as failed where it was that which failed."""
    for name, visits in open_.items():
        for visit in visits:
            ended = status
            if status is StateStatus.FAILED and not visit.failed and len(open_) > 1:
                ended = StateStatus.CANCELLED if name != list(open_)[-1] else StateStatus.FAILED
            found[name] = _ended(found[name], visit, at, ended)
    open_.clear()
