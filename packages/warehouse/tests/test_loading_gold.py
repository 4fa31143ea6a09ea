from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from shoplake_warehouse.errors import WarehouseLoadError

LOADS = "SELECT table_name, batch, run_id FROM shoplake.loads ORDER BY batch"


def row(op, order_id, total, status="paid", day=date(2024, 3, 1)):
    return {
        "_op": op,
        "order_id": Decimal(order_id),
        "day": day,
        "status": status,
        "total": Decimal(total),
        "placed_at": datetime(2024, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
    }


def orders(warehouse):
    return warehouse.rows("SELECT order_id, status, total FROM gold.fct_order ORDER BY order_id")


def test_batches_reach_the_warehouse_in_order_and_exactly(warehouse, fact):
    batches = [
        warehouse.gold_batch(1, [row("I", 1, "10.00"), row("I", 2**64 - 1, "0.10"), row("I", 3, "5.00")], full=True),
        warehouse.gold_batch(
            2, [row("D", 1, "10.00"), row("I", 1, "12.00", "shipped"), row("D", 3, "5.00"), row("I", 4, "1.00", None)]
        ),
    ]
    loaded = warehouse.load(fact, batches)
    assert (loaded.batch, loaded.loaded, loaded.rows) == (2, (1, 2), 7)
    assert orders(warehouse) == [
        (Decimal(1), "shipped", Decimal("12.00")),
        (Decimal(4), None, Decimal("1.00")),
        (Decimal(2**64 - 1), "paid", Decimal("0.10")),
    ]
    assert warehouse.rows(LOADS) == [("fct_order", 1, "run-1"), ("fct_order", 2, "run-1")]
    (stamp,) = {placed for (placed,) in warehouse.rows("SELECT placed_at FROM gold.fct_order")}
    assert stamp == datetime(2024, 3, 1, 12, 0, 0, 123456, tzinfo=UTC).replace(tzinfo=None)


def test_loading_again_changes_nothing(warehouse, fact):
    batches = [warehouse.gold_batch(1, [row("I", 1, "10.00")], full=True)]
    warehouse.load(fact, batches)
    before = orders(warehouse)
    again = warehouse.load(fact, batches, run_id="run-2")
    assert (again.loaded, again.batch) == ((), 1)
    assert orders(warehouse) == before
    assert warehouse.rows(LOADS) == [("fct_order", 1, "run-1")]


def test_a_gap_is_refused(warehouse, fact):
    warehouse.load(fact, [warehouse.gold_batch(1, [row("I", 1, "1.00")], full=True)])
    with pytest.raises(WarehouseLoadError, match="needs batch 2 of fct_order next, and gold offers 3"):
        warehouse.load(fact, [warehouse.gold_batch(3, [row("I", 2, "1.00")])])
    assert len(orders(warehouse)) == 1
