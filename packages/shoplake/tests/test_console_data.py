"""The data's pages in a real browser: Iceberg tables in a real catalogue and object store, records in a real warehouse."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

import pyarrow as pa
import pytest
from console_browser import axe, wait_ended
from shoplake.console_runs import ConsoleRuns, JobTables
from shoplake.lake_tables import LakeReader
from shoplake.quarantine_rows import refused_row
from shoplake_core.clock import SystemClock
from shoplake_reconciliation.objects_aws import AwsTargets

pytestmark = pytest.mark.browser
RUN = "reconciled-one"
HOSTILE = "</script><img src=x onerror=alert(1)>\"'\u202e🛒"
MASK = "0a1b2c3d" * 8
AT = datetime(2026, 3, 18, 5, tzinfo=UTC)


def batch(number, **more):
    return {"shoplake.batch": str(number), "shoplake.run": RUN, "shoplake.full": "false"} | more


@pytest.fixture(scope="module")
def lake(cloud, local_aws, executions):
    """Silver with customers, of whom two were refused; gold with one fact; bronze with two files; one reconciled run."""
    names, s3 = cloud.names, local_aws.client("s3")
    for bucket in names.buckets:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": names.region})
    for name in ("LOAD00000001.parquet", "20260318-050000000.parquet"):
        s3.put_object(Bucket=names.bronze_bucket, Key=f"shop/customers/{name}", Body=b"x" * 1500)
    catalog = AwsTargets(glue=local_aws.endpoint, object_store=local_aws.object_store).catalog
    for database, bucket in ((names.silver_database, names.silver_bucket), (names.gold_database, names.gold_bucket)):
        catalog.create_namespace(database, {"location": f"s3://{bucket}/"})

    def put(database, bucket, name, *batches):
        table = catalog.create_table((database, name), batches[0][0].schema, location=f"s3://{bucket}/{name}")
        for rows, properties in batches:
            table.append(rows, snapshot_properties=properties)

    silver = (names.silver_database, names.silver_bucket)
    first, second = pa.table({"customer_id": [1, 2, 3]}), pa.table({"customer_id": [4]})
    put(*silver, "customers", (first, batch(1, **{"shoplake.full": "true"})), (second, batch(2)))
    row = {"customer_id": "7", "email": MASK, "full_name": "Grace Hopper", "country": HOSTILE}
    refused = pa.table(
        {
            "source_file": ["shop/customers/LOAD00000001.parquet"] * 2,
            "source_row": [0, 1],
            "key": [json.dumps({"customer_id": "7"}), json.dumps({"customer_id": "8"})],
            "Op": ["I", "U"],
            "_committed_at": pa.array([AT, AT], pa.timestamp("us", tz="UTC")),
            "reasons": [["pattern:country"], ["pattern:country", "null:created_at"]],
            "row": [json.dumps(row), None],
            "run_id": [RUN, RUN],
        }
    )
    put(*silver, "customers__quarantine", (refused, batch(1)))
    put(names.gold_database, names.gold_bucket, "fct_order", (pa.table({"order_id": [1, 2]}), batch(1)))
    executions.start(RUN, begin_at="0")
    document = {
        "cut": {"position": "binlog.1:4", "taken_at": AT.isoformat()},
        "tables": [
            {
                "table": "customers",
                "agree": False,
                "rows_in_flight": 0,
                "rows_in_quarantine": 2,
                "orphans": 0,
                "layers": {"mysql": {"rows": 7, "sums": {}}, "silver": {"rows": 4, "sums": {}}},
                "findings": [
                    {
                        "kind": "lost_row",
                        "found_in": "silver",
                        "expected_in": "mysql",
                        "keys": [{"customer_id": HOSTILE}],
                        "key_count": 1,
                    }
                ],
            }
        ],
    }
    s3.put_object(
        Bucket=names.artifacts_bucket, Key=f"runs/{RUN}/reconciliation.json", Body=json.dumps(document).encode()
    )
    wait_ended(executions, RUN)


def test_the_overview_counts_every_layer_and_says_where_they_differ(lake, opened, gold):
    page = opened("/data")
    words = page.inner_text("main")
    assert "1 of 1 tables differ" in words
    assert "lost in silver (against mysql)" in words
    silver = page.inner_text("#silver tr:has(a[href='/data/silver/customers'])")
    assert re.search(r"customer account or guest checkout\s+4\s+2\s", silver)
    assert "2\t1\t3.0 kB" in page.inner_text("#bronze tr:has(a[href='/data/bronze/customers'])")
    (there,) = gold.execute("SELECT count(*) FROM gold.fct_order").fetchone()
    assert f"! {there:,}" in page.inner_text("#gold tr:has(a[href='/data/gold/fct_order'])")
    assert page.locator(".failure[role=alert]").count() == 0
    assert axe(page) == []
    dark = opened("/data", theme="dark", width=390)
    assert axe(dark) == []
    assert dark.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_silver_table_shows_refused_rows_masked_and_its_columns_ways(lake, opened):
    page = opened("/data/silver/customers")
    words = page.inner_text("#refused")
    assert "country does not fit the pattern: 2" in words
    page.click("#refused details summary")
    shown = page.inner_text("#refused")
    assert "email masked 0a1b2c3d…" in shown
    assert "full_name masked" in shown
    assert HOSTILE.replace("\u202e", "") in shown.replace("\u202e", "")
    assert MASK not in page.content()
    assert "Grace" not in page.content(), "what the contract calls personal is not shown, whoever wrote it"
    assert "by run" in page.inner_text("main")
    column = page.locator("tr:has(#column-email)")
    assert column.locator("a[href='/data/bronze/customers']").inner_text() == "customers.email"
    assert column.locator("a[href^='/dashboards/customer_behaviour#']").count() > 0, "by way of the person's key"
    assert axe(page) == []
    page.click("text=bronze customers")
    assert "its rows hold personal values" in page.inner_text("main")


def test_a_gold_column_leads_to_its_tiles_and_to_its_sources(lake, opened):
    page = opened("/data/gold/agg_sales_daily")
    row = page.locator("tr:has(#column-net_sales)")
    assert "fct_sales_event." in row.inner_text()
    row.locator("a[href^='/dashboards/sales_performance#']").first.click()
    page.wait_for_selector("html[data-drawn]", state="attached", timeout=30_000)
    assert page.url.endswith(page.evaluate("location.hash"))
    narrow = opened("/data/gold/agg_sales_daily", theme="dark", width=390)
    assert narrow.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_catalogue_that_is_not_there_yet_is_no_error(cloud):
    reader = LakeReader(cloud.aws.client("glue"), cloud.aws.client("s3"))
    assert reader.tables("nowhere_silver") == {}
    found = reader.bronze("no-such-bucket-of-ours", "shop", "orders")
    assert (found.files, found.newest_at, found.is_more) == (0, None, False)


def test_a_refused_row_without_content_is_shown_by_its_key(cloud):
    row = {"row": None, "key": '{"order_id": 7}', "Op": "D", "_committed_at": None, "reasons": None, "run_id": None}
    shown = refused_row(row | {"source_file": "f", "source_row": 3}, cloud.workspace.project.silver["orders"])
    assert (shown.key, shown.row, shown.reasons, shown.source) == ({"order_id": "7"}, {}, (), "f row 3")


def test_a_job_tells_how_many_tables_the_catalogue_has_taken_since_it_began(lake, cloud):
    tables = JobTables(
        glue=cloud.aws.client("glue"),
        database={"silver": cloud.names.silver_database, "gold": "nowhere_gold"},
        tables={"silver": ["customers", "orders"], "gold": []},
    )
    assert tables.written_since("silver", datetime(2000, 1, 1, tzinfo=UTC)) == 1, (
        "quarantine is no table of the contracts"
    )
    assert tables.written_since("silver", datetime(2100, 1, 1, tzinfo=UTC)) == 0
    assert tables.written_since("gold", AT) == 0


def test_a_run_that_goes_on_tells_its_jobs_progress_and_one_that_ended_its_warnings(lake, cloud, local_aws):
    class Counted:
        tables: ClassVar = {"silver": range(9), "gold": range(3)}

        def written_since(self, layer, since):
            return {"silver": 5, "gold": 2}[layer] if since == AT else 0

    runs = ConsoleRuns(
        cloud.executions,
        label="",
        folder=cloud.workspace.state_folder,
        clock=SystemClock(),
        log_lines=lambda job: ["progress: reading MySQL", *(f"progress: comparing {name}" for name in ("a", "b"))],
        reader=cloud.run_reader,
        job_tables=Counted(),
    )
    silver, gold = "Clean bronze into silver", "Shape silver into gold"
    events = [
        {"id": 1, "type": "TaskStateEntered", "timestamp": AT, "stateEnteredEventDetails": {"name": silver}},
        {"id": 2, "type": "TaskStateExited", "timestamp": AT, "stateExitedEventDetails": {"name": silver}},
        {"id": 3, "type": "TaskStateEntered", "timestamp": AT, "stateEnteredEventDetails": {"name": gold}},
    ]
    going_on = replace(runs.run(RUN), is_running=True)
    assert runs.progress(going_on, events[:1]) == {silver: "5 of 9 tables"}
    assert runs.progress(going_on, events) == {gold: "2 of 3 tables"}
    compares = {"name": "Reconcile all layers"}
    started = {"resourceType": "glue", "output": json.dumps({"JobRunId": "jr_1"})}
    compared = [
        {"id": 4, "type": "TaskStateEntered", "timestamp": AT, "stateEnteredEventDetails": compares},
        {"id": 5, "previousEventId": 4, "type": "TaskSubmitted", "timestamp": AT, "taskSubmittedEventDetails": started},
    ]
    assert runs.progress(going_on, compared) == {"Reconcile all layers": "table 2 of 9"}
    assert runs.progress(going_on, []) == runs.progress(runs.run(RUN), events) == {}
    left = {
        "silver": {
            "tables": {"orders": {"quarantined": 3, "warnings": {"skipped_objects": ["x"]}}, "bad": {"error": {}}}
        },
        "gold": {"tables": {"fct_order": {"warnings": {"a": {"rows": 1}, "b": {"rows": 2}}}}},
    }
    for part, document in left.items():
        key = f"runs/{RUN}/{part}.json"
        local_aws.client("s3").put_object(
            Bucket=cloud.names.artifacts_bucket, Key=key, Body=json.dumps(document).encode()
        )
    assert list(runs.warnings(RUN)) == ["3 refused", "1 to know of silver", "2 of gold's tests warn"]
    assert list(runs.warnings("another")) == []
    document = runs.document(runs.run(RUN), [])
    assert (document["run_id"], document["status"]) == (RUN, "failed")
