from datetime import UTC, datetime, timedelta

import pytest
from shoplake_local.redshift.statement_store import StatementStore
from shoplake_local.service import ServiceError


def test_a_query_gives_typed_fields(warehouse):
    described = warehouse.run(
        "SELECT 1::int AS a, 2::bigint AS b, 1.50::numeric(10,2) AS c, 'x'::varchar(3) AS d, true AS e, NULL::date AS f, "
        "'2024-01-02 03:04:05.5'::timestamp AS g, 0.5::float8 AS h, '2024-01-02'::date AS i"
    )
    assert (described["Status"], described["HasResultSet"], described["ResultRows"]) == ("FINISHED", True, 1)
    answer = warehouse.service.call("GetStatementResult", {"Id": described["Id"]})
    assert answer["Records"] == [
        [
            {"longValue": 1},
            {"longValue": 2},
            {"stringValue": "1.50"},
            {"stringValue": "x"},
            {"booleanValue": True},
            {"isNull": True},
            {"stringValue": "2024-01-02 03:04:05.5"},
            {"doubleValue": 0.5},
            {"stringValue": "2024-01-02"},
        ]
    ]
    assert [c["typeName"] for c in answer["ColumnMetadata"]] == [
        "int4", "int8", "numeric", "varchar", "bool", "date", "timestamp", "float8", "date",
    ]  # fmt: skip
    assert [c["label"] for c in answer["ColumnMetadata"]] == list("abcdefghi")


def test_an_unknown_id_is_not_found(warehouse):
    with pytest.raises(ServiceError) as caught:
        warehouse.service.call("DescribeStatement", {"Id": "00000000-0000-0000-0000-000000000000"})
    assert caught.value.code == "ResourceNotFoundException"


def test_the_same_client_token_submits_once(warehouse):
    warehouse.ok("CREATE TABLE tokens (a INTEGER)")
    request = {"Sql": "INSERT INTO tokens VALUES (1)", "ClientToken": "token-1"} | warehouse.target()
    first = warehouse.service.call("ExecuteStatement", request)
    second = warehouse.service.call("ExecuteStatement", request)
    assert first["Id"] == second["Id"]
    warehouse.service.call("DescribeStatement", {"Id": first["Id"], "WaitTimeSeconds": 30})
    assert warehouse.value("SELECT COUNT(*) FROM tokens") == 1
    with pytest.raises(ServiceError, match="used with other parameters"):
        warehouse.service.call("ExecuteStatement", request | {"Sql": "SELECT 1"})


def test_a_batch_is_one_transaction(warehouse):
    warehouse.ok("CREATE TABLE together (a INTEGER)")
    described = warehouse.batch("INSERT INTO together VALUES (1)", "INSERT INTO together VALUES (1 / 0)", "SELECT 1")
    assert described["Status"] == "FAILED"
    assert [part["Status"] for part in described["SubStatements"]] == ["ABORTED", "FAILED", "ABORTED"]
    assert "Query #2 failed with ERROR: division by zero" in described["Error"]
    assert warehouse.value("SELECT COUNT(*) FROM together") == 0
    described = warehouse.batch("INSERT INTO together VALUES (1)", "SELECT COUNT(*) AS n FROM together")
    assert [part["Status"] for part in described["SubStatements"]] == ["FINISHED", "FINISHED"]
    result = warehouse.service.call("GetStatementResult", {"Id": f"{described['Id']}:2"})
    assert result["Records"] == [[{"longValue": 1}]]


def test_a_batch_that_commits_each_keeps_what_worked(warehouse):
    warehouse.ok("CREATE TABLE apart (a INTEGER)")
    described = warehouse.batch(
        "INSERT INTO apart VALUES (1)",
        "INSERT INTO apart VALUES (1 / 0)",
        "TRUNCATE apart",
        ExecutionMode="AUTO_COMMIT",
    )
    assert [part["Status"] for part in described["SubStatements"]] == ["FINISHED", "FAILED", "FINISHED"]
    assert warehouse.value("SELECT COUNT(*) FROM apart") == 0


