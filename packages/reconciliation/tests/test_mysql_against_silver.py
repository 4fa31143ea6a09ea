"""MySQL = silver + quarantine on a real MySQL, S3 and catalogue, while the shop keeps selling."""

from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest
from shoplake_core.errors import ContractError
from shoplake_reconciliation.findings import FindingKind
from shoplake_reconciliation.source_side import RangeShare, read_source
from shoplake_reconciliation.source_transfer import source_reading_from_bytes, source_reading_to_bytes


def findings(report, table):
    return next(t for t in report.tables if t.table == table).findings


def table(report, name):
    return next(t for t in report.tables if t.table == name)


def unproven(report, name):
    (found,) = findings(report, name)
    assert (found.kind, report.agree) == (FindingKind.UNPROVEN, False)
    return found.message


def test_equal_layers_agree_and_the_formula_adds_up(shop):
    shop.run_silver("order_items", "refunds", "tags")
    report = shop.reconcile()
    assert report.agree, report.to_json()
    orders = table(report, "orders")
    assert (orders.layers["mysql"].rows, orders.layers["silver"].rows, orders.rows_in_quarantine) == (12, 11, 1)
    assert orders.layers["mysql"].sums["total"] == orders.layers["silver"].sums["total"] == Decimal("72.10")
    assert orders.rows_in_flight == 0
    assert shop.waited_for == [report.cut.position]
    assert report.cut.promise == "exact"


def test_a_lost_row_of_silver_is_named(shop, tampering):
    shop.run_silver("orders", tamper=tampering.without(order_id=Decimal(9)))
    (found,) = findings(shop.reconcile("orders"), "orders")
    assert (found.kind, found.expected_in, found.found_in) == (FindingKind.LOST, "mysql", "silver")
    assert (found.keys, str(found.key_range)) == (({"order_id": Decimal(9)},), "6 <= order_id < 11")
    assert (found.expected_rows, found.found_rows) == (4, 3)
    assert {s.column: s.difference for s in found.sums}["total"] == Decimal("-9.10")


def test_a_ghost_in_silver_is_named(shop, tampering):
    shop.run_silver("order_items", tamper=tampering.doubled({"order_id": Decimal(400)}, order_id=Decimal(3), line_no=2))
    (found,) = findings(shop.reconcile("order_items"), "order_items")
    assert (found.kind, found.keys) == (FindingKind.GHOST, ({"order_id": Decimal(400), "line_no": 2},))
    assert found.key_range.before is None
    assert found.found_rows == found.expected_rows + 1


def test_a_wrong_cent_in_silver_is_named_with_both_sums(shop, tampering):
    shop.run_silver("orders", tamper=tampering.changed("total", Decimal("0.01"), {"order_id": Decimal(3)}))
    (found,) = findings(shop.reconcile("orders"), "orders")
    assert (found.kind, found.keys, found.columns) == (FindingKind.WRONG, ({"order_id": Decimal(3)},), ("total",))
    (total,) = found.sums
    assert (total.column, total.expected, total.found, total.difference) == (
        "total",
        Decimal("15.50"),
        Decimal("15.51"),
        Decimal("0.01"),
    )


@pytest.mark.parametrize(
    ("column", "value"), [("status", "Paid"), ("note", None), ("is_test", None), ("placed_at", None)], ids=str
)
def test_a_wrong_value_that_no_sum_shows_is_named(shop, tampering, column, value):
    shop.run_silver("orders", tamper=tampering.changed(column, value, {"order_id": Decimal(3)}))
    (found,) = findings(shop.reconcile("orders"), "orders")
    assert (found.kind, found.columns, found.sums) == (FindingKind.WRONG, (column,), ())


def test_text_keys_are_compared_whatever_the_collation_says(shop, tampering):
    shop.run_silver("tags")
    assert shop.reconcile("tags", range_rows=2).agree
    shop.run_silver("tags", tamper=tampering.changed("weight", 4.100000000000001, {"tag": "Blue"}))
    (found,) = findings(shop.reconcile("tags", range_rows=2), "tags")
    assert (found.kind, found.keys, found.columns) == (FindingKind.WRONG, ({"tag": "Blue"},), ("weight",))


