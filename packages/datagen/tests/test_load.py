"""The live load on a real server: bounded, counted, deterministic, and leaving a shop whose numbers still agree."""

from contextlib import suppress
from datetime import UTC, datetime

import pymysql
import pytest
from shoplake_core.clock import SystemClock
from shoplake_core.errors import ConfigError, ResourceError
from shoplake_datagen import Profile, run_load, seed
from shoplake_datagen.live.mix import TRANSACTIONS
from shoplake_datagen.schema import TABLE_NAMES, table_row_counts
from shoplake_mysql.connections import connect

REFERENCE = datetime(2026, 3, 31, 12, tzinfo=UTC)
IDENTITIES = {
    "order total": "SELECT COUNT(*) FROM orders WHERE total <> subtotal - discount + tax + shipping",
    "lines make the order": "SELECT COUNT(*) FROM (SELECT MAX(o.subtotal) s, MAX(o.discount) d, SUM(i.unit_price * i.quantity) g,"
    " SUM(i.discount) l FROM orders o JOIN order_items i USING (order_id) GROUP BY o.order_id) x WHERE s <> g OR d <> l",
    "captured payments make the total": "SELECT COUNT(*) FROM (SELECT MAX(o.total) t, SUM(IF(p.status = 'captured', p.amount, 0)) c"
    " FROM orders o JOIN payments p USING (order_id) WHERE o.status IN ('paid', 'shipped', 'delivered')"
    " GROUP BY o.order_id) x WHERE t <> c",
    "nothing captured of a cancelled order": "SELECT COUNT(*) FROM orders o JOIN payments p USING (order_id)"
    " WHERE o.status = 'cancelled' AND p.status = 'captured'",
    "refund within its line": "SELECT COUNT(*) FROM refunds r JOIN order_items i USING (order_id, line_no)"
    " WHERE r.amount > i.unit_price * i.quantity - i.discount OR r.quantity > i.quantity",
    "an order has lines": "SELECT COUNT(*) FROM orders WHERE order_id NOT IN (SELECT order_id FROM order_items)",
    "an order has a payment": "SELECT COUNT(*) FROM orders WHERE order_id NOT IN (SELECT order_id FROM payments)",
    "cancelled orders say when": "SELECT COUNT(*) FROM orders WHERE (status = 'cancelled') <> (cancelled_at IS NOT NULL)",
    "stock is promised to open orders": "SELECT SUM(committed) - (SELECT SUM(quantity) FROM order_items JOIN orders USING (order_id)"
    " WHERE status IN ('pending', 'paid')) FROM inventory_levels",
    "movements sum to what lies there": "SELECT COUNT(*) FROM inventory_levels l LEFT JOIN (SELECT product_id, warehouse_id,"
    " SUM(quantity) q FROM stock_movements GROUP BY product_id, warehouse_id) m USING (product_id, warehouse_id)"
    " WHERE l.on_hand <> COALESCE(q, 0)",
    "a voucher's line says so": "SELECT COUNT(*) FROM order_items JOIN products USING (product_id) JOIN categories USING (category_id)"
    " WHERE is_gift_card <> (TRIM(name) = 'Vouchers')",
}


@pytest.fixture(scope="module")
def loaded(mysql_server):
    """(report of the seed, report of the load, rows before) of the schema `load_shop`."""
    seeded = seed(mysql_server.endpoint, orders=3_000, reference_time=REFERENCE, schema="load_shop")
    report = run_load(mysql_server.endpoint, profile=Profile.BURST, transactions=1_500, schema="load_shop")
    return seeded, report


def test_a_load_runs_exactly_as_many_transactions_as_asked_for(loaded):
    _, report = loaded
    assert report.completed == report.requested == sum(report.transactions.values()) == 1_500
    assert report.connections == 8


def test_every_kind_of_transaction_happens(loaded):
    _, report = loaded
    assert set(report.transactions) == set(TRANSACTIONS)


def test_the_counted_rows_are_those_that_the_server_gained_and_lost(loaded, connection):
    seeded, report = loaded
    after = table_row_counts(connection, "load_shop")
    for table in TABLE_NAMES:
        changes = report.rows.get(table, {})
        assert after[table] == seeded.rows[table] + changes.get("insert", 0) - changes.get("delete", 0), table


@pytest.mark.parametrize("name", IDENTITIES)
def test_the_shop_still_adds_up(loaded, connection, name):
    connection.select_db("load_shop")
    with connection.cursor() as cursor:
        cursor.execute(IDENTITIES[name])
        assert cursor.fetchone()[0] == 0


def test_the_ledgers_of_seed_and_load_together_still_hold(loaded, ledger_disagreements):
    """The load never touches a reserved key, so what the seed planted is still there."""
    seeded, report = loaded
    assert report.ledger
    assert ledger_disagreements("load_shop", (*seeded.ledger, *report.ledger)) == []


def test_a_load_adds_no_address_twice(loaded, connection):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*), COUNT(DISTINCT email) FROM load_shop.customers"
            " WHERE email IS NOT NULL AND customer_id %% 97 <> 13 AND is_guest = 1 AND customer_id > %s",
            (loaded[0].rows["customers"],),
        )
        count, distinct = cursor.fetchone()
    assert count == distinct > 0


