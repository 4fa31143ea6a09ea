"""`seed` on a real server: what was drawn is what stands there, and an existing shop is safe."""

from datetime import UTC, datetime

import pytest
from shoplake_datagen import ShopNotEmptyError, ShopSettings, draw_shop, seed
from shoplake_datagen.schema import TABLE_NAMES, table_row_counts

REFERENCE = datetime(2026, 3, 31, 12, tzinfo=UTC)


def checksums(connection, schema):
    with connection.cursor() as cursor:
        cursor.execute(f"CHECKSUM TABLE {', '.join(f'`{schema}`.`{name}`' for name in TABLE_NAMES)}")
        return [row[1] for row in cursor.fetchall()]


def test_the_server_holds_every_drawn_row(connection, seeded):
    drawn = draw_shop(ShopSettings(orders=6_000, seed=7, reference_time=REFERENCE))
    expected = {rows.name: len(rows) for rows in drawn.tables}
    assert seeded.rows == expected
    assert table_row_counts(connection, "read_shop") == expected
    assert seeded.ledger == drawn.ledger
    assert seeded.method == "LOAD DATA LOCAL"


@pytest.mark.parametrize(
    ("child", "columns", "parent", "parent_columns"),
    [
        ("addresses", "customer_id", "customers", "customer_id"),
        ("orders", "customer_id", "customers", "customer_id"),
        ("order_items", "order_id", "orders", "order_id"),
        ("order_items", "product_id", "products", "product_id"),
        ("payments", "order_id", "orders", "order_id"),
        ("refunds", "order_id, line_no", "order_items", "order_id, line_no"),
        ("products", "category_id", "categories", "category_id"),
    ],
    ids=lambda value: value.replace(", ", "+"),
)
def test_foreign_keys_hold(connection, seeded, child, columns, parent, parent_columns):
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COUNT(*) FROM read_shop.{child} WHERE ({columns}) NOT IN (SELECT {parent_columns} FROM read_shop.{parent})"
        )
        assert cursor.fetchone() == (0,)


def test_inserting_row_by_row_gives_the_same_tables_as_bulk_loading(mysql_server, connection):
    """Where LOAD DATA LOCAL is off (RDS may forbid it) the multi-row INSERT must not differ by a byte."""
    seed(mysql_server.endpoint, orders=700, seed=3, reference_time=REFERENCE, schema="bulk_shop")
    with connection.cursor() as cursor:
        cursor.execute("SET GLOBAL local_infile = 0")
    try:
        report = seed(mysql_server.endpoint, orders=700, seed=3, reference_time=REFERENCE, schema="insert_shop")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET GLOBAL local_infile = 1")
    assert report.method == "INSERT"
    assert checksums(connection, "insert_shop") == checksums(connection, "bulk_shop")


def test_a_shop_with_rows_is_refused_and_left_as_it_was(mysql_server, connection, seeded):
    before = checksums(connection, "read_shop")
    with pytest.raises(ShopNotEmptyError, match=r'schema "read_shop" is not empty .*orders 6,000') as refused:
        seed(mysql_server.endpoint, orders=10, reference_time=REFERENCE, schema="read_shop")
    assert "--replace" in str(refused.value)
    assert checksums(connection, "read_shop") == before


def test_replace_starts_anew_and_spares_other_tables(mysql_server, connection):
    seed(mysql_server.endpoint, orders=50, reference_time=REFERENCE, schema="replaced_shop")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE replaced_shop.theirs (id INT PRIMARY KEY)")
    report = seed(mysql_server.endpoint, orders=20, reference_time=REFERENCE, schema="replaced_shop", replace=True)
    assert report.rows["orders"] == 20
    assert table_row_counts(connection, "replaced_shop") == report.rows
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM replaced_shop.theirs")
        assert cursor.fetchone() == (0,)


def test_progress_ends_with_all_rows_of_every_table(mysql_server):
    said = []
    report = seed(
        mysql_server.endpoint, orders=30, reference_time=REFERENCE, schema="told_shop", on_progress=said.append
    )
    last = {progress.table: progress for progress in said}
    assert {name: progress.rows for name, progress in last.items()} == {name: n for name, n in report.rows.items() if n}
    assert all(progress.rows == progress.of_rows for progress in last.values())


def test_a_value_that_the_server_would_cut_stops_the_seeding(mysql_server, connection):
    """Strict mode is off for zero dates, so a too narrow column would lose text without a word."""
    from shoplake_core.errors import DataError
    from shoplake_datagen.schema import create_schema

    create_schema(connection, "narrow_shop")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE narrow_shop.categories MODIFY name VARCHAR(3) NOT NULL")
    with pytest.raises(DataError, match="categories"):
        seed(mysql_server.endpoint, orders=5, reference_time=REFERENCE, schema="narrow_shop")