IN_FLIGHT = {
    "insert": (
        "I",
        "order_id = 50",
        "INSERT INTO @orders VALUES (50, 1, 'paid', 5.05, NULL, 0, '2026-02-01', '2026-02-01')",
    ),
    "update": ("U", "order_id = 3", "UPDATE @orders SET total = 33.33, note = ' new ' WHERE order_id = 3"),
    "delete": ("D", "order_id = 4", "DELETE FROM @orders WHERE order_id = 4"),
    "into-quarantine": ("U", "order_id = 5", "UPDATE @orders SET status = '??' WHERE order_id = 5"),
    "out-of-quarantine": ("U", "order_id = 7", "UPDATE @orders SET status = 'PAID' WHERE order_id = 7"),
    "delete-in-quarantine": ("D", "order_id = 7", "DELETE FROM @orders WHERE order_id = 7"),
}


@pytest.mark.parametrize("change", IN_FLIGHT.values(), ids=IN_FLIGHT)
def test_a_change_in_flight_explains_its_key(shop, change):
    operation, where, statement = change
    shop.change(operation, "orders", where, statement)
    report = shop.reconcile("orders")
    assert report.agree, report.to_json()
    assert table(report, "orders").rows_in_flight == 1


def test_changes_after_the_cut_are_left_out(shop):
    shop.change("U", "orders", "order_id = 2", "UPDATE @orders SET total = 20 WHERE order_id = 2")

    def sell_on():
        shop.change("U", "orders", "order_id = 3", "UPDATE @orders SET total = 30 WHERE order_id = 3")
        shop.change("D", "orders", "order_id = 2", "DELETE FROM @orders WHERE order_id = 2")

    report = shop.reconcile("orders", during=sell_on)
    assert report.agree, report.to_json()
    orders = table(report, "orders")
    assert orders.rows_in_flight == 1
    assert orders.layers["mysql"].sums["total"] == orders.silver_at_cut.sums["total"] == Decimal("90.00")
    assert orders.layers["silver"].sums["total"] == Decimal("72.10")


def test_a_change_that_bronze_never_got_is_a_failure(shop):
    shop.change("U", "orders", "order_id = 3", "UPDATE @orders SET total = 33 WHERE order_id = 3", in_bronze=False)
    (found,) = findings(shop.reconcile("orders"), "orders")
    assert (found.kind, found.keys) == (FindingKind.WRONG, ({"order_id": Decimal(3)},))


def test_a_change_in_flight_that_does_not_explain_the_difference_is_a_failure(shop, tampering):
    tamper = tampering.changed("total", Decimal("0.01"), {"order_id": 3})
    shop.change("U", "orders", "order_id = 3", "UPDATE @orders SET total = 33 WHERE order_id = 3", tamper=tamper)
    report = shop.reconcile("orders")
    (found,) = findings(report, "orders")
    assert (found.kind, found.keys) == (FindingKind.WRONG, ({"order_id": Decimal(3)},))
    assert [s.difference for s in found.sums] == [Decimal("0.01")]
    assert table(report, "orders").rows_in_flight == 1


def test_an_old_change_that_comes_again_changes_nothing(shop):
    shop.change("U", "orders", "order_id = 3", "UPDATE @orders SET total = 31 WHERE order_id = 3")
    _, old = shop.log["orders"][-1]
    shop.change("D", "orders", "order_id = 3", "DELETE FROM @orders WHERE order_id = 3")
    shop.run_silver("orders")
    shop.write_changes("orders", old)
    report = shop.reconcile("orders")
    assert report.agree, report.to_json()
    assert table(report, "orders").rows_in_flight == 0


def test_a_row_lost_from_quarantine_is_named(shop):
    shop.log["orders"] = [(order, row) for order, row in shop.log["orders"] if row["order_id"][0].as_py() != 7]
    shop.run_silver("orders")
    (found,) = findings(shop.reconcile("orders"), "orders")
    assert (found.kind, found.found_in, found.keys) == (FindingKind.LOST, "quarantine", ({"order_id": Decimal(7)},))