def values_without_times(connection, schema):
    result = []
    with connection.cursor() as cursor:
        for table in TABLE_NAMES:
            cursor.execute(
                "SELECT GROUP_CONCAT(CONCAT('`', column_name, '`') ORDER BY ordinal_position) FROM information_schema.columns"
                " WHERE table_schema = %s AND table_name = %s AND data_type <> 'timestamp'",
                (schema, table),
            )
            columns = cursor.fetchone()[0]
            cursor.execute(f"SELECT {columns} FROM {schema}.{table} ORDER BY 1, 2")
            result.append(cursor.fetchall())
    return result


def test_equal_seeds_on_equal_shops_give_equal_shops(mysql_server, connection):
    reports = []
    for schema in ("first_twin", "second_twin"):
        seed(mysql_server.endpoint, orders=400, reference_time=REFERENCE, schema=schema)
        reports.append(run_load(mysql_server.endpoint, transactions=250, seed=11, schema=schema))
    assert reports[0].transactions == reports[1].transactions
    assert reports[0].rows == reports[1].rows
    assert reports[0].ledger == reports[1].ledger
    assert values_without_times(connection, "first_twin") == values_without_times(connection, "second_twin")


def test_a_second_load_with_the_same_seed_does_something_else(mysql_server):
    seed(mysql_server.endpoint, orders=200, reference_time=REFERENCE, schema="again_shop")
    first, second = (run_load(mysql_server.endpoint, transactions=60, schema="again_shop") for _ in range(2))
    assert first.transactions != second.transactions


@pytest.mark.parametrize("profile", list(Profile), ids=lambda profile: profile.value)
def test_a_paced_load_keeps_its_number_and_its_time(mysql_server, loaded, profile):
    report = run_load(mysql_server.endpoint, profile=profile, rate=40, seconds=1.5, schema="load_shop", seed=21)
    assert report.requested == 60
    assert report.completed == 60
    assert report.seconds < 10


def test_a_load_that_cannot_keep_up_stops_when_its_time_is_over(mysql_server, loaded):
    clock = SystemClock()
    began = clock.monotonic_seconds()
    report = run_load(mysql_server.endpoint, rate=50_000, seconds=0.5, schema="load_shop", seed=22)
    assert 0 < report.completed < report.requested == 25_000
    assert clock.monotonic_seconds() - began < 15


def test_too_many_connections_are_waited_out_and_no_transaction_is_lost(mysql_server_factory):
    """LAM-01: eight connections against a server with room for three."""
    server = mysql_server_factory("--max-connections=10")
    seed(server.endpoint, orders=200, reference_time=REFERENCE)
    held = []
    try:
        while len(held) < 8:
            held.append(connect(server.endpoint))
        report = run_load(server.endpoint, profile=Profile.BURST, transactions=300)
    finally:
        for one in held:
            one.close()
    assert report.completed == 300
    assert report.retries["too many connections"] > 0
    assert 1 <= report.connections <= 8


def test_a_load_needs_a_shop(mysql_server, connection):
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS no_shop")
    with pytest.raises(ConfigError, match="holds no shop") as refused:
        run_load(mysql_server.endpoint, transactions=1, schema="no_shop")
    assert "datagen:seed" in str(refused.value)


def test_a_failing_server_ends_the_load_with_an_error(mysql_server, connection):
    seed(mysql_server.endpoint, orders=100, reference_time=REFERENCE, schema="broken_shop")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE broken_shop.orders DROP COLUMN note")
    with pytest.raises(ResourceError, match="of 50 transactions"):
        run_load(mysql_server.endpoint, transactions=50, schema="broken_shop")


def test_a_killed_connection_ends_the_load_with_an_error_and_half_a_transaction_never(mysql_server, connection):
    """Nobody can tell whether a commit in flight arrived, so it is not tried again."""
    seed(mysql_server.endpoint, orders=300, reference_time=REFERENCE, schema="killed_shop")

    def kill(_progress):
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = 'killed_shop'")
            for (number,) in cursor.fetchall():
                with suppress(pymysql.err.OperationalError):  # it ended by itself between the two statements
                    cursor.execute(f"KILL {number}")

    with pytest.raises(ResourceError, match="of 100000 transactions"):
        run_load(
            mysql_server.endpoint,
            profile=Profile.PEAK,
            transactions=100_000,
            schema="killed_shop",
            on_progress=kill,
            progress_every_seconds=0.3,
        )
    connection.select_db("killed_shop")
    with connection.cursor() as cursor:
        for statement in IDENTITIES.values():
            cursor.execute(statement)
            assert cursor.fetchone()[0] == 0


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"rate": 5},
        {"transactions": 0},
        {"transactions": 5, "seconds": 3.0},
        {"rate": 0, "seconds": 3.0},
        {"rate": 5, "seconds": -1.0},
        {"rate": 1e9, "seconds": 1e5},
        {"transactions": 50, "connections": 33},
        {"transactions": 5, "seed": -1},
    ],
    ids=[
        "nothing",
        "no time",
        "none",
        "both",
        "no rate",
        "negative time",
        "too much",
        "too many connections",
        "negative seed",
    ],
)
def test_contradicting_or_unbounded_settings_are_refused(mysql_server, settings):
    with pytest.raises(ConfigError):
        run_load(mysql_server.endpoint, schema="load_shop", **settings)
