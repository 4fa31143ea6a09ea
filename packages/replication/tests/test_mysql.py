"""What only a real MySQL shows: binary JSON of every kind, its own refusals, its logins and commit times."""

from dataclasses import replace

import pytest
from shoplake_mysql.connections import execute
from shoplake_replication.errors import SourceSettingError, UnreadableEventError

pytestmark = pytest.mark.docker


@pytest.fixture
def mysql_rig(mysql_8, rig):
    from shoplake_mysql.connections import connect

    made = type(rig)(**{**rig.__dict__, "endpoint": mysql_8, "connection": connect(mysql_8)})
    made.sql(f"CREATE DATABASE {made.schema} CHARACTER SET utf8mb4", f"USE {made.schema}")
    yield made
    made.sql(f"DROP DATABASE {made.schema}")
    made.connection.close()


def test_opaque_json_is_as_select_prints_it(mysql_rig):
    rig = mysql_rig
    rig.sql("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v json)")
    rig.load()
    values = [
        "CAST(1.5 AS json)",
        "CAST(CAST('-10:00:00' AS time) AS json)",
        "CAST(CAST('2026-01-02 03:04:05.678' AS datetime(6)) AS json)",
        "CAST(CAST('2026-01-02' AS date) AS json)",
        "CAST(-12.345 AS json)",
        "CAST(x'0102' AS json)",
        "json_object('a', json_array(true, false, null, '\"\\\\'), 'b', json_object())",
        "NULL",
    ]
    for value in values:
        rig.sql(f"INSERT INTO t (v) VALUES ({value})")
    rig.sql("UPDATE t SET v = JSON_SET(v, '$.c', 1) WHERE id = 7")
    rig.catch_up()
    rig.assert_exact("t")


def test_commit_time_has_microseconds(mysql_rig):
    rig = mysql_rig
    rig.sql("CREATE TABLE t (id int PRIMARY KEY)")
    rig.load()
    rig.sql(*(f"INSERT INTO t VALUES ({key})" for key in range(5)))
    rig.catch_up()
    assert any(not row["_committed_at"].endswith(".000000") for row in rig.changes("t"))


def test_transaction_compression_is_refused_at_the_start_and_in_the_stream(mysql_rig):
    rig = mysql_rig
    rig.sql("CREATE TABLE t (id int PRIMARY KEY, v text)")
    rig.load()
    rig.sql("SET SESSION binlog_transaction_compression = ON", "INSERT INTO t VALUES (1, REPEAT('x', 1000))")
    with pytest.raises(UnreadableEventError, match="binlog_transaction_compression"):
        rig.catch_up()
    rig.sql("SET GLOBAL binlog_transaction_compression = ON")
    try:
        with pytest.raises(SourceSettingError, match="binlog_transaction_compression"):
            rig.load()
    finally:
        rig.sql("SET GLOBAL binlog_transaction_compression = OFF")


def test_partial_json_update_is_refused(mysql_rig):
    rig = mysql_rig
    rig.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v json)", 'INSERT INTO t VALUES (1, \'{"a": 1, "b": "xxxxxxxxxxxx"}\')'
    )
    rig.load()
    rig.sql("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'", "UPDATE t SET v = JSON_SET(v, '$.a', 2)")
    with pytest.raises(UnreadableEventError, match="binlog_row_value_options"):
        rig.catch_up()


def test_vector_column_stops_its_table_by_name(mysql_rig):
    rig = mysql_rig
    rig.sql("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE v (id int PRIMARY KEY, e vector(3))")
    rig.load()
    assert "v.e has type vector" in rig.table_status("v")["reason"]
    rig.sql("INSERT INTO t VALUES (1)", "INSERT INTO v (id) VALUES (1)")
    rig.catch_up()
    rig.assert_exact("t")


def test_a_user_with_the_documented_grants_is_enough(mysql_rig):
    """caching_sha2_password without TLS or with it; no RELOAD: the snapshot falls back to LOCK TABLES."""
    rig = mysql_rig
    rig.sql("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    rig.mark()
    rig.sql(
        "DROP USER IF EXISTS reader",
        "CREATE USER reader IDENTIFIED BY 's3cret pass'",
        "GRANT REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO reader",
        f"GRANT SELECT, LOCK TABLES ON {rig.schema}.* TO reader",
        "GRANT SELECT, LOCK TABLES ON shoplake.* TO reader",
    )
    reader = type(rig)(**{**rig.__dict__, "endpoint": replace(rig.endpoint, user="reader", password="s3cret pass")})
    reader.load()
    execute(rig.connection, "INSERT INTO t VALUES (2)")
    reader.catch_up()
    reader.assert_exact("t")
    rig.sql("DROP USER reader")
