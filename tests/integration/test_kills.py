"""kill -9 of every process, at named steps: `up` and a rerun end with the same reconciled numbers."""

import os
import signal

import psutil
import pytest


def kill_server(shoplake, name):
    """kill -9 of one server and its children; its pid as `status` tells it."""
    pids = {server["name"]: server["pid"] for server in shoplake.json("status")["servers"]}
    parent = psutil.Process(pids[name])
    for process in [*parent.children(recursive=True), parent]:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs([parent], timeout=10)


def rows_agree(shoplake, *words, **environment):
    document = shoplake.json("run", **environment)["steps"]["reconcile"]["outcome"]
    assert document["agree"]
    return {t["table"]: t["layers"]["mysql"]["rows"] for t in document["tables"]}


@pytest.mark.parametrize("name", ["mysql", "object-store", "postgres", "front"])
def test_a_killed_server_comes_back_with_all_it_had_acknowledged(running_shop, name):
    running_shop.call(
        "load", "--transactions", "30", "--seed", name.encode().hex()[:6].translate(str.maketrans("abcdef", "123456"))
    )
    kill_server(running_shop, name)
    running_shop.call("up")
    rows_agree(running_shop)


def test_everything_killed_at_once_comes_back(running_shop):
    running_shop.call("load", "--transactions", "30", "--seed", "99")
    for process in running_shop.processes():
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    psutil.wait_procs(running_shop.processes(), timeout=10)
    running_shop.call("up")
    rows_agree(running_shop)


@pytest.mark.parametrize(
    "failpoint",
    [
        pytest.param("after-consumed-record:orders", id="silver-before-commit"),
        pytest.param("after-silver-commit:orders", id="silver-after-commit"),
        pytest.param("after-gold-manifest:fct_order", id="gold-before-commit"),
        pytest.param("after-gold-commit:fct_order", id="gold-after-commit"),
    ],
)
def test_a_spark_job_killed_at_a_commit_is_made_good_by_a_rerun(running_shop, failpoint):
    running_shop.call("load", "--transactions", "40", "--seed", str(sum(failpoint.encode())))
    died = running_shop.call("run", check=False, SHOPLAKE_FAILPOINT=failpoint)
    assert died.returncode == 1
    assert "signal 9" in died.stderr
    assert running_shop.json("status")["last_run"]["failed_step"] in {"silver", "gold"}
    rows_agree(running_shop)


def test_a_killed_run_leaves_a_lock_that_the_next_run_takes_over(running_shop):
    running_shop.call("load", "--transactions", "20", "--seed", "5")
    died = running_shop.call("run", check=False, SHOPLAKE_RUN_FAILPOINT="before-warehouse")
    assert died.returncode == -signal.SIGKILL
    rows_agree(running_shop)
