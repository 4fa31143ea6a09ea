"""The parts without Spark: records, batches, bindings, arguments, summaries."""

import json
import os
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from reference_shop import shop_project
from shoplake_core.errors import ConfigError, CredentialError, DataError
from shoplake_etl import session
from shoplake_etl.batches import Batch, Snapshot, batch_log, newest_batch
from shoplake_etl.consumed import Consumed, consumed_from_json, listing_start, with_batch
from shoplake_etl.failpoints import KillAt, NoFailpoints, Step, failpoints_named
from shoplake_etl.gold_backfill import Backfill, backfill_kind, event_date
from shoplake_etl.gold_rows import bound_sql
from shoplake_etl.job_edge import arguments_from
from shoplake_etl.secrets_aws import masking_key_from_secret
from shoplake_etl.selection import selected_contracts
from shoplake_etl.session import LocalSpark, local_conf
from shoplake_etl.summary import ModelSummary, RunSummary, TableError, TableSummary, failed_tables


def test_the_record_keeps_the_names_of_one_day_before_its_watermark():
    old, near, new = "20261123-235959000.parquet", "20261124-120000000.parquet", "20261125-110000000.parquet"
    record = with_batch(
        Consumed(watermark=near, files={old: "a", near: "b"}, epochs=("1",)), changes={new: "c"}, epochs=["2"]
    )
    assert record == Consumed(watermark=new, files={near: "b", new: "c"}, epochs=("1", "2"))
    assert listing_start(new) == "20261124-110000"


def test_a_late_file_does_not_move_the_watermark_back():
    record = with_batch(
        Consumed(watermark="20261125-110000000.parquet"), changes={"20261125-100000000.parquet": "e"}, epochs=[]
    )
    assert record.watermark == "20261125-110000000.parquet"


def test_a_record_reads_back_and_another_object_in_its_place_is_a_stop():
    record = Consumed("20261125-110000000.parquet", {"20261125-110000000.parquet": "e"}, ("1",))
    digest = sha256(record.to_json()).hexdigest()
    assert consumed_from_json(record.to_json(), expected_sha256=digest, url="u") == record
    with pytest.raises(DataError, match="restore the object"):
        consumed_from_json(record.to_json() + b" ", expected_sha256=digest, url="u")


def test_a_name_that_is_no_change_file_is_refused():
    with pytest.raises(DataError, match="yyyymmdd"):
        listing_start("2026/11/25/x.parquet")


BATCH = Batch(
    number=7, run_id="r", changes="s3://c", full=True, consumed="s3://k", consumed_sha256="h", reads={"orders": 3}
)


def test_a_batch_reads_back_from_its_properties_and_maintenance_is_passed_over():
    maintenance = Snapshot(2, {"total-records": "5"}.get)
    snapshots = [maintenance, Snapshot(1, BATCH.properties().get)]
    found = newest_batch(snapshots, table="t")
    assert (found.number, found.reads, found.full, found.snapshot_id) == (7, {"orders": 3}, True, 1)
    assert [b.number for b in batch_log(snapshots)] == [7]


def test_rows_without_a_batch_are_a_stop_and_no_rows_a_beginning():
    assert newest_batch([Snapshot(1, {"total-records": "0"}.get)], table="t") is None
    with pytest.raises(DataError, match="no record of what it took"):
        newest_batch([Snapshot(1, {"total-records": "5"}.get)], table="t")


def test_settings_are_bound_as_text_and_nothing_that_ends_a_literal_passes():
    assert bound_sql("x '${store_time_zone}'", {"store_time_zone": "Europe/Berlin"}, model="m") == "x 'Europe/Berlin'"
    for sql, value in (("${nope}", "a"), ("${store_time_zone}", "a' or 1")):
        with pytest.raises(ConfigError):
            bound_sql(sql, {"store_time_zone": value}, model="m")


REQUIRED = "--project s3://p --environment dev --account 1 --region r --run_id 7 --summary s3://s"


def test_arguments_come_in_glues_form_beside_glues_own():
    argv = f"{REQUIRED} --tables a,b --JOB_NAME j"
    found = arguments_from([*argv.split(), "--rebuild", "true", "--enable-metrics"])
    assert (found.tables, found.rebuild, found.run_id) == (("a", "b"), True, "7")


@pytest.mark.parametrize("day", ["2026-13-01", "20260101", "2026-W01-1", "yesterday"])
def test_a_backfill_from_no_day_is_refused_and_told_the_format(day):
    with pytest.raises(ConfigError, match=f'--backfill_from is "{day}"') as refused:
        arguments_from([*REQUIRED.split(), "--backfill_from", day])
    assert "YYYY-MM-DD" in refused.value.hint


def test_a_rebuild_takes_every_day_so_it_takes_no_backfill_beside_it():
    found = arguments_from([*REQUIRED.split(), "--rebuild", "false", "--backfill_from", "2026-01-01"])
    assert found.backfill_from == date(2026, 1, 1)
    assert arguments_from([*REQUIRED.split(), "--backfill_from", ""]).backfill_from is None
    with pytest.raises(ConfigError, match="both given"):
        arguments_from([*REQUIRED.split(), "--rebuild", "--backfill_from", "2026-01-01"])


