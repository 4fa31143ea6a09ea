"""A history in the shape of GetExecutionHistory, as a person reads it."""

import json
from datetime import UTC, datetime, timedelta

from shoplake.runs.story import Failure, failure_in, part_times, readable_cause

START = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)


def history(*steps):
    """(seconds, type, details) -> events with rising ids."""
    return [
        {
            "id": number,
            "previousEventId": number - 1,
            "timestamp": START + timedelta(seconds=at),
            "type": kind,
            **details,
        }
        for number, (at, kind, details) in enumerate(steps, start=1)
    ]


def entered(at, state, kind="TaskStateEntered"):
    return at, kind, {"stateEnteredEventDetails": {"name": state}}


def failed_at(at, state, error="Boom", cause="it broke"):
    told = json.dumps({"state": state, "error": error, "cause": cause})
    return at, "TaskStateExited", {"stateExitedEventDetails": {"name": state, "assignedVariables": {"failed": told}}}


def test_each_part_lasts_until_the_next_begins():
    events = history(
        (0, "ExecutionStarted", {}),
        entered(0, "Ask how replication is"),
        entered(2, "Commit a marker"),
        entered(10, "Crawl bronze and clean it", "ParallelStateEntered"),
        entered(11, "Clean bronze into silver"),
        entered(30, "Shape silver into gold"),
        (34.5, "ExecutionSucceeded", {}),
    )
    times = part_times(events)
    assert {name: time.seconds for name, time in times.items()} == {"bronze": 10, "silver": 20, "gold": 4.5}
    assert all(time.ended for time in times.values())
    running = part_times(events[:-1])
    assert [name for name, time in running.items() if not time.ended] == ["gold"]


def test_the_time_between_a_failure_and_its_redrive_is_no_part_of_the_run():
    events = history(
        (0, "ExecutionStarted", {}),
        entered(0, "Shape silver into gold"),
        failed_at(5, "Shape silver into gold"),
        (6, "ExecutionFailed", {}),
        (1000, "ExecutionRedriven", {}),
        entered(1000, "End as failed"),
        entered(1001, "Shape silver into gold"),
        (1004, "ExecutionSucceeded", {}),
    )
    assert part_times(events)["gold"].seconds == 6 + 4
    assert failure_in(events) is None


def test_a_failure_is_the_one_that_the_machine_kept():
    events = history(
        (0, "ExecutionStarted", {}),
        entered(1, "Shape silver into gold"),
        failed_at(5, "Shape silver into gold", "Glue.JobRunFailed", "orders: 3 rows have no customer"),
        entered(5, "Tell what failed"),
        entered(6, "End as failed"),
        (7, "ExecutionFailed", {"executionFailedEventDetails": {"error": "RunFailed", "cause": "{}"}}),
    )
    assert failure_in(events) == Failure(
        "Shape silver into gold", "Glue.JobRunFailed", "orders: 3 rows have no customer"
    )


def test_a_run_that_was_stopped_or_refused_says_where_and_why():
    stopped = history(
        (0, "ExecutionStarted", {}),
        entered(1, "Shape silver into gold"),
        (3, "ExecutionAborted", {"executionAbortedEventDetails": {"error": "StoppedByHand", "cause": "by ops"}}),
    )
    assert failure_in(stopped) == Failure("Shape silver into gold", "StoppedByHand", "by ops")
    refused = history(
        (0, "ExecutionStarted", {}),
        entered(1, "Refuse a second run", "FailStateEntered"),
        (1, "ExecutionFailed", {"executionFailedEventDetails": {"error": "RunInProgress", "cause": "held by x"}}),
    )
    assert failure_in(refused) == Failure("Refuse a second run", "RunInProgress", "held by x")
    assert failure_in(history((0, "ExecutionStarted", {}))) is None


def test_the_words_are_taken_out_of_what_a_function_and_a_job_say():
    assert readable_cause('{"errorMessage": "no such table", "errorType": "ConfigError"}') == "no such table"
    assert readable_cause('{"JobRunState": "FAILED", "ErrorMessage": "line 1\\nline 2"}') == "line 1\nline 2"
    assert readable_cause("plain words, with a { in them") == "plain words, with a { in them"
    assert readable_cause("[1, 2]") == "[1, 2]"
