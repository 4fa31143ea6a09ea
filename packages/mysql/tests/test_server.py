"""What the server says about itself, the snapshot's exactness, the lineage and the marker."""

import threading
from dataclasses import replace

import pytest
from shoplake_core.errors import CredentialError, ResourceError
from shoplake_mysql.connections import connect, execute, fetch_all
from shoplake_mysql.errors import MissingTableError, UnsupportedColumnError, UnsupportedTableError
from shoplake_mysql.lineage import ensure_lineage
from shoplake_mysql.marker import commit_marker, ensure_marker_table
from shoplake_mysql.server_facts import list_binlog_files, read_binlog_position, read_server_facts
from shoplake_mysql.snapshot import open_snapshot
from shoplake_mysql.tables import list_tables, read_table_shape


@pytest.fixture
def connection(mysql_server):
    with connect(mysql_server.endpoint) as made:
        execute(made, "CREATE DATABASE IF NOT EXISTS server_test")
        execute(made, "USE server_test")
        yield made


def test_facts_name_version_and_binlog_settings(connection):
    facts = read_server_facts(connection)
    assert facts.version >= (8,)
    assert facts.is_on("log_bin")
    assert facts.variables["binlog_row_image"] == "FULL"


def test_position_grows_with_each_commit_and_names_a_present_file(connection):
    execute(connection, "CREATE OR REPLACE TABLE p (id int PRIMARY KEY)")
    before = read_binlog_position(connection)
    execute(connection, "INSERT INTO p VALUES (1)")
    after = read_binlog_position(connection)
    assert before < after
    assert after.file in [file.name for file in list_binlog_files(connection)]


def test_refused_login_is_a_credential_error_without_the_password(mysql_server):
    with pytest.raises(CredentialError) as caught:
        connect(replace(mysql_server.endpoint, user="nobody-here", password="s3cret-value"))
    assert "s3cret-value" not in str(caught.value)


def test_nobody_there_is_a_resource_error():
    from shoplake_core.endpoints import MySqlEndpoint

    with pytest.raises(ResourceError, match=r"127\.0\.0\.1:1 "):
        connect(MySqlEndpoint(host="127.0.0.1", port=1, user="u", password="p"))


def test_lineage_is_made_once(connection):
    first = ensure_lineage(connection)
    assert first == ensure_lineage(connection) == read_server_facts(connection).lineage


def test_markers_are_rows_with_growing_ids(connection):
    ensure_marker_table(connection)
    ensure_marker_table(connection)
    one, two = commit_marker(connection, "t-1"), commit_marker(connection, "t-2")
    assert two > one
    assert fetch_all(connection, "SELECT token FROM shoplake.marker WHERE id = %s", (two,)) == [("t-2",)]


def test_snapshot_holds_exactly_the_commits_before_its_position(mysql_server, connection):
    """Each writer's row carries the binlog position that it saw last: none may be later than the snapshot's."""
    execute(connection, "CREATE OR REPLACE TABLE s (id int AUTO_INCREMENT PRIMARY KEY, v int)")
    stop = threading.Event()

    def write():
        with connect(mysql_server.endpoint, database="server_test") as own:
            while not stop.is_set():
                execute(own, "INSERT INTO s (v) VALUES (1), (2)")

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(5):
            with open_snapshot(mysql_server.endpoint) as snapshot:
                rows = fetch_all(snapshot.connection, "SELECT COUNT(*) FROM server_test.s")[0][0]
                again = fetch_all(snapshot.connection, "SELECT COUNT(*) FROM server_test.s")[0][0]
                assert rows == again
                assert rows % 2 == 0
                assert snapshot.position <= read_binlog_position(connection)
    finally:
        stop.set()
        for writer in writers:
            writer.join()


def test_list_tables_leaves_out_views_and_system_schemas(connection):
    execute(connection, "CREATE OR REPLACE TABLE base (id int PRIMARY KEY)")
    execute(connection, "CREATE OR REPLACE VIEW seen AS SELECT * FROM base")
    names = list_tables(connection, "server_test")
    assert ("server_test", "base") in names
    assert ("server_test", "seen") not in names
    assert not [schema for schema, _ in list_tables(connection) if schema == "mysql"]


def test_what_is_no_base_table_is_refused_by_name(connection):
    with pytest.raises(MissingTableError, match=r"server_test\.absent"):
        read_table_shape(connection, "server_test", "absent")
    execute(connection, "CREATE OR REPLACE VIEW seen AS SELECT 1 AS id")
    with pytest.raises(UnsupportedTableError, match=r"server_test\.seen is a VIEW"):
        read_table_shape(connection, "server_test", "seen")


def test_column_without_exact_form_is_refused_by_name(connection):
    if read_server_facts(connection).flavour.value != "mariadb":
        pytest.skip("uuid is a type of MariaDB")
    execute(connection, "CREATE OR REPLACE TABLE u (id int PRIMARY KEY, who uuid)")
    with pytest.raises(UnsupportedColumnError, match=r"server_test\.u\.who has type uuid"):
        read_table_shape(connection, "server_test", "u")
