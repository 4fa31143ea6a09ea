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
    assert document["replication"]["state"] == "streaming"


def test_a_run_with_nothing_new_touches_nothing(running_shop):
    record = running_shop.json("run")
    assert all(entry["read"] == 0 for entry in record["steps"]["silver"]["outcome"]["tables"].values())
    assert record["steps"]["warehouse"]["outcome"]["rows"] == 0


def test_no_secret_and_no_personal_value_lies_in_logs_records_or_the_lake(running_shop):
    key = (running_shop.state / "masking.key").read_text().strip()
    for path in [*running_shop.state.glob("logs/**/*"), *running_shop.state.glob("runs/*.json")]:
        if path.is_file():
            text = path.read_text("utf-8", "replace")
            assert key not in text, path
            assert "@example." not in text, path


def replicator_pids(shop):
    return [p.pid for p in shop.processes() if "shoplake_replication" in p.cmdline()]


def test_a_changed_project_reaches_the_replicator_that_runs(running_shop):
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
        assert '"CdcMinFileSize": 30273' in (running_shop.state / "replication" / "config.json").read_text()
    finally:
        path.write_text(told)
    assert running_shop.json("run")["steps"]["reconcile"]["outcome"]["agree"]
