"""The doctor, examining a real server."""

import dataclasses

from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import Layer
from shoplake_functions.source_doctor import examine_source
from shoplake_mysql.connections import execute

ORDERS = """
grain = "one row per order"
key = ["order_id"]
[columns.order_id]
type = "uint64"
[columns.total]
type = "decimal(12,2)"
"""
CONTRACTS = {"orders": parse_table_contract(ORDERS, name="orders", layer=Layer.SILVER, where="orders.toml")}


def examined(mysql_server, schema):
    return {check.name: check for check in examine_source(mysql_server.endpoint, CONTRACTS, schema=schema)}


def test_a_fit_source_passes_every_check(mysql_server, connection, schema):
    execute(connection, f"CREATE TABLE {schema}.orders (order_id bigint unsigned PRIMARY KEY, total decimal(12,2))")
    checks = examined(mysql_server, schema)
    assert [check for check in checks.values() if not check.ok] == []
    assert checks["binlog_format"].as_json() == {
        "name": "binlog_format",
        "ok": True,
        "found": "ROW",
        "expected": "ROW",
        "hint": "",
    }
    assert checks["table orders"].found == "2 columns, key order_id"


def test_every_fault_of_a_table_is_named_with_what_to_do(mysql_server, connection, schema):
    execute(connection, f"CREATE TABLE {schema}.orders (order_id int PRIMARY KEY, totals decimal(12,2))")
    check = examined(mysql_server, schema)["table orders"]
    assert not check.ok
    assert "order_id is int" in check.found
    assert "has no column total" in check.found
    assert "contracts/silver/orders.toml" in check.hint


def test_a_missing_table_and_a_refused_login_are_checks_that_fail(mysql_server, schema):
    assert not examined(mysql_server, schema)["table orders"].ok
    stranger = dataclasses.replace(mysql_server.endpoint, user="nobody-here", password="wrong")
    (check,) = examine_source(stranger, CONTRACTS, schema=schema)
    assert (check.name, check.ok) == ("login", False)
    assert "wrong" not in check.found
    assert check.hint == (
        "CREATE USER 'nobody-here'@'%' IDENTIFIED BY '<the password in the source's secret>'; "
        "GRANT REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO 'nobody-here'@'%'; "
        f"GRANT LOCK TABLES, SELECT ON `{schema}`.* TO 'nobody-here'@'%'; "
        "GRANT CREATE, INSERT, SELECT ON `shoplake`.* TO 'nobody-here'@'%'"
    )


def test_lacking_rights_are_named_with_the_statements_that_give_them(mysql_server, connection, schema):
    user = f"{schema}_reader"
    execute(connection, f"CREATE USER {user}@'%' IDENTIFIED BY 'reads'")
    execute(connection, f"GRANT REPLICATION SLAVE ON *.* TO {user}@'%'")
    reader = dataclasses.replace(mysql_server.endpoint, user=user, password="reads")

    def rights():
        return {check.name: check for check in examine_source(reader, {}, schema=schema)}["rights"]

    assert not rights().ok
    assert f"no REPLICATION CLIENT on *.*; no SELECT on `{schema}`.*; no " in rights().found
    for statement in rights().hint.split("; "):
        execute(connection, statement)
    assert (rights().ok, rights().hint) == (True, "")
    execute(connection, f"REVOKE SELECT ON {schema}.* FROM {user}@'%'")
    assert not rights().ok
    execute(connection, f"GRANT SELECT ON `{schema[:-1]}_`.* TO {user}@'%'")  # a pattern that fits it
    assert rights().ok
    execute(connection, f"DROP USER {user}@'%'")
