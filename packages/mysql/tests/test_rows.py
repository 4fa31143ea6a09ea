"""Every type's values out of a real server, compared with what the same server says in other words."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shoplake_mysql.connections import connect, execute, fetch_all
from shoplake_mysql.rows import read_batches
from shoplake_mysql.tables import read_table_shape


@pytest.fixture
def connection(mysql_server):
    with connect(mysql_server.endpoint) as made:
        execute(made, "CREATE DATABASE IF NOT EXISTS rows_test CHARACTER SET utf8mb4")
        execute(made, "USE rows_test")
        execute(made, "SET sql_mode = ''")
        yield made


def _table(connection, columns, *inserts):
    execute(connection, "DROP TABLE IF EXISTS t")
    execute(connection, f"CREATE TABLE t (id int PRIMARY KEY, {columns})")
    for insert in inserts:
        execute(connection, f"INSERT INTO t VALUES {insert}")
    return read_table_shape(connection, "rows_test", "t")


def _read(connection, shape, **options):
    return pa.Table.from_batches(read_batches(connection, shape, **options), schema=shape.arrow_schema)


@pytest.mark.parametrize(
    ("declared", "literal", "expected", "arrow_type"),
    [
        pytest.param("tinyint(1)", "-128", -128, pa.int8(), id="tinyint(1) is a number"),
        pytest.param("tinyint unsigned", "255", 255, pa.uint8(), id="tinyint unsigned"),
        pytest.param("smallint", "-32768", -32768, pa.int16(), id="smallint"),
        pytest.param("mediumint unsigned", "16777215", 16777215, pa.uint32(), id="mediumint unsigned"),
        pytest.param("int(6) unsigned zerofill", "42", 42, pa.uint32(), id="zerofill"),
        pytest.param("bigint unsigned", "18446744073709551615", 2**64 - 1, pa.uint64(), id="bigint unsigned max"),
        pytest.param("decimal(12,2)", "-1234567890.10", Decimal("-1234567890.10"), pa.decimal128(12, 2), id="decimal"),
        pytest.param("decimal(38,0)", "9" * 38, Decimal("9" * 38), pa.decimal128(38, 0), id="decimal 38"),
        pytest.param("decimal(65,30)", "0.5", "0.500000000000000000000000000000", pa.string(), id="decimal 65"),
        pytest.param("float", "3.4028234e38", 3.4028234663852886e38, pa.float64(), id="float has all its bits"),
        pytest.param("float", "0.1", 0.10000000149011612, pa.float64(), id="float 0.1"),
        pytest.param("float(7,2)", "1.1", 1.100000023841858, pa.float64(), id="float with digits"),
        pytest.param("double", "1.7976931348623157e308", 1.7976931348623157e308, pa.float64(), id="double max"),
        pytest.param("bit(1)", "b'1'", True, pa.bool_(), id="bit(1)"),
        pytest.param("bit(1)", "b'0'", False, pa.bool_(), id="bit(1) zero"),
        pytest.param("bit(10)", "b'1000000001'", b"\x02\x01", pa.binary(), id="bit(10)"),
        pytest.param("bit(64)", "b'1'", b"\0\0\0\0\0\0\0\x01", pa.binary(), id="bit(64)"),
        pytest.param("year", "0", 0, pa.int16(), id="year zero"),
        pytest.param("year", "2155", 2155, pa.int16(), id="year"),
        pytest.param("date", "'0000-00-00'", None, pa.date32(), id="zero date"),
        pytest.param("date", "'2026-00-10'", None, pa.date32(), id="zero month"),
        pytest.param("date", "'2026-10-00'", None, pa.date32(), id="zero day"),
        pytest.param("date", "'1000-01-01'", date(1000, 1, 1), pa.date32(), id="first date"),
        pytest.param("date", "'9999-12-31'", date(9999, 12, 31), pa.date32(), id="last date"),
        pytest.param("date", "'2024-02-29'", date(2024, 2, 29), pa.date32(), id="leap day"),
        pytest.param("datetime", "'0000-00-00 00:00:00'", None, pa.timestamp("us", "UTC"), id="zero datetime"),
        pytest.param(
            "datetime(3)",
            "'1969-12-31 23:59:59.999'",
            datetime(1969, 12, 31, 23, 59, 59, 999000, UTC),
            pa.timestamp("us", "UTC"),
            id="datetime(3) before 1970",
        ),
        pytest.param(
            "timestamp(6)",
            "'2026-03-29 01:30:00.000001'",
            datetime(2026, 3, 29, 1, 30, 0, 1, UTC),
            pa.timestamp("us", "UTC"),
            id="timestamp(6)",
        ),
        pytest.param("time(6)", "'-00:00:00.000001'", "-00:00:00.000001", pa.string(), id="negative time"),
        pytest.param("time", "'838:59:59'", "838:59:59", pa.string(), id="longest time"),
        pytest.param("enum('a','it''s','b,c')", "'it''s'", "it's", pa.string(), id="enum"),
        pytest.param("set('new','sale','gift')", "'gift,new'", "new,gift", pa.string(), id="set in declared order"),
        pytest.param("set('new')", "''", "", pa.string(), id="empty set is no null"),
        pytest.param("varchar(40) character set latin1", "'Müller'", "Müller", pa.string(), id="latin1"),
        pytest.param("varchar(40) character set utf16", "'añ😀'", "añ😀", pa.string(), id="utf16"),
        pytest.param("longtext", "repeat('x', 70000)", "x" * 70000, pa.string(), id="longtext"),
        pytest.param("json", "'{\"a\": [1, null]}'", '{"a": [1, null]}', pa.string(), id="json"),
        pytest.param("binary(4)", "x'0102'", b"\x01\x02\0\0", pa.binary(), id="binary is padded"),
        pytest.param("varbinary(9)", "x'00ff00'", b"\0\xff\0", pa.binary(), id="varbinary"),
        pytest.param("blob", "repeat(x'ff', 300)", b"\xff" * 300, pa.binary(), id="blob"),
    ],
)
def test_value_and_type_are_exact(connection, declared, literal, expected, arrow_type):
    shape = _table(connection, f"v {declared} NULL", f"(1, {literal}), (2, NULL)")
    table = _read(connection, shape)
    assert table.schema.field("v").type == arrow_type
    assert table["v"].to_pylist() == [expected, None]


def test_server_time_zone_does_not_matter(connection, mysql_server):
    shape = _table(
        connection, "v timestamp(6) NULL, w datetime NULL", "(1, '2026-01-05 10:15:00', '2026-01-05 10:15:00')"
    )
    zone = fetch_all(connection, "SELECT @@GLOBAL.time_zone")[0][0]
    execute(connection, "SET GLOBAL time_zone = '-05:00'")
    try:
        with connect(mysql_server.endpoint) as other:
            row = _read(other, shape).to_pylist()[0]
    finally:
        execute(connection, "SET GLOBAL time_zone = %s", (zone,))
    assert row["v"] == row["w"] == datetime(2026, 1, 5, 10, 15, tzinfo=UTC)


def test_generated_and_invisible_columns_are_left_out(connection):
    shape = _table(connection, "a int, b int AS (a + 1) STORED, c int INVISIBLE DEFAULT 3")
    assert [column.name for column in shape.columns] == ["id", "a"]
    assert shape.left_out == ("b", "c")


def test_rows_come_in_key_order_and_in_bounded_batches(connection):
    shape = _table(connection, "v int", ", ".join(f"({key}, {key})" for key in (5, 3, 1, 4, 2)))
    batches = list(read_batches(connection, shape, batch_rows=2))
    assert [batch.num_rows for batch in batches] == [2, 2, 1]
    assert [row["id"] for batch in batches for row in batch.to_pylist()] == [1, 2, 3, 4, 5]
    assert _read(connection, shape, where="id > 3")["id"].to_pylist() == [4, 5]


@pytest.mark.parametrize("size", [16_777_190, 16_777_215, 16_777_216, 33_554_432])
def test_rows_of_several_packets_are_whole(connection, size, mysql_server):
    execute(connection, "SET GLOBAL max_allowed_packet = 67108864")
    with connect(mysql_server.endpoint, database="rows_test") as wide:
        shape = _table(wide, "v longtext", f"(1, 'a'), (2, repeat('x', {size})), (3, 'b')")
        values = _read(wide, shape)["v"].to_pylist()
    assert [len(value) for value in values] == [1, size, 1]


def test_empty_table_has_no_batches(connection):
    assert list(read_batches(connection, _table(connection, "v int"))) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
            st.none() | st.binary(max_size=300),
            st.none() | st.integers(-(2**63), 2**63 - 1),
        ),
        max_size=40,
    )
)
def test_any_text_binary_and_number_comes_back(connection, rows):
    shape = _table(connection, "a longtext, b longblob, c bigint")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO t VALUES (%s, %s, %s, %s)", [(key, *row) for key, row in enumerate(rows)])
    read = _read(connection, shape, batch_rows=7)
    assert [tuple(row.values())[1:] for row in read.to_pylist()] == rows
