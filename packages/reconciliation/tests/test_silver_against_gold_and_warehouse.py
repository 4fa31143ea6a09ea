"""silver - orphans = gold = warehouse, each layer asked itself: Iceberg through the catalogue, the warehouse through SQL."""

import hashlib
import json
from dataclasses import replace
from decimal import Decimal

import pyarrow.compute as pc
import pytest
from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import Layer
from shoplake_core.errors import ContractError
from shoplake_reconciliation.findings import FindingKind
from shoplake_reconciliation.groups import grain_of


def table(report, name):
    return next(t for t in report.tables if t.table == name)


@pytest.fixture(scope="module")
def built(mysql_server, local_aws, new_shop):
    """A shop whose silver the tests leave alone."""
    shop = new_shop(mysql_server.endpoint, local_aws)
    shop.fill()
    shop.run_silver("orders", "order_items", "refunds")
    shop.run_gold()
    yield shop
    shop.connection.close()


@pytest.fixture
def sold(built):
    """Silver, gold and the warehouse are all built; what a test did to gold is mended after it."""
    built.run_warehouse()
    before = {name: built.batch("gold", name) for name in built.gold}
    yield built
    for name, number in before.items():
        if built.batch("gold", name) != number:
            built.run_gold(name)


@pytest.fixture
def own_sold(shop):
    """A shop of the test's own, all built."""
    shop.run_silver("order_items", "refunds")
    shop.run_gold()
    shop.run_warehouse()
    return shop


TABLES = ("orders", "order_items", "refunds")


def test_all_layers_agree_and_orphans_are_counted(sold):
    report = sold.reconcile(*TABLES, warehouse=True)
    assert report.agree, report.to_json()
    numbers = {t.table: (t.orphans, [(name, layer.rows) for name, layer in t.layers.items()]) for t in report.tables}
    assert numbers == {
        "orders": (0, [("mysql", 12), ("silver", 11), ("gold", 11), ("warehouse", 11)]),
        "order_items": (2, [("mysql", 24), ("silver", 24), ("gold", 22), ("warehouse", 22)]),
        "refunds": (1, [("mysql", 4), ("silver", 4), ("gold", 3), ("warehouse", 3)]),
    }
    items = table(report, "order_items").layers
    assert items["gold"].sums == items["warehouse"].sums == items["gold"].expected.sums
    assert items["silver"].sums["quantity"] - items["gold"].sums["quantity"] == 3


REFUNDS = """
grain = "one row per refund"
key = ["refund_id"]
reads = ["orders", "refunds"]
scope = ["order_id"]
[[reconciles]]
source = "refunds"
sums = { amount = "amount" }
parents = { order_id = "orders" }
[columns.refund_id]
type = "uint64"
[columns.order_id]
type = "uint64"
[columns.amount]
type = "decimal(12,2)"
"""


def test_two_gold_tables_of_one_source_are_both_compared_and_its_orphans_counted_once(shop):
    shop.gold["fct_refund"] = parse_table_contract(
        REFUNDS, name="fct_refund", layer=Layer.GOLD, where="fct_refund.toml"
    )
    shop.run_silver("order_items", "refunds")
    refunds, orders = shop.silver_rows("refunds"), shop.silver_rows("orders")
    refunds = refunds.filter(pc.is_in(refunds["order_id"], orders["order_id"].combine_chunks()))
    refunds = refunds.select(shop.gold["fct_refund"].column_names)
    shop.run_gold("fct_event")
    shop.run_gold("fct_refund", tamper=lambda _: refunds)
    report = table(shop.reconcile("refunds", gold=True), "refunds")
    assert (report.orphans, report.findings, report.layers["silver"].rows, report.layers["gold"].rows) == (1, (), 4, 3)
    shop.run_gold("fct_refund", tamper=lambda _: refunds.slice(1))
    (found,) = table(shop.reconcile("refunds", gold=True), "refunds").findings
    assert (found.kind, found.expected_rows, found.found_rows) == (FindingKind.LOST, 3, 2)


def test_the_report_is_one_json_document(own_sold):
    data = json.loads(own_sold.reconcile("orders", warehouse=True).to_json())
    assert (data["schema_version"], data["agree"], sorted(data["cut"])) == (
        1,
        True,
        ["position", "promise", "sequence", "taken_at"],
    )
    (orders,) = data["tables"]
    assert orders["layers"]["mysql"]["rows"] == 12
    assert orders["layers"]["gold"] == {
        "table": "fct_order",
        "rows": 11,
        "sums": {"total": "72.10"},
        "expected": {"rows": 11, "sums": {"total": "72.10"}},
        "batch": 1,
    }
    assert orders["layers"]["warehouse"] == {
        "table": "gold.fct_order",
        "rows": 11,
        "sums": {"total": "72.10"},
        "batch": 1,
    }


