"""The same value through the load and through the stream is bit-equal in parquet; random histories replay exactly."""

import contextlib
import io
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shoplake_core.errors import ResourceError
from shoplake_mysql.connections import connect, execute, fetch_all

COLUMNS = {
    "ti": ("tinyint(1)", ["-128", "127"]),
    "tu": ("tinyint unsigned", ["255"]),
    "si": ("smallint", ["-32768"]),
    "su": ("smallint unsigned", ["65535"]),
    "mi": ("mediumint", ["-8388608", "8388607"]),
    "mu": ("mediumint unsigned", ["16777215"]),
    "ii": ("int", ["-2147483648"]),
    "iu": ("int unsigned zerofill", ["42", "4294967295"]),
    "bi": ("bigint", ["-9223372036854775808"]),
    "bu": ("bigint unsigned", ["18446744073709551615", "9223372036854775808"]),
    "yy": ("year", ["0", "1901", "2155"]),
    "ff": ("float", ["0.1", "-3.4028234e38", "1e-38"]),
    "fd": ("float(7,2)", ["1.1", "99999.99"]),
    "dd": ("double", ["0.1", "1.7976931348623157e308", "-2.2250738585072014e-308"]),
    "d2": ("double(9,2)", ["1.1", "-1234567.89"]),
    "n1": ("decimal(1,0)", ["9", "-9", "0"]),
    "n2": ("decimal(12,2)", ["-1234567890.12", "0.01", "-0.01"]),
    "n3": ("decimal(18,18)", ["0.999999999999999999", "-0.000000000000000001"]),
    "n4": ("decimal(38,10)", ["-1234567890123456789012345678.0123456789", "0"]),
    "n5": ("decimal(65,30)", ["0.5", "-12345678901234567890123456789012345.000000000000000000000000000001", "0"]),
    "b1": ("bit(1)", ["b'0'", "b'1'"]),
    "b9": ("bit(9)", ["b'101010101'"]),
    "bb": ("bit(64)", ["b'1'", "18446744073709551615"]),
    "da": ("date", ["'0000-00-00'", "'2026-00-10'", "'2026-10-00'", "'9999-12-31'", "'1000-01-01'", "'2024-02-29'"]),
    "dt": ("datetime", ["'0000-00-00'", "'2026-01-02 03:04:05'", "'9999-12-31 23:59:59'", "'1000-01-01 00:00:00'"]),
    "d1": ("datetime(1)", ["'1969-12-31 23:59:59.9'"]),
    "d3": ("datetime(3)", ["'2026-01-02 03:04:05.678'"]),
    "d6": ("datetime(6)", ["'2026-01-02 03:04:05.000001'", "'1582-10-10 00:00:00'"]),
    "ts": ("timestamp", ["'0000-00-00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"]),
    "t4": ("timestamp(4)", ["'2026-03-29 01:59:59.9999'"]),
    "t6": ("timestamp(6)", ["'2026-10-25 01:30:00.123456'"]),
    "h0": ("time", ["'838:59:59'", "'-838:59:59'", "'00:00:00'"]),
    "h2": ("time(2)", ["'-1.25'", "'-00:00:00.01'"]),
    "h3": ("time(3)", ["'12:34:56.789'", "'-12:34:56.789'"]),
    "h6": ("time(6)", ["'-00:00:00.000001'", "'-838:59:58.999999'"]),
    "en": ("enum('a','it''s','ü')", ["'ü'", "''", "'it''s'"]),
    "el": ("enum('ä','b') character set latin1", ["'ä'"]),
    "se": ("set('x','y','ü')", ["'ü,x'", "''", "'x,y,ü'"]),
    "ch": ("char(5)", ["'ab  '", "''", "'añ😀'"]),
    "cw": ("char(255) character set utf8mb4", ["repeat('😀', 255)"]),
    "vc": ("varchar(300)", ["repeat('é', 300)", "''", "'twelve bytes'", "'thirteen byte'"]),
    "l1": ("varchar(40) character set latin1", ["'Müller €'", "_latin1 x'81908f9d8d'"]),
    "u3": ("varchar(40) character set utf8mb3", ["'Ünï'"]),
    "uc": ("varchar(40) character set ucs2", ["'añ'"]),
    "u1": ("varchar(40) character set utf16", ["'añ😀'"]),
    "u2": ("varchar(40) character set utf32", ["'añ😀'"]),
    "cy": ("varchar(40) character set cp1251", ["'Привет'"]),
    "sj": ("varchar(40) character set sjis", ["'日本語'"]),
    "gb": ("varchar(40) character set gbk", ["'中文'"]),
    "tt": ("tinytext", ["'tiny'"]),
    "tx": ("text", ["repeat('t', 40000)", "''"]),
    "lt": ("longtext", ["repeat('l', 70000)"]),
    "js": ("json", ['\'{"a": [1, null, "ü"]}\'', "'null'"]),
    "bn": ("binary(8)", ["x'0102'", "x'0000000000000000'", "x''"]),
    "vb": ("varbinary(300)", ["x'00ff00'", "repeat(x'00', 300)", "x''"]),
    "bl": ("blob", ["x'ff00'", "x''"]),
    "lb": ("longblob", ["repeat(x'fe', 70000)"]),
    "ge": ("geometry", ["point(1.5, -2)", "st_geomfromtext('LINESTRING(0 0,1 1)')"]),
}


