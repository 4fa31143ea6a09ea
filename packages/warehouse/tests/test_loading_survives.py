"""Retries, lost answers, failed copies, two loads at once and a killed warehouse service: the rows stay right."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import date
from decimal import Decimal

import psycopg
import pytest
from botocore.exceptions import EndpointConnectionError
from shoplake_warehouse.errors import WarehouseLoadError, WarehouseStatementError
from shoplake_warehouse.loading import GoldBatch, load_statements

DAY = date(2024, 3, 1)


def row(op, order_id, total="1.00"):
    return {"_op": op, "order_id": Decimal(order_id), "day": DAY, "status": "paid", "total": Decimal(total)}


def totals(warehouse):
    return {int(key): total for key, total in warehouse.rows("SELECT order_id, total FROM gold.fct_order")}


def counts(warehouse):
    (found,) = warehouse.rows(
        "SELECT (SELECT COUNT(*) FROM gold.fct_order) AS a, (SELECT COUNT(*) FROM shoplake.loads) AS b"
    )
    return found


def lost():
    return EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def test_a_lost_answer_to_the_submit_loads_once(warehouse, fact):
    """RED-04 at the call: the statement was taken, the answer was lost, the same token is sent again."""
    answers = iter([True])

    def lose_first_load(method, request):
        if method == "batch_execute_statement" and "COPY" in str(request["Sqls"]) and next(answers, False):
            raise lost()

    warehouse.client.after = lose_first_load
    warehouse.load(fact, [warehouse.gold_batch(1, [row("I", 1), row("I", 2)], full=True)])
    assert counts(warehouse) == (2, 1)
    sent = [
        r["ClientToken"]
        for m, r in warehouse.client.calls
        if m == "batch_execute_statement" and "COPY" in str(r["Sqls"])
    ]
    assert len(sent) == 2
    assert len(set(sent)) == 1


def test_a_step_that_dies_after_the_commit_is_repeated_without_doubling(warehouse, fact):
    """RED-04 at the step: the load committed, its step never heard of it and starts again."""
    batches = [warehouse.gold_batch(1, [row("I", 1), row("I", 2)], full=True)]
    warehouse.prepare(fact)
    statements = load_statements(fact, batches[0], run_id="run-0", iam_role="default")
    for _ in range(2):
        described = warehouse.batch(statements)
        assert described["Status"] == "FINISHED", described
    warehouse.load(fact, batches)
    assert counts(warehouse) == (2, 1)


def test_a_failed_copy_leaves_everything_as_it_was(warehouse, fact):
    """RED-08: the staging table was emptied in the same transaction, and that is undone too."""
    warehouse.load(fact, [warehouse.gold_batch(1, [row("I", 1)], full=True)])
    missing = GoldBatch(
        table="fct_order", batch=2, full=False, manifest_url=f"s3://{warehouse.bucket}/nothing/manifest.json", rows=1
    )
    with pytest.raises(WarehouseLoadError, match="does not exist"):
        warehouse.load(fact, [missing])
    assert totals(warehouse) == {1: Decimal("1.00")}
    assert warehouse.rows("SELECT COUNT(*) FROM staging.fct_order") == [(1,)]
    assert counts(warehouse) == (1, 1)


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([row("I", 7, "1.00"), row("I", 7, "2.00")], "1 keys of batch 2 come twice"),
        ([row("U", 7)], "1 rows of batch 2 are neither I nor D"),
        ([row(None, 7)], "1 rows of batch 2 are neither I nor D"),
    ],
    ids=["one-key-twice", "unknown-operation", "no-operation"],
)
def test_a_wrong_change_set_is_refused_whole(warehouse, fact, rows, fault):
    warehouse.load(fact, [warehouse.gold_batch(1, [row("I", 7, "9.00")], full=True)])
    with pytest.raises(WarehouseLoadError, match=fault):
        warehouse.load(fact, [warehouse.gold_batch(2, rows)])
    assert totals(warehouse) == {7: Decimal("9.00")}


@pytest.mark.parametrize(
    ("batch", "full", "fault"),
    [
        (4, "FALSE", "batch 4 does not follow the loaded batch 2 and is not full"),
        (1, "TRUE", None),
        (2, "FALSE", None),
        (9, "TRUE", None),
    ],
    ids=["gap", "an-old-one", "the-newest-again", "full-jumps"],
)
def test_the_procedure_itself_guards_the_order(warehouse, fact, batch, full, fault):
    warehouse.load(fact, [warehouse.gold_batch(1, [row("I", 1)], full=True), warehouse.gold_batch(2, [row("I", 2)])])
    described = warehouse.batch([f"CALL shoplake.load_fct_order({batch}, {full}, 'r')"])
    if fault:
        assert fault in described["Error"]
    else:
        assert described["Status"] == "FINISHED", described
    newest = warehouse.rows("SELECT MAX(batch) FROM shoplake.loads")
    assert newest == [(9 if batch == 9 else 2,)]


def test_a_full_batch_older_than_the_newest_is_refused(warehouse, fact):
    warehouse.load(fact, [warehouse.gold_batch(5, [row("I", 1)], full=True)])
    described = warehouse.batch(["CALL shoplake.load_fct_order(3, TRUE, 'r')"])
    assert "batch 3 is older than the loaded batch 5" in described["Error"]


def test_one_table_fails_and_the_others_are_loaded(warehouse, make_contract):
    first, second = make_contract(name="first"), make_contract(name="second")
    good = warehouse.gold_batch(1, [row("I", 1)], full=True, table="second")
    bad = warehouse.gold_batch(3, [row("I", 1)], table="first")
    with pytest.raises(WarehouseLoadError, match="1 of 2 tables were not loaded") as caught:
        warehouse.load_all([(first, [bad]), (second, [good])])
    assert list(caught.value.failures) == ["first"]
    assert caught.value.tables["second"].loaded == (1,)
    assert warehouse.rows("SELECT COUNT(*) FROM gold.second") == [(1,)]


def test_two_loads_at_once_load_each_batch_once(warehouse, fact):
    warehouse.prepare(fact)
    batches = [warehouse.gold_batch(1, [row("I", n) for n in range(200)], full=True)]
    batches += [warehouse.gold_batch(n, [row("D", n), row("I", n, "2.00")]) for n in range(2, 8)]
    statements = [load_statements(fact, batch, run_id="r", iam_role="default") for batch in batches]
    failures: list[dict] = []

    def load_all_statements():
        for batch in statements:
            described = warehouse.batch(batch)
            if described["Status"] != "FINISHED":
                failures.append(described)

    threads = [threading.Thread(target=load_all_statements) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The lock is the first statement, so they wait for each other and none meets error 1023.
    assert failures == []
    assert counts(warehouse) == (200, 7)
    assert sum(total == 2 for total in totals(warehouse).values()) == 6


SERVICE = """
import json, sys
from pathlib import Path
from shoplake_core.endpoints import AwsEndpoint, WarehouseEndpoint
from shoplake_local.redshift.service import RedshiftDataService
settings = json.loads(sys.stdin.readline())
service = RedshiftDataService(
    WarehouseEndpoint(**settings["warehouse"]),
    object_store=AwsEndpoint(**settings["object_store"]),
    state_folder=Path(settings["state_folder"]),
)
print(service.call("BatchExecuteStatement", settings["request"])["Id"], flush=True)
sys.stdin.readline()
"""


def endpoint_members(endpoint):
    return {name: getattr(endpoint, name) for name in endpoint.__dataclass_fields__}


def test_a_service_killed_between_submit_and_finish_is_followed_by_a_right_rerun(warehouse, fact):
    warehouse.load(fact, [warehouse.gold_batch(1, [row("I", 1)], full=True)])
    second = warehouse.gold_batch(2, [row("D", 1), row("I", 1, "5.00"), row("I", 2)])
    statements = load_statements(fact, second, run_id="killed", iam_role="default")
    warehouse.client.service.close()
    settings = {
        "warehouse": endpoint_members(warehouse.endpoint),
        "object_store": endpoint_members(warehouse.object_store),
        "state_folder": str(warehouse.state_folder),
        "request": {"Sqls": list(statements), "WorkgroupName": "shoplake-dev", "Database": warehouse.database},
    }
    login = {name: value for name, value in settings["warehouse"].items() if name != "database"}
    with psycopg.connect(**login, dbname=warehouse.database) as holder:
        holder.execute("LOCK TABLE gold.fct_order IN ACCESS EXCLUSIVE MODE")  # the procedure cannot finish meanwhile
        process = subprocess.Popen(
            [sys.executable, "-c", SERVICE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        process.stdin.write(json.dumps(settings) + "\n")
        process.stdin.flush()
        identifier = process.stdout.readline().strip()
        with psycopg.connect(**login, dbname=warehouse.database, autocommit=True) as observer:
            waiting = (
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            for _ in range(3000):
                if observer.execute(waiting).fetchone() == (1,):
                    break
                observer.execute("SELECT pg_sleep(0.01)")
            else:
                pytest.fail("the load never reached the lock")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdin.close()
        process.stdout.close()
    warehouse.restart()
    described = warehouse.client.describe_statement(Id=identifier)
    assert described["Status"] == "FAILED"
    assert "was stopped while the statement ran" in described["Error"]
    warehouse.load(fact, [second], run_id="rerun")
    assert totals(warehouse) == {1: Decimal("5.00"), 2: Decimal("1.00")}
    assert warehouse.rows("SELECT batch FROM shoplake.loads ORDER BY 1") == [(1,), (2,)]


def test_a_statement_of_an_unprepared_warehouse_fails_clearly(warehouse, fact):
    with pytest.raises(WarehouseStatementError, match=r"relation .* does not exist"):
        warehouse.rows("SELECT * FROM gold.nothing")