def test_a_reload_that_silver_has_not_read_explains_everything_it_changes(shop, tampering):
    shop.run_silver("orders", tamper=tampering.doubled({"order_id": Decimal(400)}, order_id=Decimal(3)))
    assert not shop.reconcile("orders").agree
    shop.load("orders")
    report = shop.reconcile("orders")
    assert report.agree, report.to_json()
    assert table(report, "orders").rows_in_flight == 13


def test_a_rotating_share_reads_its_ranges_alone_and_finds_every_ghost_in_turn(shop, tampering):
    shop.run_silver("orders", tamper=tampering.doubled({"order_id": Decimal(400)}, order_id=Decimal(3)))
    reports = [shop.reconcile("orders", share=RangeShare(run, of=3)) for run in range(3)]
    tables = [table(report, "orders") for report in reports]
    assert sum(t.layers["mysql"].rows for t in tables) == 12
    assert [(t.ranges_checked, t.ranges) for t in tables] == [(1, 3)] * 3
    assert [len(t.findings) for t in tables] == [0, 0, 1]
    assert tables[2].findings[0].keys == ({"order_id": Decimal(400)},)


def test_a_share_of_a_table_without_rows_agrees(empty_shop):
    empty_shop.load("orders")
    empty_shop.run_silver("orders")
    for share in (RangeShare(), RangeShare(1, of=4)):
        assert empty_shop.reconcile("orders", share=share).agree


def test_a_silver_table_that_is_not_there_is_a_finding(empty_shop):
    empty_shop.fill()
    (found,) = findings(empty_shop.reconcile("orders"), "orders")
    assert (found.kind, found.expected_rows) == (FindingKind.MISSING, 12)


def test_silver_that_somebody_else_wrote_is_not_proved(shop):
    shop.write_iceberg("silver", "orders", shop.silver_rows("orders"), {})
    newest = shop.targets.catalog.load_table((shop.names.silver_database, "orders"))
    assert newest.metadata.current_snapshot() is not None
    report = shop.reconcile("orders")
    assert report.agree  # maintenance keeps the rows and is passed over
    shop.run_silver("refunds")
    fresh = shop.silver_rows("refunds")
    shop.targets.catalog.drop_table((shop.names.silver_database, "refunds"))
    shop.write_iceberg("silver", "refunds", fresh, {})
    assert "none of them carries shoplake.batch" in unproven(shop.reconcile("refunds"), "refunds")


def test_a_consumed_record_that_was_changed_is_not_proved(shop):
    newest = shop.targets.catalog.load_table((shop.names.silver_database, "orders")).metadata.current_snapshot()
    url = newest.summary.additional_properties["shoplake.consumed"]
    shop.put(*url.removeprefix("s3://").split("/", 1), b"{}")
    assert "its hash differs" in unproven(shop.reconcile("orders"), "orders")


def test_a_bronze_file_that_was_changed_after_silver_took_it_is_not_proved(shop):
    shop.change("U", "orders", "order_id = 3", "UPDATE @orders SET total = 31 WHERE order_id = 3")
    shop.run_silver("orders")
    (name,) = shop.written_files["orders"]
    shop.put(shop.names.bronze_bucket, f"{shop.schema}/orders/{name}", b"other")
    shop.run_silver("tags")
    report = shop.reconcile("orders", "tags")
    assert "was changed after silver took it" in unproven(report, "orders")
    assert table(report, "tags").agree


def test_silver_that_lacks_a_column_of_its_contract_is_not_proved(shop):
    rows = shop.silver_rows("orders").drop_columns(["note"])
    shop.targets.catalog.drop_table((shop.names.silver_database, "orders"))
    shop.write_iceberg("silver", "orders", rows, shop.newest_properties)
    assert "has no column note" in unproven(shop.reconcile("orders"), "orders")