def test_truncate_in_a_batch_is_refused_and_nothing_happens(warehouse):
    warehouse.ok("CREATE TABLE kept (a INTEGER)", "INSERT INTO kept VALUES (1)")
    described = warehouse.batch("DELETE FROM kept", "TRUNCATE kept")
    assert "TRUNCATE cannot run inside a transaction block" in described["Error"]
    assert warehouse.value("SELECT COUNT(*) FROM kept") == 1


def test_more_than_forty_statements_are_refused(warehouse):
    with pytest.raises(ServiceError, match="less than or equal to 40") as caught:
        warehouse.batch(*["SELECT 1"] * 41)
    assert caught.value.code == "ValidationException"
    assert warehouse.batch(*["SELECT 1"] * 40)["Status"] == "FINISHED"


def test_a_long_result_comes_in_pages(warehouse):
    warehouse.ok(
        "CREATE TABLE digits (d INTEGER)",
        "INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
    )
    sql = "SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM digits a, digits b, digits c, digits e WHERE e.d < 3 ORDER BY 1"
    described = warehouse.run(sql)
    first = warehouse.service.call("GetStatementResult", {"Id": described["Id"]})
    assert (first["TotalNumRows"], len(first["Records"])) == (3000, 1000)
    assert "NextToken" in first
    assert warehouse.rows(sql) == [(n,) for n in range(3000)]


def test_a_cancelled_statement_is_aborted_and_changes_nothing(warehouse):
    warehouse.ok("CREATE TABLE held (a INTEGER)")
    with warehouse.connection() as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        submitted = warehouse.service.call(
            "ExecuteStatement", {"Sql": "INSERT INTO held VALUES (1)"} | warehouse.target()
        )
        warehouse.until_waiting(other)
        assert warehouse.service.call("CancelStatement", {"Id": submitted["Id"]}) == {"Status": True}
    described = warehouse.service.call("DescribeStatement", {"Id": submitted["Id"]})
    assert described["Status"] == "ABORTED"
    assert warehouse.value("SELECT COUNT(*) FROM held") == 0
    with pytest.raises(ServiceError, match="already in ABORTED state"):
        warehouse.service.call("CancelStatement", {"Id": submitted["Id"]})


def test_two_transactions_that_meet_give_error_1023(warehouse):
    warehouse.ok("CREATE TABLE contested (a INTEGER)", "INSERT INTO contested VALUES (0)")
    with warehouse.connection() as other:
        other.execute("BEGIN")
        other.execute("UPDATE contested SET a = 1")
        submitted = warehouse.service.call(
            "BatchExecuteStatement", {"Sqls": ["UPDATE contested SET a = a + 10"]} | warehouse.target()
        )
        warehouse.until_waiting(other)
        other.execute("COMMIT")
    described = warehouse.service.call("DescribeStatement", {"Id": submitted["Id"], "WaitTimeSeconds": 30})
    assert described["Status"] == "FAILED"
    assert "1023" in described["Error"]
    assert "Serializable isolation violation on table" in described["Error"]


def test_a_restart_still_knows_statements_and_results(warehouse):
    described = warehouse.run("SELECT 42 AS answer")
    warehouse.service.close()
    service = warehouse.restarted()
    assert service.call("DescribeStatement", {"Id": described["Id"]})["Status"] == "FINISHED"
    assert service.call("GetStatementResult", {"Id": described["Id"]})["Records"] == [[{"longValue": 42}]]


def test_the_statement_list_filters_by_status_and_name(warehouse):
    named = warehouse.run("SELECT 1", StatementName="nightly")
    listed = warehouse.service.call("ListStatements", {"StatementName": "night", "Status": "ALL"})
    assert [s["Id"] for s in listed["Statements"]] == [named["Id"]]
    assert warehouse.service.call("ListStatements", {"StatementName": "night", "Status": "FAILED"})["Statements"] == []


