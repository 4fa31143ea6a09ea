"""Errors of a running machine by the names that Retry and Catch know, and which rule takes which error."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["LARGEST_BYTES", "QueryError", "StateError", "first_match"]

LARGEST_BYTES = 256 * 1024
_TERMINAL = frozenset({"States.Runtime", "States.DataLimitExceeded"})


class StateError(Exception):
    """A state failed.

    Args:
        error: The error's name, such as "States.Timeout" or "Glue.CrawlerRunningException".
        cause: What happened, for a person; JSON where the integration gives some.

    """

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class QueryError(StateError):
    """A JSONata expression gave no value. `location` is the field, such as "Arguments/Payload"."""

    def __init__(self, cause: str, location: str) -> None:
        super().__init__("States.QueryEvaluationError", cause)
        self.location = location


def first_match(rules: Sequence[Mapping[str, Any]], error: str) -> int | None:
    """Which rule of a Retry or Catch takes the error: its number, or None.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html: the wildcards take neither
    States.Runtime nor States.DataLimitExceeded, and States.TaskFailed no States.Timeout.
    """
    for number, rule in enumerate(rules):
        names = rule["ErrorEquals"]
        if error in names:
            return number
        if error in _TERMINAL:
            continue
        if "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout"):
            return number
    return None