def test_a_model_tells_by_its_contract_what_a_backfill_takes_of_it():
    gold = shop_project().gold
    told = {
        "fct_order": ("keys", "placed_date"),  # groups are people
        "fct_sales_event": ("keys", "event_date"),
        "fct_inventory_daily": ("keys", "stock_date"),
        "dim_date": ("keys", "date_day"),
        "agg_sales_daily": ("dates", "event_date"),
        "agg_customer_cohort": ("dates", "cohort_month"),
        "dim_customer": ("whole", None),
        "dim_product": ("whole", None),
        "agg_customer_rfm": ("whole", None),
    }
    dates = {name: event_date(gold[name]) for name in told}
    assert {name: (backfill_kind(gold[name]).value, column and column.name) for name, column in dates.items()} == told
    # an older cohort whose people bought again from the day on is fed by those orders; what reads silver alone is not
    cohorts, orders = gold["agg_customer_cohort"], gold["fct_order"]
    fed = Backfill(contract=cohorts, day=date(2026, 1, 15), time_zone="UTC").reads_to_touch({"fct_order": orders})
    assert fed == ("fct_order",)


def test_an_unknown_table_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match='did you mean "orders"'):
        selected_contracts({"orders": None}, ["order"])


def test_a_summary_tells_what_was_done_and_what_failed():
    tables = {
        "a": TableSummary(read=1, applied=1, batch=1),
        "b": TableError("DATA", "m", "h"),
        "c": TableSummary(warnings={"skipped_objects": 1}),
        "d": ModelSummary(full=True),
    }
    summary = RunSummary("bronze_to_silver", "r", tables)
    told = json.loads(summary.to_json())
    assert (summary.failed, failed_tables(summary.to_json())) == (("b",), frozenset({"b"}))
    assert "warnings" not in told["tables"]["a"]
    assert told["tables"]["c"]["warnings"] == {"skipped_objects": 1}
    assert told["tables"]["b"] == {"error": {"code": "DATA", "message": "m", "hint": "h"}}
    assert told["tables"]["d"]["full"] is True


def test_failpoints_are_named_by_step_and_table():
    assert isinstance(failpoints_named(""), NoFailpoints)
    assert isinstance(failpoints_named("after-tombstones:orders"), KillAt)
    failpoints_named("after-tombstones:orders").reach(Step.AFTER_TOMBSTONES, "customers")
    with pytest.raises(ConfigError, match='did you mean "after-tombstones"'):
        failpoints_named("after-tombstone:orders")


class Secrets:
    def __init__(self, text):
        self.text = text

    def get_secret_value(self, SecretId):  # noqa: N803 - boto3's name
        return {"SecretString": self.text}


@pytest.mark.parametrize("text", ["ab" * 32, json.dumps({"masking_key": "ab" * 32})], ids=["text", "json"])
def test_the_masking_key_comes_from_a_secret(text):
    assert masking_key_from_secret("s", client=Secrets(text)).secret == bytes.fromhex("ab" * 32)


def test_a_missing_masking_key_is_a_refusal_that_does_not_show_it():
    with pytest.raises(CredentialError) as caught:
        masking_key_from_secret("s", client=Secrets("deadbeef"))
    assert "deadbeef" not in str(caught.value)


def test_no_secret_stands_in_the_settings_and_nothing_listens_beyond_loopback(tmp_path):
    local = LocalSpark(
        s3_url="http://127.0.0.1:1",
        glue_url="http://127.0.0.1:2",
        region="r",
        cores=2,
        memory="2g",
        ivy_folder=tmp_path,
    )
    conf = local_conf(local, "s3://w")
    assert not [name for name in conf if "secret" in name or "access.key" in name]
    assert (conf["spark.driver.bindAddress"], conf["spark.ui.enabled"], conf["spark.sql.session.timeZone"]) == (
        "127.0.0.1",
        "false",
        "UTC",
    )
    assert "hadoop-aws" in conf["spark.jars.packages"]


def test_an_archive_of_classes_serves_the_environment_whose_jars_it_was_made_of(tmp_path):
    """Java passes over one of other jars without a word, and then every start loads its classes again."""
    jars = tmp_path / "jars"
    jars.mkdir()
    for name in session._RESOLVED_JARS:
        (jars / name).touch()
    local = LocalSpark(
        s3_url="http://s", glue_url="http://g", region="r", cores=2, memory="2g", ivy_folder=tmp_path, keep_classes=True
    )
    options = local_conf(local, "s3://w")["spark.driver.extraJavaOptions"]
    archive = Path(options.partition("-XX:ArchiveClassesAtExit=")[2].split()[0])
    assert archive.parent == tmp_path
    archive.touch()
    assert f"-XX:SharedArchiveFile={archive}" in local_conf(local, "s3://w")["spark.driver.extraJavaOptions"]
    os.utime(archive, (0, 0))  # Spark was installed again after it was written
    assert f"-XX:ArchiveClassesAtExit={archive}" in local_conf(local, "s3://w")["spark.driver.extraJavaOptions"]
