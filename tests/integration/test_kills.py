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


def java_process_of(run):
    """The Java process under a run, once there is one that has been at work for a moment."""
    pause, deadline = threading.Event(), time.monotonic() + 120
    while run.poll() is None and time.monotonic() < deadline:
        for process in psutil.Process(run.pid).children(recursive=True):
            if process.name() == "java" and process.cpu_times().user > 4:
                return process
        pause.wait(0.05)
    raise AssertionError(f"no Java process under the run: {run.communicate()}")


def test_a_job_whose_java_process_dies_is_started_once_more(running_shop):
    running_shop.call("load", "--transactions", "20", "--seed", "41")
    run = running_shop.start("run", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    java_process_of(run).kill()
    _, err = run.communicate(timeout=300)
    assert run.returncode == 0, err
    record = running_shop.json("status")["last_run"]
    assert record["steps"]["reconcile"]["outcome"]["agree"]
    log = (running_shop.state / "logs" / record["run_id"] / "bronze_to_silver.log").read_text()
    assert "Spark's Java process was ended by SIGKILL; nothing is half-done" in log
