"""What each state did, from histories in the shape of GetExecutionHistory."""

from datetime import UTC, datetime, timedelta

from shoplake_console.run_states import StateStatus, StateVisit, state_visits

START = datetime(2026, 3, 29, tzinfo=UTC)


def history(*steps):
    """(seconds, type, previous event or None for the one before, entered, left) -> events."""
    events = []
    for number, (at, kind, *rest) in enumerate(steps, start=1):
        previous, entered, left = (*rest, None, None, None)[:3]
        event = {"id": number, "timestamp": START + timedelta(seconds=at), "type": kind}
        event["previousEventId"] = number - 1 if previous is None else previous
        if entered:
            event["stateEnteredEventDetails"] = {"name": entered}
        if left:
            event["stateExitedEventDetails"] = {"name": left}
        events.append(event)
    return events


def test_a_state_that_was_left_has_succeeded_and_one_that_was_not_runs():
    events = history(
        (0, "ExecutionStarted"),
        (0, "TaskStateEntered", None, "First"),
        (4, "TaskStateExited", None, None, "First"),
        (4, "TaskStateEntered", None, "Second"),
        (6, "TaskScheduled"),
    )
    assert state_visits(events) == {
        "First": StateVisit(status=StateStatus.SUCCEEDED, visits=1, seconds=4),
        "Second": StateVisit(status=StateStatus.RUNNING, visits=1, seconds=2),
    }
    later = state_visits(events, now=START + timedelta(seconds=64))
    assert (later["First"].seconds, later["Second"].seconds) == (4, 60)
    assert state_visits(events, now=START)["Second"].seconds == 2, "a clock behind the history's"


def test_a_retry_that_goes_well_is_a_success_and_a_catch_is_told_as_one():
    retried = history(
        (0, "TaskStateEntered", None, "Ask"),
        (1, "TaskScheduled"),
        (2, "TaskFailed"),
        (3, "TaskScheduled"),
        (4, "TaskSucceeded"),
        (4, "TaskStateExited", None, None, "Ask"),
    )
    assert state_visits(retried)["Ask"].status is StateStatus.SUCCEEDED
    caught = history(
        (0, "TaskStateEntered", None, "Ask"),
        (1, "TaskScheduled"),
        (2, "TaskFailed"),
        (2, "TaskStateExited", None, None, "Ask"),
        (2, "PassStateEntered", None, "Else"),
    )
    assert state_visits(caught)["Ask"].status is StateStatus.CAUGHT


def test_branches_keep_their_own_states_and_a_loop_counts_its_visits():
    events = history(
        (0, "ParallelStateEntered", None, "Both"),
        (0, "TaskStateEntered", 1, "Left"),
        (0, "TaskStateEntered", 1, "Right"),
        (1, "TaskScheduled", 2),
        (2, "TaskFailed", 4),
        (3, "TaskStateExited", 3, None, "Right"),
        (4, "TaskStateEntered", 6, "Right"),
        (5, "TaskStateExited", 7, None, "Right"),
    )
    visits = state_visits(events)
    assert visits["Right"] == StateVisit(status=StateStatus.SUCCEEDED, visits=2, seconds=4)
    assert visits["Left"].status is StateStatus.RUNNING


def test_what_a_run_was_in_ends_with_it_and_begins_again_with_a_redrive():
    events = history(
        (0, "ExecutionStarted"),
        (0, "TaskStateEntered", None, "Work"),
        (1, "TaskScheduled"),
        (2, "TaskFailed"),
        (2, "ExecutionFailed"),
    )
    assert state_visits(events)["Work"].status is StateStatus.FAILED
    stopped = [*events[:3], {**events[4], "type": "ExecutionAborted", "id": 4}]
    assert state_visits(stopped)["Work"].status is StateStatus.CANCELLED
    redriven = [
        *events,
        {"id": 6, "previousEventId": 5, "timestamp": START + timedelta(seconds=60), "type": "ExecutionRedriven"},
        {**events[1], "id": 7, "previousEventId": 6, "timestamp": START + timedelta(seconds=60)},
    ]
    assert state_visits(redriven)["Work"] == StateVisit(status=StateStatus.RUNNING, visits=2, seconds=2)
    assert state_visits([]) == {}