def test_a_lost_row_of_gold_is_named(sold, tampering):
    sold.run_gold("fct_order", tamper=tampering.without(order_id=Decimal(9)))
    (found,) = table(sold.reconcile("orders", gold=True), "orders").findings
    assert (found.kind, found.expected_in, found.found_in) == (FindingKind.LOST, "silver", "gold")
    assert (found.keys, found.expected_rows, found.found_rows) == (({"order_id": Decimal(9)},), 11, 10)
    assert [(s.column, s.expected, s.found) for s in found.sums] == [("total", Decimal("72.10"), Decimal("63.00"))]


def test_a_ghost_in_gold_is_named(sold, tampering):
    sold.run_gold("fct_event", tamper=tampering.doubled({"event_id": "x"}, event_id="sale-3-2"))
    (found,) = table(sold.reconcile("order_items", gold=True), "order_items").findings
    assert (found.kind, found.found_in, found.found_rows - found.expected_rows) == (FindingKind.GHOST, "gold", 1)
    assert found.keys == ({"order_id": Decimal(3), "line_no": 2},)


def test_a_wrong_cent_in_gold_is_named_with_both_sums(sold, tampering):
    sold.run_gold("fct_event", tamper=tampering.changed("source_amount", Decimal("0.01"), {"event_id": "return-104"}))
    report = sold.reconcile("order_items", "refunds", gold=True)
    assert table(report, "order_items").agree
    (found,) = table(report, "refunds").findings
    assert (found.kind, found.columns, found.keys) == (
        FindingKind.WRONG,
        ("source_amount",),
        ({"order_id": Decimal(4)},),
    )
    (amount,) = found.sums
    assert (amount.column, amount.expected, amount.found) == ("amount", Decimal("0.15"), Decimal("0.16"))


def test_cents_that_cancel_in_gold_are_found(sold, tampering):
    def tamper(rows):
        rows = tampering.changed("total", Decimal("0.01"), {"order_id": 3})(rows)
        return tampering.changed("total", Decimal("-0.01"), {"order_id": 4})(rows)

    sold.run_gold("fct_order", tamper=tamper)
    (found,) = table(sold.reconcile("orders", gold=True), "orders").findings
    assert (found.kind, found.key_count, found.sums) == (FindingKind.WRONG, 2, ())


WAREHOUSE = {
    "lost": ("DELETE FROM gold.fct_order WHERE order_id = 9", FindingKind.LOST, (11, 10), (Decimal("72.10"), Decimal("63.00"))),
    "ghost": ("INSERT INTO gold.fct_order VALUES (400, 1.00)", FindingKind.GHOST, (11, 12), (Decimal("72.10"), Decimal("73.10"))),
    "doubled": ("INSERT INTO gold.fct_order SELECT * FROM gold.fct_order WHERE order_id = 3", FindingKind.GHOST, (11, 12), (Decimal("72.10"), Decimal("75.20"))),
    "cent": ("UPDATE gold.fct_order SET total = total + 0.01 WHERE order_id = 3", FindingKind.WRONG, (11, 11), (Decimal("72.10"), Decimal("72.11"))),
}  # fmt: skip


@pytest.mark.parametrize("case", WAREHOUSE.values(), ids=WAREHOUSE)
def test_a_difference_of_the_warehouse_is_named(sold, case):
    statement, kind, rows, sums = case
    sold.postgres(statement)
    (found,) = table(sold.reconcile("orders", warehouse=True), "orders").findings
    assert (found.kind, found.expected_in, found.found_in) == (kind, "gold", "warehouse")
    assert (found.expected_rows, found.found_rows) == rows
    assert [(s.column, s.expected, s.found) for s in found.sums] == [("total", *sums)]
    (key,) = found.keys
    assert int(key["order_id"]) in {3, 9, 400}
    assert str(found.key_range) == "all order_id"