@pytest.mark.parametrize("promise", ["exact", "by time"])
def test_bronze_of_dms_is_cut_by_stream_position_or_else_by_time(shop, promise):
    dms = replace(shop.records["orders"][0], engine="dms", sequence_floor="", change_margin_seconds=600)
    shop.put(shop.names.bronze_bucket, dms.key, dms.to_json().encode())

    def without_position(rows):
        place = rows.column_names.index("_stream_position")
        return rows.set_column(place, "_stream_position", pa.nulls(rows.num_rows, pa.string()))

    tamper = without_position if promise == "by time" else None
    update = "UPDATE @orders SET total = 31 WHERE order_id = 3"
    shop.change("U", "orders", "order_id = 3", update, tamper=tamper)

    def sell_on():
        later = "UPDATE @orders SET total = 32 WHERE order_id = 3"
        shop.change("U", "orders", "order_id = 3", later, tamper=tamper)

    report = shop.reconcile("orders", during=sell_on)
    assert report.agree, report.to_json()
    assert (report.cut.promise, report.cut.sequence, table(report, "orders").rows_in_flight) == (promise, "", 1)


def test_a_server_that_bronze_was_not_filled_from_is_not_proved(shop):
    record = replace(shop.records["orders"][0], lineage="another server")
    shop.put(shop.names.bronze_bucket, record.key, record.to_json().encode())
    assert "another server" in unproven(shop.reconcile("orders"), "orders")


def test_a_key_that_is_not_mysqls_is_refused(shop):
    shop.run_silver("refunds")
    shop.sql("ALTER TABLE @refunds DROP PRIMARY KEY, ADD PRIMARY KEY (refund_id, order_id)")
    with pytest.raises(ContractError, match="primary key"):
        shop.reconcile("refunds")


def test_what_the_source_side_gives_holds_no_value_of_a_person(shop):
    shop.sql("UPDATE @orders SET note = 'Zacharias Geheim'")
    reading = read_source(shop.mysql, [shop.silver["orders"]], schema=shop.schema, masking_key=shop.key, range_rows=5)
    side = reading.tables["orders"].side
    assert side.keys.column_names == side.refused.column_names == ["order_id"]
    assert "Zacharias" not in repr(reading)
    assert b"Zacharias" not in source_reading_to_bytes(reading)
    assert all(isinstance(value, int) for numbers in side.numbers for value in numbers.column_digests.values())


def test_a_source_reading_travels_as_bytes(shop):
    contracts = [shop.silver[name] for name in ("orders", "tags")]
    reading = read_source(shop.mysql, contracts, schema=shop.schema, masking_key=shop.key, range_rows=3)
    again = source_reading_from_bytes(source_reading_to_bytes(reading))
    assert (again.position, again.taken_at, again.lineage) == (reading.position, reading.taken_at, reading.lineage)
    for name, source in reading.tables.items():
        copy = again.tables[name]
        assert (copy.ranges, copy.side.numbers) == (source.ranges, source.side.numbers)
        assert copy.side.keys.equals(source.side.keys)
        assert copy.side.refused.equals(source.side.refused)
        assert copy.side.digests.tolist() == source.side.digests.tolist()


def test_ranges_are_cut_where_the_source_is_read_in_key_order(empty_shop):
    empty_shop.sql(
        "INSERT INTO @order_items SELECT seq, line, 1, 1.5 FROM "
        "(WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 900) SELECT seq FROM n) a "
        "CROSS JOIN (SELECT 1 AS line UNION SELECT 2 UNION SELECT 3) b"
    )
    reading = read_source(
        empty_shop.mysql,
        [empty_shop.silver["order_items"]],
        schema=empty_shop.schema,
        masking_key=empty_shop.key,
        range_rows=100,
    )
    source = reading.tables["order_items"]
    assert sum(numbers.rows for numbers in source.side.numbers) == source.rows == 2700
    assert source.ranges.count == 27
    assert max(numbers.rows for numbers in source.side.numbers) < 110
    index = source.ranges.index_of(source.side.keys)
    assert pa.array(index).to_pylist() == sorted(index.tolist())
