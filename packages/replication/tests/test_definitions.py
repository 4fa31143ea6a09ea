"""Tables that change their shape, lose their rows or appear while the stream goes on."""

import io

import pyarrow.parquet as pq
import pytest


def _orders(rig):
    rig.sql(
        "CREATE TABLE orders (id int PRIMARY KEY, customer int, status enum('pending','paid'), total decimal(12,2), note text)",
        "CREATE TABLE other (id int PRIMARY KEY, v varchar(20))",
        "INSERT INTO other VALUES (1, 'a')",
    )
    rig.load()


def test_column_added_in_the_middle_never_shifts_values(rig):
    """CDC-01: old rows are read after the change, and keep their own names."""
    _orders(rig)
    rig.sql(
        "INSERT INTO orders VALUES (1, 10, 'paid', 1.5, 'n1'), (2, 20, 'pending', 2.5, 'n2')",
        "ALTER TABLE orders ADD COLUMN channel varchar(20) AFTER customer",
        "INSERT INTO orders VALUES (3, 30, 'web', 'paid', 3.5, 'n3')",
    )
    rig.catch_up()
    one, two, three = rig.changes("orders")
    assert "channel" not in one
    assert (one["customer"], one["status"], str(one["total"]), one["note"]) == (10, "paid", "1.50", "n1")
    assert (three["customer"], three["channel"], three["status"], three["note"]) == (30, "web", "paid", "n3")
    assert (two["id"], two["status"]) == (2, "pending")


def test_dropped_column_leaves_the_rows_before_it_whole(rig):
    """CDC-02."""
    _orders(rig)
    rig.sql(
        "INSERT INTO orders VALUES (1, 10, 'paid', 1.5, 'kept')",
        "ALTER TABLE orders DROP COLUMN note",
        "INSERT INTO orders VALUES (2, 20, 'paid', 2.5)",
    )
    rig.catch_up()
    one, two = rig.changes("orders")
    assert one["note"] == "kept"
    assert "note" not in two


def test_one_parquet_file_never_mixes_two_shapes(rig):
    _orders(rig)
    rig.sql("INSERT INTO orders VALUES (1, 10, 'paid', 1.5, 'a')")
    rig.sql("ALTER TABLE orders ADD COLUMN first int FIRST", "INSERT INTO orders VALUES (0, 2, 10, 'paid', 1.5, 'a')")
    rig.sql("ALTER TABLE orders RENAME COLUMN note TO remark", "INSERT INTO orders VALUES (0, 3, 10, 'paid', 1.5, 'a')")
    rig.sql("ALTER TABLE orders MODIFY total decimal(20,4)", "INSERT INTO orders VALUES (0, 4, 10, 'paid', 1.5, 'a')")
    rig.catch_up()
    shapes = [pq.ParquetFile(io.BytesIO(rig.get(key))).schema_arrow.names for key in rig.files("orders")]
    assert len(shapes) == 4
    assert [row["id"] for row in rig.changes("orders")] == [1, 2, 3, 4]
    assert any("was altered" in text for text in rig.status()["warnings"])


@pytest.mark.parametrize(
    ("statements", "verb"),
    [
        pytest.param(["TRUNCATE TABLE orders"], "truncated", id="truncate"),
        pytest.param(["TRUNCATE orders"], "truncated", id="truncate without TABLE"),
        pytest.param(
            ["DROP TABLE orders", "CREATE TABLE orders (id int PRIMARY KEY, x int)"], "dropped", id="drop and create"
        ),
        pytest.param(["CREATE OR REPLACE TABLE orders (id int PRIMARY KEY, x int)"], "replaced", id="replace"),
        pytest.param(
            ["CREATE TABLE fresh LIKE orders", "RENAME TABLE orders TO old, fresh TO orders"], "renamed", id="swap"
        ),
        pytest.param(
            ["ALTER TABLE orders RENAME TO old", "CREATE TABLE orders (id int PRIMARY KEY, x int)"],
            "renamed",
            id="alter rename",
        ),
    ],
)
def test_emptied_table_stops_until_it_is_loaded_anew(rig, statements, verb):
    """DMS-07: bronze is kept, the table stops, the others go on, a reload opens a new epoch."""
    _orders(rig)
    rig.sql("INSERT INTO orders VALUES (1, 10, 'paid', 1.5, 'a'), (2, 20, 'paid', 2.5, 'b')")
    rig.catch_up()
    kept = {key: rig.get(key) for key in rig.files("orders")}
    rig.sql(*statements, "INSERT INTO orders (id) VALUES (101)", "UPDATE other SET v = 'goes on'")
    rig.catch_up()
    status = rig.table_status("orders")
    assert (status["state"], verb in status["reason"], "reload it" in status["reason"]) == ("stopped", True, True)
    assert {key: rig.get(key) for key in rig.files("orders")} == kept
    rig.assert_exact("other")
    rig.ask_reload("orders")
    rig.catch_up()
    assert rig.table_status("orders")["state"] == "ok"
    rig.sql("INSERT INTO orders (id) VALUES (102)")
    rig.catch_up()
    rig.assert_exact("orders")
    assert len(rig.epochs("orders")) == 2


def test_reload_while_the_stream_goes_on(rig):
    _orders(rig)
    rig.sql("INSERT INTO orders VALUES (1, 10, 'paid', 1.5, 'a')")
    with rig.running():
        rig.ask_reload("orders")
        rig.sql("UPDATE orders SET note = 'b'", "UPDATE other SET v = 'b'")
        rig.wait(lambda: len(rig.epochs("orders")) >= 2)
        rig.sql("UPDATE orders SET note = 'c'", "INSERT INTO orders VALUES (2, 20, 'paid', 2.5, 'b')")
    rig.catch_up()
    rig.assert_exact("orders")
    rig.assert_exact("other")
    first, second = rig.epochs("orders")
    assert first.sequence_floor < second.sequence_floor
    assert not {file.name for file in first.files} & {file.name for file in second.files}


def test_table_created_while_streaming_is_loaded_and_followed(rig):
    _orders(rig)
    with rig.running():
        rig.sql("CREATE TABLE late (id int PRIMARY KEY, v int)", "INSERT INTO late VALUES (1, 1), (2, 2)")
        rig.wait(lambda: rig.status()["tables"].get(f"{rig.schema}.late", {}).get("state") == "ok")
        rig.sql("UPDATE late SET v = 3 WHERE id = 1", "DELETE FROM late WHERE id = 2")
    rig.catch_up()
    rig.assert_exact("late")


def test_truncate_before_the_load_does_not_stop_the_table(rig):
    """The stream is behind the snapshot of a table that is loaded later: what lies before it is history."""
    _orders(rig)
    rig.sql("CREATE TABLE late (id int PRIMARY KEY, v int)", "INSERT INTO late VALUES (1, 1)", "TRUNCATE TABLE late")
    rig.sql("INSERT INTO late VALUES (7, 7)")
    rig.catch_up()
    rig.sql("INSERT INTO late VALUES (8, 8)")
    rig.catch_up()
    assert rig.table_status("late")["state"] == "ok"
    rig.assert_exact("late")
