"""kill -9 of every process: `up`, a rerun or a redrive end with the same reconciled numbers.

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


def test_killed_servers_one_by_one_and_all_at_once_come_back_with_all_they_had_acknowledged(running_shop):
    for seed, name in enumerate(["mysql", "object-store", "postgres", "front"], start=21):
        running_shop.call("load", "--transactions", "20", "--seed", str(seed))
        kill_server(running_shop, name)
        running_shop.call("up")
        assert name in {s["name"] for s in running_shop.json("status")["servers"] if s["running"]}
    victims = running_shop.processes()
    assert len(victims) >= 4, "every server; the replicator went with the front and is resumed by the next run"
    for process in victims:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # ended with its parent
    psutil.wait_procs(victims, timeout=10)
    running_shop.call("up")
    assert running_shop.json("run")["steps"]["reconcile"]["outcome"]["agree"]


def processes_of(shop, script, name):
    """The processes of a job that runs now: Python with the script, or the Java that it started."""
    found = []
    for process in shop.processes():
        with suppress(psutil.NoSuchProcess):
            if any(word.endswith(script) for word in process.cmdline()):
                family = [process, *process.children(recursive=True)]
                found += [member for member in family if name in member.name()]
    return found


def kill_when_at_work(shop, run, script, name):
    """kill -9 of a job's process once it has worked for a while; what the run said when it ended."""
    pause, deadline = threading.Event(), time.monotonic() + 240
    killed = False
    while not killed and run.poll() is None and time.monotonic() < deadline:
        for process in processes_of(shop, script, name):
            with suppress(psutil.NoSuchProcess):
                # Java: the start alone takes some five seconds of a core
                if name != "java" or process.cpu_times().user > 7:
                    process.kill()
                    killed = True
        pause.wait(0.05)
    _, err = run.communicate(timeout=300)
    assert killed, f"{script} was never at work: {err}"
    return err


def test_a_run_that_lost_its_spark_and_was_then_stopped_is_redriven_to_its_end(running_shop):
    running_shop.call("load", "--transactions", "20", "--seed", "41")
    run = running_shop.start("run", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    err = kill_when_at_work(running_shop, run, "bronze_to_silver.py", "java")
    assert run.returncode == 1, err
    assert 'failed at "Clean bronze into silver"' in err
    assert "SIGKILL" in err
    assert running_shop.json("runs", "show", "last")["failed"]["state"] == "Clean bronze into silver"

    redriven = running_shop.start("runs", "redrive", "last", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pause, deadline = threading.Event(), time.monotonic() + 240
    while not processes_of(running_shop, "silver_to_gold.py", "python"):
        assert redriven.poll() is None, redriven.communicate()
        assert time.monotonic() < deadline
        pause.wait(0.1)
    running_shop.call("runs", "stop", "last")
    _, err = redriven.communicate(timeout=120)
    assert redriven.returncode == 1, err
    assert "stopped" in err

    document = running_shop.json("runs", "redrive", "last")
    assert document["redrives"] == 2
    assert document["steps"]["reconcile"]["outcome"]["agree"]


def test_a_run_goes_on_where_it_was_when_the_local_aws_is_killed_under_it(running_shop):
    running_shop.call("load", "--transactions", "20", "--seed", "43")
    run = running_shop.start("run", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pause, deadline = threading.Event(), time.monotonic() + 240
    while not processes_of(running_shop, "silver_to_gold.py", "python") and time.monotonic() < deadline:
        pause.wait(0.1)
    pids = {server["name"]: server["pid"] for server in running_shop.json("status")["servers"]}
    psutil.Process(pids["front"]).kill()  # alone: a job goes on, as the replicator does
    run.communicate(timeout=120)
    running_shop.call("up")
    while (newest := running_shop.json("runs", "list", "--count", "1")["runs"][0])["status"] == "running":
        assert time.monotonic() < deadline
        pause.wait(1)
    shown = running_shop.json("runs", "show", newest["run_id"])
    if shown["status"] == "failed":  # the job asked for the catalogue while nobody was there
        assert shown["failed"]["state"] == "Shape silver into gold", shown["failed"]
        shown = running_shop.json("runs", "redrive", newest["run_id"])
    assert shown["steps"]["reconcile"]["outcome"]["agree"]
