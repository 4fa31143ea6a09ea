"""What one state of a run was given, gave and met. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["StateDetail", "event_states", "map_counts", "state_detail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateDetail:
    """The newest visit of one state; "" where the history does not tell (yet).

    `attempts` counts what the visit scheduled: more than one where it was retried.
    """

    input: str = ""
    output: str = ""
    error: str = ""
    cause: str = ""
    attempts: int = 0


def event_states(events: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Event id -> the state that it belongs to, "" for events of the execution itself."""
    found: dict[int, str] = {}
    for event in events:
        entered = event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails") or {}
        own = str(entered.get("name", "")) or found.get(event.get("previousEventId", 0), "")
        found[event["id"]] = "" if event["type"].startswith("Execution") else own
    return found


def state_detail(events: Sequence[Mapping[str, Any]], state: str) -> StateDetail:
    """The detail of that state; of a Map's states, of the one that was entered last."""
    given = output = error = cause = ""
    attempts = 0
    state_of = event_states(events)
    for event in events:
        if state_of[event["id"]] != state:
            continue
        if "stateEnteredEventDetails" in event:
            given, output, error, cause, attempts = (
                str(event["stateEnteredEventDetails"].get("input", "")),
                "",
                "",
                "",
                0,
            )
        elif "stateExitedEventDetails" in event:
            output = str(event["stateExitedEventDetails"].get("output", ""))
        elif event["type"].endswith("Scheduled"):
            attempts += 1
        for name, member in event.items():
            if name.endswith("EventDetails") and isinstance(member, Mapping) and member.get("error"):
                error, cause = str(member["error"]), str(member.get("cause", ""))
    return StateDetail(input=given, output=output, error=error, cause=cause, attempts=attempts)


def map_counts(events: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Map state -> "3 of 8", by its newest visit."""
    found: dict[str, tuple[int, int]] = {}
    state_of = event_states(events)
    for event in events:
        if event["type"] == "MapStateStarted":
            length = int(event.get("mapStateStartedEventDetails", {}).get("length", 0))
            found[state_of[event["id"]]] = (0, length)
        elif event["type"] == "MapIterationSucceeded":
            name = str(event.get("mapIterationSucceededEventDetails", {}).get("name", ""))
            done, length = found.get(name, (0, 0))
            found[name] = (done + 1, length)
    return {name: f"{done} of {length}" for name, (done, length) in found.items()}