def _nasty_rows():
    for name, (_, literals) in COLUMNS.items():
        for literal in literals:
            yield name, literal


@pytest.fixture
def nasty(any_rig):
    rig = any_rig
    rig.sql("SET sql_mode = ''")
    columns = ", ".join(f"{name} {declared} NULL" for name, (declared, _) in COLUMNS.items())
    rig.sql(f"CREATE TABLE t (id int PRIMARY KEY, {columns}, g int AS (id + 1) STORED, hidden int DEFAULT 1 INVISIBLE)")
    return rig


def _insert(rig):
    for key, (name, literal) in enumerate(_nasty_rows()):
        rig.sql(f"INSERT INTO t (id, {name}) VALUES ({key}, {literal})")
    rig.sql("INSERT INTO t (id) VALUES (9998)")
    rig.sql(
        f"INSERT INTO t (id, {', '.join(COLUMNS)}) VALUES (9999, {', '.join(item[1][0] for item in COLUMNS.values())})"
    )


def _table(rig, keys):
    tables = [pq.read_table(io.BytesIO(rig.get(key))) for key in keys]
    columns = [name for name in tables[0].column_names if not name.startswith("_") and name != "Op"]
    return pa.concat_tables([table.select(columns) for table in tables]).sort_by("id").combine_chunks()


def test_each_value_is_bit_equal_through_load_and_stream(nasty, tmp_path):
    rig = nasty
    rig.load()
    _insert(rig)
    rig.catch_up()
    streamed = _table(rig, [key for key in rig.files("t") if "LOAD" not in key])
    rig.ask_reload("t")
    rig.catch_up()
    loaded = _table(rig, [key for key in rig.files("t") if "LOAD" in key])
    assert streamed.schema.equals(loaded.schema)
    assert streamed.num_rows == loaded.num_rows == sum(1 for _ in _nasty_rows()) + 2
    for name in loaded.column_names:
        assert streamed[name].equals(loaded[name]), name
    assert not {"g", "hidden"} & set(loaded.column_names)


def test_updates_and_deletes_carry_each_value_too(nasty):
    rig = nasty
    _insert(rig)
    rig.load()
    rig.sql("UPDATE t SET ti = 5, vc = 'changed' WHERE id % 2 = 0", "UPDATE t SET id = id + 20000 WHERE id % 3 = 0")
    rig.sql("DELETE FROM t WHERE id % 5 = 1")
    rig.catch_up()
    rig.assert_exact("t")


def test_server_time_zone_does_not_matter(rig_on):
    """CDC-11."""
    rig = rig_on("--default-time-zone=-05:00")
    rig.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v timestamp(6) NULL, w datetime(6))",
        "INSERT INTO t VALUES (1, '2026-01-05 10:15:00.5', '2026-01-05 10:15:00.5')",
    )
    with connect(rig.endpoint, database=rig.schema) as local:
        execute(local, "SET time_zone = SYSTEM")
        rig.load()
        execute(local, "SET time_zone = '-05:00'")
        execute(local, "INSERT INTO t VALUES (2, '2026-01-05 05:15:00.5', '2026-01-05 10:15:00.5')")
    rig.catch_up()
    instant = datetime(2026, 1, 5, 10, 15, 0, 500000, UTC)
    assert {(row["v"], row["w"]) for row in rig.replay("t").values()} == {(instant, instant)}


