"""What is kept of a run."""

import os

import psutil
from shoplake.run_records import RunRecord, is_running, newest_run, write_run


def record(run_id, **fields):
    return RunRecord(run_id=run_id, status="running", started_at="2026-01-01T00:00:00+00:00", **fields)


def myself():
    return {"pid": os.getpid(), "pid_created_at_seconds": psutil.Process().create_time()}


def test_the_newest_run_is_the_one_that_started_last(tmp_path):
    assert newest_run(tmp_path) is None
    for run_id in ("20260102T000000Z-a", "20260103T000000Z-b", "20260101T000000Z-c"):
        write_run(tmp_path, record(run_id, **myself()))
    assert newest_run(tmp_path) == record("20260103T000000Z-b", **myself())


def test_a_run_whose_process_is_gone_died(tmp_path):
    write_run(tmp_path, record("a", **(myself() | {"pid_created_at_seconds": 1.0})))
    assert newest_run(tmp_path).status == "died"


def test_a_pid_that_another_process_has_now_is_not_the_run():
    assert is_running(myself())
    assert not is_running(myself() | {"pid_created_at_seconds": 1.0})
    assert not is_running({})
