"""What would lose or bend a row stops: the server's settings at the start, events in the stream."""

import pytest
from shoplake_mysql.connections import connect, execute
from shoplake_mysql.errors import MissingBinlogError
from shoplake_replication.errors import SourceSettingError, UnreadableEventError


def _two_tables(rig):
    rig.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v varchar(400), w text)",
        "CREATE TABLE other (id int PRIMARY KEY, v varchar(20))",
        "INSERT INTO t VALUES (1, 'a', 'b')",
        "INSERT INTO other VALUES (1, 'a')",
    )


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        pytest.param(["--binlog-format=MIXED"], "binlog_format is MIXED", id="mixed"),
        pytest.param(["--binlog-format=STATEMENT"], "binlog_format is STATEMENT", id="statement"),
        pytest.param(["--binlog-row-image=MINIMAL"], "binlog_row_image is MINIMAL", id="minimal image"),
        pytest.param(["--binlog-row-image=NOBLOB"], "binlog_row_image is NOBLOB", id="noblob image"),
        pytest.param(["--binlog-row-metadata=MINIMAL"], "binlog_row_metadata is MINIMAL", id="minimal metadata"),
        pytest.param(["--binlog-row-metadata=NO_LOG"], "binlog_row_metadata is NO_LOG", id="no metadata"),
        pytest.param(["--log-bin-compress=1"], "log_bin_compress is ON", id="compressed"),
        pytest.param(["--skip-log-bin"], "log_bin is OFF", id="no binlog"),
    ],
)
def test_wrong_setting_is_refused_at_the_start_by_name(rig_on, arguments, variable):
    rig = rig_on(*arguments)
    _two_tables(rig)
    with pytest.raises(SourceSettingError, match=variable):
        rig.load()
    assert rig.keys() == []


def test_statement_session_stops_the_stream(rig):
    _two_tables(rig)
    rig.load()
    with connect(rig.endpoint, database=rig.schema) as old:
        execute(old, "SET SESSION binlog_format = 'STATEMENT'")
        execute(old, "UPDATE t SET v = 'silent'")
    with pytest.raises(UnreadableEventError, match="binlog_format must be ROW") as caught:
        rig.catch_up()
    assert "UPDATE t SET v" in str(caught.value)
    assert rig.changes("t") == []


def test_minimal_image_in_a_session_stops_that_table_only(rig):
    _two_tables(rig)
    rig.load()
    with connect(rig.endpoint, database=rig.schema) as old:
        execute(old, "SET SESSION binlog_row_image = 'MINIMAL'")
        execute(old, "UPDATE t SET v = 'partial'")
    rig.sql("UPDATE other SET v = 'whole'")
    rig.catch_up()
    assert rig.table_status("t")["state"] == "stopped"
    assert "binlog_row_image" in rig.table_status("t")["reason"]
    rig.assert_exact("other")
    rig.ask_reload("t")
    rig.catch_up()
    rig.assert_exact("t")


def test_metadata_switched_off_stops_the_tables(rig_on):
    rig = rig_on()
    _two_tables(rig)
    rig.load()
    rig.sql("SET GLOBAL binlog_row_metadata = 'NO_LOG'", "FLUSH TABLES", "UPDATE t SET v = 'nameless'")
    rig.sql("SET GLOBAL binlog_row_metadata = 'FULL'", "FLUSH TABLES", "UPDATE other SET v = 'named'")
    rig.catch_up()
    assert "binlog_row_metadata" in rig.table_status("t")["reason"]
    rig.assert_exact("other")


def test_compression_switched_on_stops_the_stream(rig_on):
    rig = rig_on()
    _two_tables(rig)
    rig.load()
    rig.sql("SET GLOBAL log_bin_compress_min_len = 10", "SET GLOBAL log_bin_compress = 1")
    with connect(rig.endpoint, database=rig.schema) as other:
        execute(other, "UPDATE t SET v = repeat('x', 400)")
    rig.sql("SET GLOBAL log_bin_compress = 0")
    with pytest.raises(UnreadableEventError, match="log_bin_compress"):
        rig.catch_up()


def test_prepared_xa_transaction_on_a_captured_table_stops_the_stream(rig):
    _two_tables(rig)
    rig.load()
    rig.sql("XA START 'x1'", "UPDATE t SET v = 'maybe'", "XA END 'x1'", "XA PREPARE 'x1'", "XA ROLLBACK 'x1'")
    with pytest.raises(UnreadableEventError, match="XA"):
        rig.catch_up()
    assert rig.changes("t") == []


def test_purged_binlog_is_named_with_the_files_present_and_the_remedy(rig_on):
    """CDC-05."""
    rig = rig_on()
    _two_tables(rig)
    rig.load()
    rig.catch_up()
    needed = rig.status()["position"].split(":")[0]
    rig.sql("INSERT INTO t VALUES (10, 'x', 'y')", "FLUSH BINARY LOGS", "FLUSH BINARY LOGS")
    from shoplake_mysql.server_facts import list_binlog_files

    newest = list_binlog_files(rig.connection)[-1].name

    def purged():
        rig.sql(f"PURGE BINARY LOGS TO '{newest}'")  # keeps files that a reader which just left still holds
        return list_binlog_files(rig.connection)[0].name == newest

    rig.wait(purged)
    with pytest.raises(MissingBinlogError) as caught:
        rig.catch_up()
    assert needed in str(caught.value)
    assert newest in str(caught.value)
    assert "reload" in str(caught.value)
    rig.ask_reload()
    rig.catch_up()
    rig.assert_exact("t")


def test_position_advances_on_uncaptured_traffic(rig_on):
    """CDC-17: the captured table is quiet, the files it was in are purged."""
    rig = rig_on()
    _two_tables(rig)
    rig.sql("CREATE DATABASE busy", "CREATE TABLE busy.b (id int AUTO_INCREMENT PRIMARY KEY, v int)")
    rig.load()
    first = rig.status()["position"]
    with rig.running():
        for _ in range(3):
            rig.sql("INSERT INTO busy.b (v) SELECT seq FROM seq_1_to_2000", "FLUSH BINARY LOGS")
        from shoplake_mysql.server_facts import list_binlog_files

        newest = list_binlog_files(rig.connection)[-1].name
        rig.wait(lambda: rig.status()["position"].split(":")[0] == newest)
    assert rig.status()["position"] != first
    rig.sql(f"PURGE BINARY LOGS TO '{newest}'", "INSERT INTO t VALUES (10, 'x', 'y')")
    rig.catch_up()
    rig.assert_exact("t")
    assert rig.files("b", "busy") == []


def test_table_without_primary_key_is_refused_by_name_and_the_others_go_on(rig):
    _two_tables(rig)
    rig.sql("CREATE TABLE keyless (id int, v int)")
    rig.catch_up()
    assert rig.table_status("keyless")["state"] == "stopped"
    assert f"{rig.schema}.keyless has no primary key" in rig.table_status("keyless")["reason"]
    rig.assert_exact("t")


def test_cascading_foreign_key_is_told_at_the_start(rig):
    """CDC-15."""
    rig.sql(
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE child (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE)",
    )
    rig.load()
    (warning,) = [text for text in rig.status()["warnings"] if "child" in text]
    assert "ON DELETE CASCADE" in warning