def test_amounts_at_the_wrong_keys_of_the_warehouse_are_found(sold):
    swap = "UPDATE gold.fct_event SET source_amount = source_amount + CASE line_no WHEN 1 THEN 1 ELSE -1 END"
    sold.postgres(f"{swap} WHERE event_type = 'sale' AND order_id = 3")
    (found,) = table(sold.reconcile("order_items", warehouse=True), "order_items").findings
    assert (found.kind, found.found_in, found.sums) == (FindingKind.WRONG, "warehouse", ())
    assert [(int(key["order_id"]), key["line_no"]) for key in found.keys] == [(3, 1), (3, 2)]


def test_a_warehouse_that_lost_a_whole_table_is_named(sold):
    sold.postgres("DELETE FROM gold.fct_order")
    (found,) = table(sold.reconcile("orders", warehouse=True), "orders").findings
    assert (found.kind, found.expected_rows, found.found_rows, found.key_count) == (FindingKind.LOST, 11, 0, 11)


def test_a_warehouse_without_a_batch_is_a_finding(sold):
    sold.postgres("DELETE FROM shoplake.loads")
    (found,) = table(sold.reconcile("orders", warehouse=True), "orders").findings
    assert (found.kind, found.found_in) == (FindingKind.MISSING, "warehouse")


def test_gold_that_is_a_batch_behind_silver_is_compared_at_what_it_read(own_sold):
    own_sold.change("U", "orders", "order_id = 3", "UPDATE @orders SET total = 99 WHERE order_id = 3")
    own_sold.run_silver("orders")
    report = own_sold.reconcile("orders", gold=True)
    assert report.agree, report.to_json()
    orders = table(report, "orders")
    assert orders.notes == ("silver orders is at batch 2 and gold fct_order has read batch 1: compared at 1",)
    assert (orders.layers["silver"].sums["total"], orders.layers["gold"].sums["total"]) == (
        Decimal("168.00"),
        Decimal("72.10"),
    )


def test_a_warehouse_that_is_a_batch_behind_is_compared_at_what_it_loaded(own_sold):
    own_sold.change("U", "orders", "order_id = 3", "UPDATE @orders SET total = 99 WHERE order_id = 3")
    own_sold.run_silver("orders")
    own_sold.run_gold("fct_order")
    report = own_sold.reconcile("orders", warehouse=True)
    assert report.agree, report.to_json()
    assert table(report, "orders").notes == ("gold fct_order is at batch 2 and the warehouse has loaded batch 1",)
    own_sold.postgres("UPDATE shoplake.loads SET batch = 2")
    (found,) = table(own_sold.reconcile("orders", warehouse=True), "orders").findings
    assert [(s.expected, s.found) for s in found.sums] == [(Decimal("168.00"), Decimal("72.10"))]


def test_gold_that_is_not_built_yet_is_a_finding(shop):
    (found,) = table(shop.reconcile("orders", gold=True), "orders").findings
    assert (found.kind, found.found_in) == (FindingKind.MISSING, "gold")


def test_gold_whose_silver_state_has_expired_is_not_proved(own_sold):
    own_sold.run_gold("fct_order")
    silver = own_sold.silver_rows("orders")
    own_sold.targets.catalog.drop_table((own_sold.names.silver_database, "orders"))
    properties = {"shoplake.batch": "9"} | _consumed(own_sold)
    own_sold.write_iceberg("silver", "orders", silver, properties)
    (found,) = table(own_sold.reconcile("orders", gold=True), "orders").findings
    assert (found.kind, found.found_in) == (FindingKind.UNPROVEN, "gold")


def _consumed(shop):
    newest = shop.targets.catalog.load_table((shop.names.silver_database, "order_items")).metadata.current_snapshot()
    kept = ("shoplake.consumed", "shoplake.consumed-sha256")
    record = {name: newest.summary.additional_properties[name] for name in kept}
    body = {"schema_version": 1, "watermark": "", "files": {}, "epochs": [r.epoch for r in shop.records["orders"]]}
    content = json.dumps(body).encode()
    shop.put(shop.names.silver_bucket, "_consumed/again.json", content)
    return record | {
        "shoplake.consumed": f"s3://{shop.names.silver_bucket}/_consumed/again.json",
        "shoplake.consumed-sha256": hashlib.sha256(content).hexdigest(),
    }


def test_a_sum_over_a_text_is_refused(shop):
    gold = shop.gold["fct_order"]
    wrong = replace(gold.reconciles[0], sums={"status": "total"})
    with pytest.raises(ContractError, match=r"orders\.status is no column of whole numbers"):
        grain_of(shop.silver["orders"], gold, wrong)
