"""Which data sets are read anew, and how much of each: by the batches that they and the warehouse hold."""

from datetime import UTC, date, datetime, timedelta

import pytest
from shoplake_core.errors import ConfigError
from shoplake_functions.spice_refreshes import SpiceDataSet, planned_refresh, spice_data_sets
from shoplake_warehouse.loading import GoldBatch

TODAY = date(2026, 11, 25)
NEVER_ASKED = object()
STORE = SpiceDataSet(id="bi-store", tables=("daily",), date="day", days=45)
SALES = SpiceDataSet(id="bi-sales", tables=("sales", "product"), date="day", days=45)
WHOLE = SpiceDataSet(id="bi-product", tables=("product",))


def gold(table, *numbers, full=(), empty=()):
    return [
        GoldBatch(table=table, batch=n, full=n in full, manifest_url="" if n in empty else "s3://m", rows=1)
        for n in numbers
    ]


def ingestion(identifier, status="COMPLETED", kind="FULL_REFRESH", minute=0, dropped=0):
    return {
        "IngestionId": identifier,
        "IngestionStatus": status,
        "RequestType": kind,
        "CreatedTime": datetime(2026, 11, 25, 3, minute, tzinfo=UTC),
        "RowInfo": {"RowsDropped": dropped},
    }


def planned(data_set, batches, ingestions=(), oldest=NEVER_ASKED, run_id="run-2"):
    def answer(table, column):
        assert (table, column) == (data_set.tables[0], data_set.date)
        assert oldest is not NEVER_ASKED
        return oldest

    return planned_refresh(
        data_set,
        batches={table: gold(table, *given) if isinstance(given, tuple) else given for table, given in batches.items()},
        ingestions=ingestions,
        oldest=answer,
        today=TODAY,
        run_id=run_id,
    )


def days_ago(days):
    return TODAY - timedelta(days=days)


@pytest.mark.parametrize(
    ("batches", "oldest", "why"),
    [
        ((1, 2, 3), days_ago(43), ""),
        ((1, 2, 3), days_ago(44), "changed on 2026-10-12, which may lie before its 45 days"),
        ((1, 2, 3), days_ago(9000), "may lie before"),
        ((1, 2, 3), None, "changed on no known day"),
        ((1, 2, 3, 4), NEVER_ASKED, "daily has 2 batches that it has not read"),
        ((4,), NEVER_ASKED, "daily has 2 batches"),
        (gold("daily", 1, 2, 3, full=(3,)), NEVER_ASKED, "daily was built anew"),
        (gold("daily", 1, 2, 3, 4, empty=(4,)), days_ago(1), ""),
        ((1,), NEVER_ASKED, "batches that it has not read"),
    ],
    ids=["in window", "edge", "old", "undated", "two", "expired", "rebuilt", "one changes", "rolled back"],
)
def test_only_what_surely_lies_in_the_window_is_read_alone(batches, oldest, why):
    refresh = planned(STORE, {"daily": batches}, [ingestion("run-1_2_0")], oldest)
    assert refresh.type == ("FULL_REFRESH" if why else "INCREMENTAL_REFRESH"), refresh
    assert why in refresh.why


def test_what_is_up_to_date_is_left_alone_and_so_is_what_no_run_has_loaded():
    assert planned(STORE, {"daily": (1, 2)}, [ingestion("run-1_2_0")]) is None
    assert planned(STORE, {"daily": gold("daily", 1, 2, 3, empty=(3,))}, [ingestion("run-1_2_0")]) is None
    assert planned(STORE, {}) is None
    assert planned(SALES, {"sales": (1,)}) is None


def test_a_joined_table_that_changed_is_read_with_every_day_and_a_data_set_without_days_always_whole():
    read = [ingestion("run-1_4-2_0")]
    refresh = planned(SALES, {"sales": (1, 2, 3, 4, 5), "product": (1, 2, 3)}, read)
    assert (refresh.type, refresh.why) == ("FULL_REFRESH", "product changed, which rows of any day show")
    refresh = planned(SALES, {"sales": (1, 2, 3, 4, 5), "product": (1, 2)}, read, days_ago(3))
    assert (refresh.type, refresh.ingestion) == ("INCREMENTAL_REFRESH", "run-2_5-2_0")
    assert planned(WHOLE, {"product": (1, 2)}, [ingestion("run-1_1_0")]).type == "FULL_REFRESH"


@pytest.mark.parametrize(
    "ingestions",
    [
        [],
        [ingestion("6f1c1d0c-by-hand")],
        [ingestion("run-1_2_0", "FAILED")],
        [ingestion("run-1_2_0", dropped=3)],
        [ingestion("run-1_2-7_0")],
        [ingestion("edited", kind="EDIT", minute=9), ingestion("run-1_2_0")],
    ],
    ids=["none", "by hand", "failed", "rows dropped", "of other tables", "edited since"],
)
def test_a_data_set_that_is_not_known_to_hold_all_is_read_whole(ingestions):
    refresh = planned(STORE, {"daily": (1, 2, 3)}, ingestions)
    assert (refresh.type, refresh.why) == ("FULL_REFRESH", "no refresh of ours is known to have read all of it")


def test_a_retry_goes_on_with_the_ingestion_that_is_under_way_and_one_that_failed_is_begun_under_another_id():
    failed = ingestion("run-2_3_0", "FAILED", minute=1)
    assert planned(STORE, {"daily": (1, 2, 3)}, [failed]).ingestion == "run-2_3_1"
    running = ingestion("run-2_3_1", "QUEUED", "INCREMENTAL_REFRESH", minute=2)
    refresh = planned(STORE, {"daily": (1, 2, 3)}, [failed, running])
    assert (refresh.ingestion, refresh.type, refresh.why) == ("run-2_3_1", "INCREMENTAL_REFRESH", "it is under way")


def test_an_ingestions_id_has_only_what_quicksight_takes_in_one():
    refresh = planned(STORE, {"daily": (1,)}, run_id=f"by:hand+{'x' * 100}@home")
    assert refresh.ingestion == f"by-hand-{'x' * 56}_1_0"


def test_a_data_set_is_as_infra_writes_it_or_refused():
    document = {"id": "bi-store", "tables": ["daily"], "date": "day", "days": 45}
    assert spice_data_sets([document]) == (STORE,)
    with pytest.raises(ConfigError, match="is no data set"):
        spice_data_sets([document | {"ingestion_type": "FULL_REFRESH"}])
