"""The main job: `shoplake demo`, small, then everything that must hold of the processes it started."""

import json
import sys
from pathlib import Path

import psutil
import pytest
from shoplake_dashboards.periods import prior_period

sys.path.insert(0, str(Path(__file__).parent))  # for the module beside the tests
from sales_tiles import sales_in_mysql, sales_page


def listening_addresses(processes):
    """(pid, address) of every socket that a process or its children listen on."""
    found = set()
    for process in processes:
        for member in [process, *process.children(recursive=True)]:
            try:
                found |= {
                    (member.pid, c.laddr.ip) for c in member.net_connections("inet") if c.status == psutil.CONN_LISTEN
                }
            except psutil.NoSuchProcess:
                continue
    return found


def check_the_tiles_of_sales(behind):
    """Each figure of the page, and of the period that it is compared with, is what MySQL itself adds up to: to the cent."""
    page = sales_page(behind, days=28)
    periods = {"main": page.state.period, "prior": prior_period(page.state.period)}
    with behind.mysql() as connection:
        sales = {
            role: sales_in_mysql(connection, period, time_zone="Europe/Berlin") for role, period in periods.items()
        }
    for role, expected in sales.items():
        shown = {name: getattr(tile, role)[0]["v0"] for name, tile in page.tiles.items() if getattr(tile, role)}
        assert expected.orders > 0, "the dashboards have something to show"
        assert shown["net_revenue"] == expected.net
        assert shown["orders"] == expected.orders
        assert shown["average_order_value"] == pytest.approx(
            float((expected.gross - expected.discounts) / expected.orders)
        )
        assert shown["refund_rate"] == pytest.approx(float(expected.returns / expected.gross))
    whole = sales["main"]
    assert sum(row["v0"] for row in page.tiles["net_revenue_by_day"].main) == whole.net
    assert sum(row["v0"] for row in page.tiles["by_country"].main) == whole.net
    assert {row["d0"]: row["v0"] for row in page.tiles["by_channel"].main if row["v0"]} == whole.gross_by_channel


def check_that_quicksight_has_read_the_warehouse(shoplake, behind, runs):
    """The first run has every data set of SPICE read whole, the second what has changed; each holds its table's rows."""
    first, second = (shoplake.json("runs", "show", run)["output"]["dashboards"] for run in runs)
    client, account = behind.cloud.aws.client("quicksight"), {"AwsAccountId": behind.names.account}
    made = {one["DataSetId"]: one for one in client.list_data_sets(**account)["DataSetSummaries"]}
    held = [name for name, one in made.items() if one["ImportMode"] == "SPICE"]
    assert (first["refreshed"], first["warnings"], second["warnings"]) == (len(held), [], [])
    assert 0 < second["refreshed"] <= len(held)
    rows = {}
    for name in held:
        ingestions = client.list_ingestions(**account, DataSetId=name)["Ingestions"]
        newest = max(ingestions, key=lambda one: one["CreatedTime"])
        assert newest["IngestionStatus"] == "COMPLETED", newest
        rows[name] = newest["RowInfo"]["TotalRowsInDataset"]
    assert set(rows) > {"shoplake-dev-sales-performance-store", "shoplake-dev-customer-behaviour-people"}
    sales = shoplake.json("query", "select count(*) from gold.agg_store_daily")["rows"][0][0]
    assert rows["shoplake-dev-sales-performance-store"] == sales > 0


@pytest.mark.timeout(1500)
def test_a_demo_reconciles_after_the_full_load_and_after_live_changes(whole_shop, inside):
    shoplake = whole_shop
    report = json.loads(
        shoplake.call("demo", "--orders", "300", "--transactions", "200", "--json", timeout_seconds=1200).stdout
    )
    assert report["agree"]
    first, second = report["steps"]["first"], report["steps"]["second"]
    assert first["silver"]["outcome"]["tables"]["orders"]["read"] == 300
    changed = second["silver"]["outcome"]["tables"]["orders"]
    assert 0 < changed["read"] < 300
    for entry in [*first["silver"]["outcome"]["tables"].values(), *second["silver"]["outcome"]["tables"].values()]:
        assert entry["read"] == entry["applied"] + entry["superseded"] + entry["redelivered"] + entry["quarantined"]
    layers = {t["table"]: t["layers"] for t in second["reconcile"]["outcome"]["tables"]}
    assert set(layers["orders"]) == {"mysql", "silver", "gold", "warehouse"}
    assert (
        layers["orders"]["silver"]["rows"] == layers["orders"]["gold"]["rows"] == layers["orders"]["warehouse"]["rows"]
    )

    processes = shoplake.processes()
    assert processes, "the demo leaves its servers up"
    addresses = listening_addresses(processes)
    assert addresses, "servers listen"
    assert {address for _, address in addresses} <= {"127.0.0.1", "::1"}

    pages = sorted((shoplake.state / "dashboards").glob("*.html"))
    assert [page.stem for page in pages] == [
        "customer_behaviour",
        "inventory",
        "pipeline_health",
        "sales_performance",
    ]
    check_the_tiles_of_sales(inside(shoplake))
    check_that_quicksight_has_read_the_warehouse(shoplake, inside(shoplake), report["runs"])

    shoplake.call("down")
    assert shoplake.processes() == []
    document = shoplake.json("reconcile")
    assert document["agree"], "up brings the state back"
    assert document["schema_version"] == 1
