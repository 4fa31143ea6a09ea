"""One run at a time, on a real object store."""

import json

import pytest
from shoplake_core.errors import ConflictError
from shoplake_core.run_lock import RUN_LOCK_KEY
from shoplake_functions.run_lock import LockState, Outcome, RunFailed, RunLock, read_lock

FAILED = {"state": "Shape silver into gold", "error": "States.Timeout", "cause": "an hour went by"}


@pytest.fixture
def bucket(s3, names):
    s3.delete_object(Bucket=names.artifacts_bucket, Key=RUN_LOCK_KEY)
    return names.artifacts_bucket


@pytest.fixture
def running():
    return set()


@pytest.fixture
def lock(s3, bucket, running):
    return RunLock(s3, bucket, running.__contains__)


def test_a_free_lock_is_taken_and_a_second_run_is_told_the_holder(lock, running):
    running.add("one")
    assert lock.take("one") == "one"
    assert lock.take("two") == "one"
    assert lock.take("one") == "one", "Lambda may be asked twice"


def test_a_released_lock_says_how_the_last_run_ended_and_goes_on_saying_it_while_held(lock, running, s3, bucket):
    lock.take("one")
    lock.release("one", Outcome.SUCCEEDED)
    text = s3.get_object(Bucket=bucket, Key=RUN_LOCK_KEY)["Body"].read()
    assert json.loads(text) == {"last_outcome": "succeeded", "last_execution": "one"}
    lock.take("two")
    assert read_lock(s3, bucket)[0] == LockState(holder="two", last_outcome=Outcome.SUCCEEDED, last_execution="one")


def test_a_run_that_ended_without_releasing_is_taken_over_and_counts_as_failed(lock, s3, bucket):
    lock.take("one")
    lock.release("one", Outcome.SUCCEEDED)
    lock.take("aborted")
    assert lock.take("next") == "next"
    state, _ = read_lock(s3, bucket)
    assert (state.last_outcome, state.last_execution) == (Outcome.FAILED, "aborted")


def test_of_two_that_take_over_the_same_dead_lock_one_wins(lock, s3, bucket, running):
    lock.take("dead")

    def rival_takes_it(holder):
        if holder == "dead":
            running.add(lock.take("rival"))
        return holder in running

    assert RunLock(s3, bucket, rival_takes_it).take("slow") == "rival"


def test_a_late_release_leaves_another_runs_lock_alone(lock, running, s3, bucket):
    lock.take("one")
    lock.take("two")
    lock.release("one", Outcome.SUCCEEDED)
    assert read_lock(s3, bucket)[0].holder == "two"


def test_a_failed_run_releases_the_lock_and_raises_the_states_name_each_time_it_is_asked(lock, s3, bucket):
    lock.take("one")
    for _ in range(2):
        with pytest.raises(RunFailed, match='failed at "Shape silver into gold"'):
            lock.end_as_failed("one", FAILED, told_at_redrive=0, redrive_count=0)
    state, _ = read_lock(s3, bucket)
    assert state == LockState(last_outcome=Outcome.FAILED, last_execution="one")


def test_a_redriven_run_takes_the_lock_again_and_resumes_at_the_state_that_failed(lock, running):
    running.add("one")
    assert lock.end_as_failed("one", FAILED, told_at_redrive=0, redrive_count=1) == FAILED["state"]
    assert lock.take("two") == "one"


def test_a_redriven_run_is_refused_while_another_is_at_work(lock, running):
    running.add(lock.take("two"))
    with pytest.raises(ConflictError, match="two is at work"):
        lock.end_as_failed("one", FAILED, told_at_redrive=0, redrive_count=1)
