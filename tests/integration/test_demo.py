"""The main job: `shoplake demo`, small, then everything that must hold of the processes it started."""

import json

import psutil
import pytest


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


@pytest.mark.timeout(1500)
def test_a_demo_reconciles_after_the_full_load_and_after_live_changes(whole_shop):
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
    sales = shoplake.json("query", "select sum(net_sales) from gold.agg_store_daily")["rows"][0][0]
    assert sales, "the dashboards have something to show"

    shoplake.call("down")
    assert shoplake.processes() == []
    document = shoplake.json("reconcile")
    assert document["agree"], "up brings the state back"
    assert document["schema_version"] == 1
