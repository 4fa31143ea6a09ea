"""The commands that report, on a running shop."""

import csv
import io


def test_query_gives_the_same_rows_as_table_json_and_csv(running_shop):
    sql = "select status, count(*) as orders from gold.fct_order group by status order by status"
    document = running_shop.json("query", sql)
    assert document["columns"] == ["status", "orders"]
    assert sum(row[1] for row in document["rows"]) > 0
    rows = list(csv.reader(io.StringIO(running_shop.call("query", sql, "--csv").stdout)))
    assert rows[0] == document["columns"]
    assert [[r[0], int(r[1])] for r in rows[1:]] == document["rows"]
    assert all(row[0] in running_shop.call("query", sql).stdout for row in document["rows"])


def test_a_wrong_query_is_told_in_one_screen(running_shop):
    done = running_shop.call("query", "select * from gold.no_such_table", check=False)
    assert done.returncode in {1, 4}
    assert "no_such_table" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_what_redshift_refuses_is_refused(running_shop):
    done = running_shop.call(
        "query", "insert into gold.dim_product select * from gold.dim_product on conflict do nothing", check=False
    )
    assert done.returncode != 0
    assert "Redshift" in done.stderr


def test_status_shows_every_server_and_the_last_run(running_shop):
    document = running_shop.json("status")
    assert {server["name"] for server in document["servers"] if server["running"]} >= {
        "mysql",
        "object-store",
        "postgres",
    }
    assert document["last_run"]["status"] == "succeeded"
    assert document["replication"]["state"] == "running"
    assert document["replication"]["tables"]["shop.orders"]["state"] == "Table completed"


def test_a_run_with_nothing_new_ends_after_a_look_at_bronze(running_shop):
    running_shop.call("run")
    document = running_shop.json("run")
    assert list(document["steps"]) == ["bronze"]
    assert document["status"] == "succeeded"


def test_a_run_can_begin_at_a_later_state_and_is_listed_and_shown(running_shop):
    begun = running_shop.json("run", "--from", "Plan the warehouse load")
    assert list(begun["steps"]) == ["warehouse", "reconcile"]
    newest = running_shop.json("runs", "list", "--count", "1")["runs"]
    assert [(run["run_id"], run["status"]) for run in newest] == [(begun["run_id"], "succeeded")]
    assert running_shop.json("runs", "show", begun["run_id"])["steps"] == begun["steps"]
    assert begun["run_id"] in running_shop.call("runs", "show", "last").stdout
    wrong = running_shop.call("runs", "show", begun["run_id"][:-1], check=False)
    assert (wrong.returncode, f'did you mean "{begun["run_id"]}"' in wrong.stderr) == (2, True), wrong.stderr
    wrong = running_shop.call("run", "--from", "Plan the warehouse lode", check=False)
    assert (wrong.returncode, 'did you mean "Plan the warehouse load"' in wrong.stderr) == (2, True), wrong.stderr


def test_logs_are_those_of_the_run_and_state(running_shop):
    started = [run for run in running_shop.json("runs", "list")["runs"] if run["status"] == "succeeded"]
    run = next(r["run_id"] for r in started if "gold" in running_shop.json("runs", "show", r["run_id"])["steps"])
    every = running_shop.call("logs", run).stdout
    gold = running_shop.call("logs", run, "--state", "Shape silver into gold").stdout
    assert '"job": "silver_to_gold"' in gold
    assert len(gold) < len(every)


def test_no_secret_and_no_personal_value_lies_in_logs_histories_or_summaries(running_shop, inside):
    behind = inside(running_shop)
    key = behind.masking_key().secret.hex()
    password = behind.laptop.mysql.password
    seen = 0
    for path in running_shop.state.rglob("*"):
        if path.is_file() and (path.suffix in {".log", ".jsonl"} or path.name.startswith("stepfunctions.sqlite")):
            text = path.read_text("utf-8", "replace")
            seen += len(text)
            if path.name != "dirt.jsonl":  # the ledger of what was planted in MySQL
                assert "@example." not in text, path
            assert key not in text, path
            assert password not in text, path
    assert seen > 10_000, "there was something to search"
    summaries = behind.laptop.s3.list_objects_v2(Bucket=behind.names.artifacts_bucket, Prefix="runs/")["Contents"]
    for item in summaries[-20:]:
        body = behind.laptop.s3.get_object(Bucket=behind.names.artifacts_bucket, Key=item["Key"])["Body"].read()
        assert b"@example." not in body, item["Key"]


def replicator_pids(shop):
    return [p.pid for p in shop.processes() if "shoplake_replication" in p.cmdline()]


def test_a_changed_project_reaches_the_replicator_that_runs(running_shop, inside):
    path = running_shop.folder / "shoplake.toml"
    told, before = path.read_text(), replicator_pids(running_shop)
    running_shop.call("up")
    assert replicator_pids(running_shop) == before, "nothing changed, so nothing is started anew"
    changed = "[replication]\nflush_size_bytes = 31_000_000\n"
    try:
        path.write_text(told.replace("[replication]\n", changed))
        running_shop.call("up")
        (pid,) = replicator_pids(running_shop)
        assert pid not in before
        endpoints = inside(running_shop).cloud.aws.client("dms").describe_endpoints()["Endpoints"]
        assert [e["S3Settings"]["CdcMinFileSize"] for e in endpoints if "S3Settings" in e] == [30273]
    finally:
        path.write_text(told)
    running_shop.call("up")
    assert running_shop.json("status")["replication"]["state"] == "running"
