"""What a run's history means to a person: which part it is in, and what failed, in words. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = [
    "RUN_PARTS",
    "Failure",
    "PartTimes",
    "RunPart",
    "entered_state",
    "failure_in",
    "part_of",
    "part_times",
    "readable_cause",
]

_LONGEST_CAUSE = 4_000


@dataclass(frozen=True, slots=True)
class RunPart:
    """One part of a run, as it is told: its name in documents, its title, and the states it begins with.

    States that begin no part belong to the part before them.
    """

    name: str
    title: str
    first_states: tuple[str, ...]


RUN_PARTS = (
    RunPart("bronze", "MySQL -> bronze", ("Ask how replication is", "Commit a marker")),
    RunPart("silver", "bronze -> silver", ("Crawl bronze and clean it",)),
    RunPart("gold", "silver -> gold", ("Shape silver into gold",)),
    RunPart("warehouse", "gold -> warehouse", ("Plan the warehouse load",)),
    RunPart("reconcile", "all layers agree", ("Reconcile all layers",)),
)
_PART_OF = {state: part for part in RUN_PARTS for state in part.first_states}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed: in which state, by which error, and what that said."""

    state: str
    error: str
    cause: str


@dataclass(frozen=True, slots=True)
class PartTimes:
    """How long a part took in all, over every time that the run was in it; `ended` is False where it is in it now."""

    seconds: float
    ended: bool


def entered_state(event: Mapping[str, Any]) -> str:
    """The state that the event enters, "" for any other event."""
    return str(event.get("stateEnteredEventDetails", {}).get("name", ""))


def part_of(state: str) -> RunPart | None:
    """The part that begins with that state, None for a state inside a part."""
    return _PART_OF.get(state)


def part_times(events: Sequence[Mapping[str, Any]]) -> dict[str, PartTimes]:
    """Part name -> its time, from a history in order; a redrive goes on in the part that it repeats."""
    seconds: dict[str, float] = {}
    current: RunPart | None = None
    since: datetime | None = None
    for event in events:
        part = part_of(entered_state(event))
        if event["type"] == "ExecutionRedriven":
            since = event["timestamp"]
        elif event["type"].startswith("Execution") and event["type"] != "ExecutionStarted" and current and since:
            seconds[current.name] = seconds.get(current.name, 0.0) + (event["timestamp"] - since).total_seconds()
            since = None
        elif part is not None and part is not current:
            if current and since:
                seconds[current.name] = seconds.get(current.name, 0.0) + (event["timestamp"] - since).total_seconds()
            current, since = part, event["timestamp"]
            seconds.setdefault(part.name, 0.0)
    here = current.name if current and since else ""
    if current and since:
        seconds[current.name] += (events[-1]["timestamp"] - since).total_seconds()
    return {name: PartTimes(round(time, 2), ended=name != here) for name, time in seconds.items()}


def failure_in(events: Sequence[Mapping[str, Any]]) -> Failure | None:
    """The failure that ended the run, from its history in order; None where it did not fail.

    The machine keeps what failed in the variable `failed`; a Fail state and a run that was stopped say it themselves.
    """
    last = events[-1] if events else None
    if last is None or last["type"] not in {"ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"}:
        return None
    state = ""
    for event in reversed(events):
        state = state or entered_state(event)
        failed = event.get("stateExitedEventDetails", {}).get("assignedVariables", {}).get("failed")
        if failed and state in {"End as failed", "Tell what failed", ""}:
            told = json.loads(failed)
            return Failure(str(told["state"]), str(told["error"]), readable_cause(str(told["cause"])))
        if event["type"] == "ExecutionRedriven":
            break
    details: Mapping[str, Any] = next((value for name, value in last.items() if name.endswith("EventDetails")), {})
    word = {"ExecutionAborted": "it was stopped", "ExecutionTimedOut": "it took too long"}.get(last["type"], "")
    return Failure(state, str(details.get("error") or last["type"]), readable_cause(str(details.get("cause") or word)))


def readable_cause(cause: str) -> str:
    """The words in a cause: what a Lambda raised and what a Glue job run said are JSON documents around them."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause[:_LONGEST_CAUSE]
    if isinstance(document, dict):
        for member in ("ErrorMessage", "errorMessage", "Error"):
            if document.get(member):
                return str(document[member])[:_LONGEST_CAUSE]
    return cause[:_LONGEST_CAUSE]
