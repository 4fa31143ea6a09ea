"""Bronze to silver on a real object store: what becomes of each change."""

import pyarrow as pa
import pytest
from shoplake_core.errors import DataError

pytestmark = pytest.mark.spark

ORDERS = """
grain = "one row per order"
key = ["order_id"]
tracks = ["customer_id"]
[columns.order_id]
type = "uint64"
[columns.customer_id]
type = "uint64"
[columns.status]
type = "string(20)"
trim = true
case = "lower"
accepted = ["paid", "shipped"]
[columns.note]
type = "text"
nullable = true
pii = "note"
"""
COLUMNS = pa.schema(
    [("order_id", pa.uint64()), ("customer_id", pa.uint64()), ("status", pa.string()), ("note", pa.string())]
)


@pytest.fixture
def contract(tools):
    return tools.contract(ORDERS)


@pytest.fixture
def bronze(world):
    return world.bronze("orders", COLUMNS)


def statuses(world):
    return {int(row["order_id"]): row["status"] for row in world.rows("orders")}


def row(order_id, status="paid", customer_id=1, note=None):
    return {"order_id": order_id, "customer_id": customer_id, "status": status, "note": note}


def test_a_load_then_changes_then_nothing(world, bronze, contract, tools):
    bronze.load([row(1), row(2, " Shipped "), row(3, "oops"), row(4, note="call me")], with_operation=False)
    first = world.silver(contract)
    assert (first.files, first.read, first.applied, first.quarantined, first.inserted, first.batch) == (
        1,
        4,
        3,
        1,
        3,
        1,
    )
    assert statuses(world) == {1: "paid", 2: "shipped", 4: "paid"}
    assert {r["note"] for r in world.rows("orders")} == {None, tools.key.mask("call me")}
    bronze.changes(
        [tools.change("U", 1, **row(1, "shipped")), tools.change("D", 2, order_id=2), tools.change("I", 3, **row(5))]
    )
    second = world.silver(contract)
    assert (second.inserted, second.updated, second.deleted, second.batch) == (1, 1, 1, 2)
    assert statuses(world) == {1: "shipped", 4: "paid", 5: "paid"}
    third = world.silver(contract)
    assert (third.files, third.read, third.batch) == (0, 0, 2)


def test_equal_order_and_unequal_content_is_a_stop_that_names_table_and_key(world, bronze, contract, tools):
    bronze.load([row(1)])
    bronze.changes([tools.change("U", 1, **row(1, "shipped")), tools.change("U", 1, **row(1, "paid"))])
    with pytest.raises(DataError, match=r'orders: key \{"order_id":1\}'):
        world.silver(contract)
