"""The data's pages: verdict, tables, a table's contract and ways, refused rows, problems, wrong names; all of it hostile."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from recorded_runs import BASE, HOSTILE, PORT, START, TOKEN, Recorded
from shoplake_console.data_port import (
    BatchEntry,
    CheckedRun,
    ColumnEntry,
    DataLayer,
    DataOverview,
    Place,
    Problem,
    ReconciledTable,
    Refused,
    TableEntry,
    TablePage,
    WrittenByRun,
)
from shoplake_console.markup import told_ago, told_bytes
from shoplake_console.server import console_app
from shoplake_core.clock import SkipClock
from starlette.testclient import TestClient

AGO = START - timedelta(minutes=4)
ORDERS = TableEntry(
    layer=DataLayer.SILVER,
    name="orders",
    grain="one row per order",
    rows=1200,
    changed_at=AGO,
    run_id=HOSTILE,
    refused=3,
)
FACT = TableEntry(
    layer=DataLayer.GOLD, name="fct_order", rows=1200, warehouse_rows=1199, loaded_at=AGO.replace(tzinfo=None)
)
FILES = TableEntry(layer=DataLayer.BRONZE, name="orders", files=20_000, loads=2, size_bytes=3_400_000, is_more=True)
AGREED = ReconciledTable(
    table="orders", rows={"mysql": 1203, "silver": 1200, "gold": None}, refused=3, orphans=0, in_flight=0, agree=True
)
OVERVIEW = DataOverview(
    tables=(FILES, ORDERS, FACT),
    reconciled_run="run-1",
    reconciled_at=AGO,
    reconciled=(AGREED,),
    runs=(
        CheckedRun(
            run_id="run-1", status="succeeded", started_at=AGO, seconds=65, failed_state="", checks=10, findings=0
        ),
    ),
)
PAGE = TablePage(
    entry=ORDERS,
    doc=HOSTILE,
    columns=(
        ColumnEntry(
            name="total",
            type="decimal(12,2)",
            marks=("key", "may be null"),
            rules=("at least 0", "else the row is refused"),
            doc=HOSTILE,
            origins=(Place(f"shop.orders.{HOSTILE}", "/data/bronze/orders"),),
            uses=tuple(Place(f"fct_order.c{n}", "/data/gold/fct_order#c") for n in range(5)),
        ),
    ),
    upstream=(Place("bronze orders", "/data/bronze/orders"),),
    tiles=(Place(HOSTILE, "/dashboards/sales#x"),),
    lineage_note="Column by column.",
    tests=(("total_is_right", "warn"),),
    batches=(BatchEntry(number=2, run_id=HOSTILE, at=AGO, rows=1200, is_full=True),),
    written=(WrittenByRun(run_id="run-1", finished_at=AGO, written=7, refused=3, seconds=4, findings=None),),
    refused=(
        Refused(
            key={"order_id": "7"},
            operation="U",
            committed_at=AGO,
            reasons=("minimum:total", HOSTILE),
            row={"order_id": "7", "total": "-1", "note": HOSTILE, "email": "masked 0a1b2c3d…"},
            run_id="run-1",
            source="20260318-054000000.parquet row 4",
        ),
    ),
    reasons=(("minimum:total", 3),),
)


class Told:
    """A source that tells what was put into it."""

    def __init__(self):
        self.overview_, self.page = OVERVIEW, PAGE

    def names(self, layer):
        return ["orders", HOSTILE] if layer is not DataLayer.GOLD else ["fct_order"]

    def overview(self):
        return self.overview_

    def table(self, layer, name):
        return self.page


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def reader(told):
    app = console_app(Recorded(), clock=SkipClock(START), token=TOKEN, port=PORT, data=told)
    client = TestClient(app, base_url=BASE, follow_redirects=False)
    client.get(f"/?token={TOKEN}")
    return client


def test_the_overview_begins_with_the_verdict_and_tells_every_table(reader):
    page = reader.get("/data").text
    assert "every layer agrees" in page
    assert 'title="2026-03-28 23:56:00 UTC" data-ago>4 min ago</time>' in page
    assert "20,000+" in page
    assert "3.4 MB+" in page
    assert '<span class="warn">! 1,199</span>' in page, "the warehouse holds other rows than the lake"
    assert "1 min 05 s" in page
    assert '<td class="number">-</td>' in page, "gold has no counterpart"


def test_a_layer_that_differs_says_where_and_a_part_that_is_down_leaves_the_others(reader, told):
    differs = replace(AGREED, agree=False, findings=(f"lost in silver {HOSTILE}",))
    problem = Problem("The warehouse", HOSTILE, "shoplake status")
    told.overview_ = replace(OVERVIEW, reconciled=(differs,), problems=(problem,), runs=())
    page = reader.get("/data").text
    assert "1 of 1 tables differ" in page
    assert "lost in silver" in page
    assert "The warehouse could not be read:" in page
    assert "Next: shoplake status" in page
    assert "<img" not in page
    told.overview_ = DataOverview()
    page = reader.get("/data").text
    assert "no run has compared them yet: shoplake run" in page
    assert page.count('<p class="empty">none yet</p>') == 3


def test_a_table_tells_contract_ways_runs_and_refused_rows(reader, told):
    page = reader.get("/data/silver/orders").text
    for words in (
        "at least 0, else the row is refused",
        "<summary>5 places</summary>",
        "total is right",
        "<bdi>total is too small</bdi>: 3",
        "total -1",
        "masked 0a1b2c3d…",
        "4 min ago",
        'id="column-total"',
        'href="/data/bronze/orders"',
    ):
        assert words in page
    assert "<img" not in page
    assert "img src=x" in page, "it is told as text"
    told.page = replace(PAGE, entry=FACT)
    page = reader.get("/data/gold/fct_order").text
    assert 'loaded into the warehouse <time datetime="2026-03-28T23:56:00+00:00"' in page
    assert "Refused rows" not in page
    told.page = replace(PAGE, entry=replace(ORDERS, refused=0, changed_at=None), refused=())
    page = reader.get("/data/silver/orders").text
    assert "no row was refused" in page
    assert "no run has written it yet: shoplake run" in page


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/data/silver/order", "no table &quot;order&quot; in silver (did you mean &quot;orders&quot;?)"),
        ("/data/gold/orders", "bronze/orders or silver/orders is there"),
        ("/data/slver/orders", "no layer &quot;slver&quot; (did you mean &quot;silver&quot;?)"),
        (f"/data/silver/{quote('<b>', safe='')}", "no table &quot;&lt;b&gt;&quot;"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_the_nearest(reader, path, words):
    answer = reader.get(path)
    assert answer.status_code == 404
    assert words in answer.text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (47 * 3600, "47 h ago"),
        (172_800, "2 days ago"),
    ],
)
def test_how_long_ago_is_told_in_one_unit(seconds, words):
    assert told_ago(seconds) == words
    assert (told_bytes(999), told_bytes(1000), told_bytes(2_500_000_000_000_000)) == ("999 B", "1.0 kB", "2500.0 TB")
