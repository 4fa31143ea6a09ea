"""What doctor checks of a source, on a real server."""

import pytest
from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import Layer
from shoplake_functions.source_checks import checks_of_server, checks_of_table
from shoplake_mysql.connections import connect, execute
from shoplake_mysql.server_facts import read_server_facts
from shoplake_mysql.tables import read_table_shape

CONTRACT = 'grain = "g"\nkey = ["id"]\n[columns.id]\ntype = "uint64"\n[columns.name]\ntype = "string(20)"\n[columns.paid]\ntype = "boolean"\n[columns.price]\ntype = "decimal(12,2)"\n'


@pytest.fixture
def connection(mysql_server):
    connection = connect(mysql_server.endpoint)
    execute(connection, "create database if not exists checks")
    yield connection
    connection.close()


def checks(connection, columns):
    execute(connection, "drop table if exists checks.t")
    execute(connection, f"create table checks.t ({columns})")
    contract = parse_table_contract(CONTRACT, name="t", layer=Layer.SILVER, where="t.toml")
    return checks_of_table(contract, read_table_shape(connection, "checks", "t"))


def test_a_server_set_up_for_exact_replication_passes(connection):
    assert all(check.ok and not check.hint for check in checks_of_server(read_server_facts(connection)))


def test_a_wrong_setting_fails_with_the_statement_that_mends_it(connection):
    execute(connection, "set global binlog_row_image = MINIMAL")
    try:
        failed = [r for r in checks_of_server(read_server_facts(connection)) if not r.ok]
    finally:
        execute(connection, "set global binlog_row_image = FULL")
    assert [(r.name, r.found) for r in failed] == [("binlog_row_image", "MINIMAL")]
    assert "SET GLOBAL binlog_row_image = FULL" in failed[0].hint


GOOD = "id bigint unsigned primary key, name varchar(20), paid tinyint(1), price decimal(12,2)"


def test_a_table_that_fits_passes(connection):
    assert [(r.ok, r.hint) for r in checks(connection, GOOD)] == [(True, "")]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param((" primary key", ""), "no primary key", id="no-key"),
        pytest.param(("name varchar", "nane varchar"), 'no column name (did you mean "nane"?)', id="missing-column"),
        pytest.param(
            ("decimal(12,2)", "decimal(14,2)"),
            "price is decimal(14,2), the contract says decimal(12,2)",
            id="wider-decimal",
        ),
        pytest.param(("decimal(12,2)", "double"), "price is double", id="other-type"),
        pytest.param(
            ("id bigint unsigned primary key", "id bigint unsigned, primary key (id, paid)"),
            "has the primary key (id, paid)",
            id="other-key",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_named_with_what_was_found(connection, change, found):
    results = checks(connection, GOOD.replace(*change))
    assert not results[0].ok
    assert found in results[0].found


def test_a_column_that_the_contract_does_not_carry_is_a_warning(connection):
    fits, warning = checks(connection, GOOD + ", extra int")
    assert (fits.ok, fits.hint) == (True, "")
    assert (warning.ok, warning.hint) == (True, "add them to the contract if wanted")