KEYS = st.integers(0, 7)
TEXTS = st.sampled_from(["a", "B", "ü😀", "", "x" * 300])
STEPS = st.one_of(
    st.tuples(st.just("INSERT IGNORE INTO t VALUES (%s, %s, %s)"), st.tuples(KEYS, KEYS, TEXTS)),
    st.tuples(st.just("REPLACE INTO t VALUES (%s, %s, %s)"), st.tuples(KEYS, KEYS, TEXTS)),
    st.tuples(
        st.just("INSERT INTO t VALUES (%s, %s, %s) ON DUPLICATE KEY UPDATE v = CONCAT(LEFT(v, 20), '+')"),
        st.tuples(KEYS, KEYS, TEXTS),
    ),
    st.tuples(st.just("UPDATE t SET v = %s WHERE id >= %s"), st.tuples(TEXTS, KEYS)),
    st.tuples(st.just("UPDATE IGNORE t SET id = id + %s WHERE id < %s ORDER BY id DESC"), st.tuples(KEYS, KEYS)),
    st.tuples(st.just("DELETE FROM t WHERE id = %s"), st.tuples(KEYS)),
    st.tuples(st.just("SAVEPOINT s"), st.just(())),
    st.tuples(st.just("ROLLBACK TO s"), st.just(())),
)
TRANSACTIONS = st.lists(st.tuples(st.booleans(), st.lists(STEPS, min_size=1, max_size=6)), max_size=12)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories=st.lists(st.tuples(TRANSACTIONS, TRANSACTIONS), min_size=5, max_size=5))
def test_any_history_replays_to_what_select_says(any_rig, histories):
    """Key changes, replaces that hit a second key, savepoints and rollbacks, across a load: one table a history."""
    rig = any_rig
    tables = [f"h{number}" for number in range(len(histories))]
    for table, (before, _) in zip(tables, histories, strict=True):
        rig.sql(
            f"DROP TABLE IF EXISTS {table}",
            f"CREATE TABLE {table} (id int PRIMARY KEY, u int, v varchar(300), UNIQUE (u))",
        )
        _play(rig, table, before)
        rig.ask_reload(table)
    rig.catch_up()
    for table, (_, after) in zip(tables, histories, strict=True):
        _play(rig, table, after)
    rig.catch_up()
    for table in tables:
        rig.assert_exact(table)


def _play(rig, table, transactions):
    for commits, steps in transactions:
        with connect(rig.endpoint, database=rig.schema, autocommit=False) as own:
            for sql, arguments in steps:
                with contextlib.suppress(ResourceError):  # no such savepoint, or a duplicate of the unique key
                    execute(own, sql.replace(" t ", f" {table} "), arguments)
            if commits:
                own.commit()
            else:
                own.rollback()


def test_load_data_and_a_huge_transaction_come_in_bounded_files(rig):
    """CDC-12: one statement that touches every row; rows wait on disk for their commit, files stay small."""
    rig.settings["CdcMinFileSize"] = 3_000
    rig.extra["transaction_memory_bytes"] = 1_000_000
    rig.sql("CREATE TABLE t (id int PRIMARY KEY, v varchar(500))")
    rig.sql("INSERT INTO t SELECT seq, 'x' FROM seq_1_to_40000")
    rig.load()
    rig.sql("UPDATE t SET v = REPEAT('y', 500)")
    rig.catch_up()
    files = [key for key in rig.files("t") if "LOAD" not in key]
    assert len(files) >= 3
    assert sum(rig.parquet(key).num_rows for key in files) == 40_000
    rig.assert_exact("t")
    assert rig.table_status("t")["updates"] == 40_000


def test_load_data_local_comes_whole(rig, tmp_path):
    rig.sql("CREATE TABLE t (id int PRIMARY KEY, v varchar(50))")
    rig.load()
    lines = "".join(f"{key}\tvalue {key}\n" for key in range(20_000))
    (tmp_path / "rows.tsv").write_text(lines)
    with connect(rig.endpoint, database=rig.schema, local_infile=True) as loader:
        execute(loader, f"LOAD DATA LOCAL INFILE '{tmp_path / 'rows.tsv'}' INTO TABLE t")
    rig.catch_up()
    assert len(rig.changes("t")) == 20_000
    rig.assert_exact("t")


def test_wide_table_rows_are_read(rig):
    """More than 250 columns: the column count takes more than a byte."""
    names = [f"c{number}" for number in range(300)]
    rig.sql(f"CREATE TABLE t (id int PRIMARY KEY, {', '.join(f'{name} int' for name in names)})")
    rig.load()
    rig.sql(f"INSERT INTO t VALUES (1, {', '.join(map(str, range(300)))})", "INSERT INTO t (id, c299) VALUES (2, 7)")
    rig.catch_up()
    rig.assert_exact("t")


def test_rows_longer_than_a_packet_are_read(rig_on):
    rig = rig_on("--max-allowed-packet=64M")
    rig.sql("CREATE TABLE t (id int PRIMARY KEY, v longtext)")
    rig.load()
    rig.sql("INSERT INTO t VALUES (1, REPEAT('x', 20000000)), (2, 'short')")
    rig.catch_up()
    assert fetch_all(rig.connection, "SELECT COUNT(*) FROM t") == [(2,)]
    rig.assert_exact("t")
