"""A run, and its proof, while the shop keeps selling."""

import subprocess
import sys


def test_a_run_reconciles_while_the_load_generator_keeps_writing_through_it(running_shop, inside):
    at = inside(running_shop).laptop.mysql
    url = f"mysql://{at.user}:{at.password}@{at.host}:{at.port}"
    selling = subprocess.Popen(
        [sys.executable, "-m", "shoplake_datagen", "load", "--rate", "15", "--for", "240s", "--seed", "77", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=running_shop.environment | {"SHOPLAKE_MYSQL_URL": url},
    )
    try:
        record = running_shop.json("run")
        assert selling.poll() is None, f"the load ended before the run did: {selling.communicate()}"
    finally:
        selling.terminate()
        selling.communicate(timeout=30)
    outcome = record["steps"]["reconcile"]["outcome"]
    assert outcome["agree"]
    assert sum(table["rows_in_flight"] for table in outcome["tables"]) > 0, "changes came between silver and the cut"
    assert running_shop.json("run")["steps"]["reconcile"]["outcome"]["agree"], "and what was in flight arrives"


def test_a_second_run_at_the_same_time_is_refused_by_the_first_ones_name(running_shop):
    running_shop.call("load", "--transactions", "5", "--seed", "78")
    first = running_shop.start("run")
    try:
        while first.poll() is None and (newest := running_shop.json("runs", "list")["runs"][0])["status"] != "running":
            pass
        second = running_shop.call("run", check=False)
    finally:
        running_shop.call("runs", "stop", newest["run_id"])
        first.wait(timeout=60)
    assert second.returncode == 4, second.stderr
    assert newest["run_id"] in second.stderr