def test_schemas_tables_and_columns_are_listed(warehouse):
    warehouse.ok("CREATE SCHEMA listed", "CREATE TABLE listed.t (a INTEGER NOT NULL, b VARCHAR(20))")
    target = warehouse.target()
    assert warehouse.service.call("ListSchemas", target)["Schemas"] == ["listed", "public"]
    tables = warehouse.service.call("ListTables", target | {"SchemaPattern": "listed"})["Tables"]
    assert tables == [{"schema": "listed", "name": "t", "type": "TABLE"}]
    columns = warehouse.service.call("DescribeTable", target | {"Schema": "listed", "Table": "t"})["ColumnList"]
    assert [(c["name"], c["typeName"], c["nullable"], c["length"]) for c in columns] == [
        ("a", "int4", 0, 0),
        ("b", "varchar", 1, 20),
    ]


def test_a_wrong_database_fails_the_statement(warehouse):
    submitted = warehouse.service.call(
        "ExecuteStatement", {"Sql": "SELECT 1", "WorkgroupName": "w", "Database": "nowhere"}
    )
    described = warehouse.service.call("DescribeStatement", {"Id": submitted["Id"], "WaitTimeSeconds": 30})
    assert described["Status"] == "FAILED"
    assert 'database "nowhere" does not exist' in described["Error"]


@pytest.mark.parametrize("missing", ["WorkgroupName", "Database"])
def test_a_request_without_its_target_is_refused(warehouse, missing):
    target = {name: value for name, value in warehouse.target().items() if name != missing}
    with pytest.raises(ServiceError, match=missing):
        warehouse.service.call("ExecuteStatement", {"Sql": "SELECT 1"} | target)


def test_tables_grow_and_views_work(warehouse):
    warehouse.ok(
        "CREATE TABLE grown (a INTEGER ENCODE az64, b VARCHAR(4) ENCODE zstd DISTKEY, c VARCHAR(MAX), d DECIMAL) SORTKEY AUTO",
        "ALTER TABLE grown ADD COLUMN e VARCHAR(3)",
        "ALTER TABLE grown ALTER COLUMN e TYPE VARCHAR(6)",
        "INSERT INTO grown (b, e) VALUES ('x', '€€')",
        "ALTER TABLE grown RENAME COLUMN b TO bb",
        "CREATE VIEW grown_view AS SELECT bb, e FROM grown WITH NO SCHEMA BINDING",
        "CREATE TABLE copied (LIKE grown)",
        "CREATE TEMP TABLE fleeting (a INTEGER)",
        "CREATE TABLE selected AS SELECT bb FROM grown",
        "COMMENT ON TABLE grown IS 'it''s right'",
    )
    assert warehouse.rows("SELECT bb, e FROM grown_view") == [("x", "€€")]
    assert "too long" in warehouse.error("INSERT INTO grown (e) VALUES ('€€€')")
    assert "too long" in warehouse.error("INSERT INTO copied (e) VALUES ('€€€')")


def test_a_sort_key_is_an_index_that_ends_with_its_table(warehouse):
    made = 'CREATE TABLE IF NOT EXISTS sorted ("day" DATE, a INTEGER) DISTKEY (a) COMPOUND SORTKEY ("day", a)'
    warehouse.ok(made, made)
    assert any("sort_sorted" in line for (line,) in warehouse.rows("EXPLAIN SELECT MAX(day) FROM sorted"))
    warehouse.ok("DROP TABLE sorted", made, "ALTER TABLE sorted DROP COLUMN day")
    assert not any("sort_sorted" in line for (line,) in warehouse.rows("EXPLAIN SELECT MAX(a) FROM sorted"))


def test_identity_counts(warehouse):
    warehouse.ok("CREATE TABLE counted (id BIGINT IDENTITY(1,1), a INTEGER)", "INSERT INTO counted (a) VALUES (7), (8)")
    assert warehouse.rows("SELECT id, a FROM counted ORDER BY id") == [(1, 7), (2, 8)]


def test_statements_are_forgotten_after_a_day(tmp_path):
    start = datetime(2024, 1, 1, tzinfo=UTC)
    store = StatementStore(tmp_path / "store.sqlite", now=start)
    store.add("old", ["SELECT 1"], request={}, batch=False, now=start)
    store.add("new", ["SELECT 1"], request={}, batch=False, now=start + timedelta(hours=25))
    assert [record.id for record in store.newest()] == ["new"]
    store.close()
