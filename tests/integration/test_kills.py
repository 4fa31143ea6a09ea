"""kill -9 of every process, at named steps: `up` and a rerun end with the same reconciled numbers.

The packages kill at each of their own steps (replication around every PUT and state save, etl around every commit); here whole runs die.
"""

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress

import psutil
import pytest


def kill_server(shoplake, name):
    """kill -9 of one server and its children; its pid as `status` tells it."""
    pids = {server["name"]: server["pid"] for server in shoplake.json("status")["servers"]}
    parent = psutil.Process(pids[name])
    family = [*parent.children(recursive=True), parent]
    for process in family:
        with suppress(psutil.NoSuchProcess):  # PostgreSQL's own ends the others when one of them is killed
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)


def assert_a_rerun_agrees(shoplake):
    assert shoplake.json("run")["steps"]["reconcile"]["outcome"]["agree"]


def test_each_killed_server_comes_back_with_all_it_had_acknowledged(running_shop):
    for seed, name in enumerate(["mysql", "object-store", "postgres", "front"], start=21):
        running_shop.call("load", "--transactions", "20", "--seed", str(seed))
        kill_server(running_shop, name)
        running_shop.call("up")
        assert name in {s["name"] for s in running_shop.json("status")["servers"] if s["running"]}
    assert_a_rerun_agrees(running_shop)


def test_everything_killed_at_once_comes_back(running_shop):
    running_shop.call("load", "--transactions", "30", "--seed", "99")
    victims = running_shop.processes()
    assert len(victims) >= 5
    for process in victims:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # ended with its parent
    psutil.wait_procs(victims, timeout=10)
    running_shop.call("up")
    assert_a_rerun_agrees(running_shop)


def test_runs_that_die_in_silver_in_gold_and_before_the_warehouse_are_made_good_by_a_rerun(running_shop):
    running_shop.call("load", "--transactions", "40", "--seed", "31")
    died = running_shop.call("run", check=False, SHOPLAKE_FAILPOINT="after-consumed-record:orders")
    assert (died.returncode, "signal 9" in died.stderr) == (1, True), died.stderr
    assert running_shop.json("status")["last_run"]["failed_step"] == "silver"

    died = running_shop.call("run", check=False, SHOPLAKE_FAILPOINT="after-gold-manifest:fct_order")
    assert (died.returncode, "signal 9" in died.stderr) == (1, True), died.stderr
    assert running_shop.json("status")["last_run"]["failed_step"] == "gold"

    running_shop.call("load", "--transactions", "10", "--seed", "32")
    died = running_shop.call("run", check=False, SHOPLAKE_RUN_FAILPOINT="before-warehouse")
    assert died.returncode == -signal.SIGKILL, "the run itself died, and its lock stayed behind"
    assert_a_rerun_agrees(running_shop)


def job_logs(shop):
    """What the jobs of the newest run have written so far."""
    newest = max((shop.state / "logs").glob("2*"))
    return "".join(path.read_text("utf-8", "replace") for path in newest.glob("*.log"))


def is_starting(shop, _java):
    """Python and Java have found each other, and the session is not there yet."""
    return "NativeCodeLoader" in job_logs(shop)


def is_at_work(_shop, java):
    """The start alone takes some five seconds of a core."""
    return java.cpu_times().user > 7


@pytest.mark.parametrize("moment", [is_starting, is_at_work])
def test_a_job_whose_java_process_dies_is_started_once_more(running_shop, moment):
    running_shop.call("load", "--transactions", "20", "--seed", "41" if moment is is_starting else "42")
    run = running_shop.start("run", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pause, deadline, killed = threading.Event(), time.monotonic() + 120, False
    while not killed and run.poll() is None and time.monotonic() < deadline:
        for process in psutil.Process(run.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # a helper of Spark's start that is gone already
                if process.name() == "java" and moment(running_shop, process):
                    process.kill()
                    killed = True
        pause.wait(0.02)
    _, err = run.communicate(timeout=300)
    assert killed, f"no Java process under the run: {err}"
    assert run.returncode == 0, err
    assert running_shop.json("status")["last_run"]["steps"]["reconcile"]["outcome"]["agree"]
    assert "Spark's Java process was ended by SIGKILL; nothing is half-done" in job_logs(running_shop)
