"""Functions of one name give Redshift's answer, not PostgreSQL's."""

import pytest

ANSWERS = {
    "nvl": ("NVL(NULL, 2)", 2),
    "nvl2": ("NVL2(NULL, 1, 2)", 2),
    "decode": ("DECODE(3, 1, 'a', 3, 'c', 'z')", "c"),
    "decode-null": ("DECODE(NULL, NULL, 'n', 'z')", "n"),
    "len": ("LEN('Καλημέρα')", 8),
    "octets": ("OCTET_LENGTH('Καλημέρα κόσμε!')", 28),
    "concat": ("CONCAT('a', 'b')", "ab"),
    "concat-null": ("CONCAT('a', NULL)", None),
    "charindex": ("CHARINDEX('b', 'abc')", 2),
    "replace-all": ("REGEXP_REPLACE('a1b2', '[0-9]', '')", "ab"),
    "regexp-substr": ("REGEXP_SUBSTR('order 42', '[0-9]+')", "42"),
    "sha2": ("SHA2('abc', 256)", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    "dateadd-day": ("DATEADD(day, 1, '2024-02-28'::date)", "2024-02-29 00:00:00"),
    "dateadd-month-end": ("DATEADD(month, 1, '2024-01-31'::date)", "2024-02-29 00:00:00"),
    "dateadd-negative": ("DATEADD(hour, -3, '2024-01-01 01:00:00'::timestamp)", "2023-12-31 22:00:00"),
    "dateadd-quarter": ("DATEADD(quarter, 2, '2024-01-01'::date)", "2024-07-01 00:00:00"),
    "datediff-counts-boundaries": (
        "DATEDIFF(day, '2024-01-01 23:59:00'::timestamp, '2024-01-02 00:01:00'::timestamp)",
        1,
    ),
    "datediff-month": ("DATEDIFF(month, '2024-01-31'::date, '2024-02-01'::date)", 1),
    "datediff-quarter": ("DATEDIFF(qtr, '2023-12-31'::date, '2024-04-01'::date)", 2),
    "datediff-year": ("DATEDIFF(year, '2023-12-31'::date, '2024-01-01'::date)", 1),
    "datediff-hour": ("DATEDIFF(hour, '2024-01-01 00:59:59'::timestamp, '2024-01-01 01:00:00'::timestamp)", 1),
    "datediff-minute": ("DATEDIFF(minute, '2024-01-01 00:00:59'::timestamp, '2024-01-01 00:01:00'::timestamp)", 1),
    "datediff-second-negative": (
        "DATEDIFF(s, '2024-01-01 00:00:10'::timestamp, '2024-01-01 00:00:00'::timestamp)",
        -10,
    ),
    "convert-timezone": (
        "CONVERT_TIMEZONE('UTC', 'Europe/Berlin', '2024-07-01 22:30:00'::timestamp)",
        "2024-07-02 00:30:00",
    ),
    "convert-timezone-from-utc": (
        "CONVERT_TIMEZONE('Europe/Berlin', '2024-01-01 23:30:00'::timestamp)",
        "2024-01-02 00:30:00",
    ),
    "date-trunc-of-a-date": ("DATE_TRUNC('month', '2024-02-15'::date)", "2024-02-01 00:00:00"),
    "date-trunc-week": ("DATE_TRUNC('week', '2024-02-15 10:00:00'::timestamp)", "2024-02-12 00:00:00"),
    "trunc-of-a-time": ("TRUNC('2024-02-15 10:00:00'::timestamp)", "2024-02-15"),
    "trunc-of-a-number": ("TRUNC(1.59::numeric(5,2))", "1"),
    "last-day": ("LAST_DAY('2024-02-10'::date)", "2024-02-29"),
    "extract-is-whole": ("EXTRACT(year FROM '2024-02-10'::date)", 2024),
    "date-part": ("DATE_PART(dow, '2024-02-11'::date)", 0),
    "integer-division": ("7 / 2", 3),
    "round-of-a-double": ("ROUND(2.345::float8, 1)", 2.3),
    "to-char": ("TO_CHAR('2024-02-10'::date, 'YYYY-MM')", "2024-02"),
    "to-date": ("TO_DATE('10.02.2024', 'DD.MM.YYYY')", "2024-02-10"),
    "interval": ("'2024-02-10'::timestamp + INTERVAL '1 day'", "2024-02-11 00:00:00"),
    "greatest": ("GREATEST(1, NULL, 3)", 3),
    "split-part": ("SPLIT_PART('a,b,c', ',', 2)", "b"),
    "nullif": ("NULLIF(1, 1)", None),
    "top-level-nesting": (
        "DATEDIFF(day, DATE_TRUNC('month', '2024-02-15'::date), DATEADD(day, 1, '2024-02-15'::date))",
        15,
    ),
}


@pytest.mark.parametrize(("expression", "answer"), ANSWERS.values(), ids=ANSWERS.keys())
def test_answers(warehouse, expression, answer):
    assert warehouse.value(f"SELECT {expression} AS answer") == answer


@pytest.fixture(scope="module")
def numbers(warehouse):
    warehouse.ok(
        "CREATE TABLE numbers (g VARCHAR(5), i INTEGER, b BIGINT, n NUMERIC(12,2), d DATE)",
        "INSERT INTO numbers VALUES ('x', 1, 1, 1.00, '2024-01-01'), ('x', 2, 2, 2.00, '2024-01-02'), ('y', 4, 4, 4.50, NULL)",
    )
    return warehouse


AGGREGATES = {
    "avg-of-integers-is-whole": ("AVG(i)", 2),
    "avg-of-bigints-is-whole": ("AVG(b)", 2),
    "avg-of-numerics-is-exact": ("ROUND(AVG(n), 2)", "2.50"),
    "sum-of-bigints-is-numeric": ("SUM(b)", "7"),
    "sum-of-integers": ("SUM(i)", 7),
    "count-distinct": ("COUNT(DISTINCT g)", 2),
    "approximate-count": ("APPROXIMATE COUNT(DISTINCT g)", 2),
    "listagg": ("LISTAGG(i, ',') WITHIN GROUP (ORDER BY i DESC)", "4,2,1"),
    "listagg-without-separator": ("LISTAGG(g) WITHIN GROUP (ORDER BY i)", "xxy"),
    "listagg-distinct": ("LISTAGG(DISTINCT g, '|') WITHIN GROUP (ORDER BY g)", "x|y"),
    "median": ("MEDIAN(i)", 2.0),
    "percentile": ("PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY i)", 2.0),
    "avg-of-nothing": ("AVG(CASE WHEN i > 9 THEN i END)", None),
}


@pytest.mark.parametrize(("expression", "answer"), AGGREGATES.values(), ids=AGGREGATES.keys())
def test_aggregates(numbers, expression, answer):
    assert numbers.value(f"SELECT {expression} AS answer FROM numbers") == answer


def test_getdate_has_no_zone(warehouse):
    described = warehouse.run("SELECT GETDATE() AS a, SYSDATE AS b, CURRENT_DATE AS c")
    answer = warehouse.service.call("GetStatementResult", {"Id": described["Id"]})
    assert [column["typeName"] for column in answer["ColumnMetadata"]] == ["timestamp", "timestamp", "date"]


def test_qualify_and_top(numbers):
    sql = "SELECT g, i FROM numbers QUALIFY ROW_NUMBER() OVER (PARTITION BY g ORDER BY i DESC) = 1 ORDER BY g"
    assert numbers.rows(sql) == [("x", 2), ("y", 4)]
    assert numbers.rows("SELECT TOP 1 i FROM numbers ORDER BY i DESC") == [(4,)]


def test_parameters_are_bound_and_never_pasted(numbers):
    evil = "x' OR '1'='1"
    bound = {"Parameters": [{"name": "g", "value": evil}]}
    assert numbers.rows("SELECT i FROM numbers WHERE g = :g", **bound) == []
    bound = {"Parameters": [{"name": "g", "value": "x"}, {"name": "i", "value": "2"}]}
    assert numbers.rows("SELECT i FROM numbers WHERE g = :g AND i = :i AND :g <> ''", **bound) == [(2,)]


def test_a_parameter_without_a_value_fails(numbers):
    assert "Parameters g have no value" in numbers.error("SELECT i FROM numbers WHERE g = :g")


def test_merge_runs(warehouse):
    warehouse.ok(
        "CREATE TABLE m_target (a INTEGER, b VARCHAR(10))",
        "CREATE TABLE m_source (a INTEGER, b VARCHAR(10))",
        "INSERT INTO m_target VALUES (1, 'old'), (2, 'keep')",
        "INSERT INTO m_source VALUES (1, 'new'), (3, 'more')",
        "MERGE INTO m_target USING m_source ON m_target.a = m_source.a WHEN MATCHED THEN UPDATE SET b = m_source.b "
        "WHEN NOT MATCHED THEN INSERT (a, b) VALUES (m_source.a, m_source.b)",
    )
    assert warehouse.rows("SELECT a, b FROM m_target ORDER BY a") == [(1, "new"), (2, "keep"), (3, "more")]


def test_merge_refuses_a_source_with_two_rows_for_one_key(warehouse):
    warehouse.ok(
        "CREATE TABLE d_target (a INTEGER, b VARCHAR(10))",
        "CREATE TABLE d_source (a INTEGER, b VARCHAR(10))",
        "INSERT INTO d_target VALUES (7, 'old')",
        "INSERT INTO d_source VALUES (7, 'x'), (7, 'y')",
    )
    error = warehouse.error(
        "MERGE INTO d_target USING d_source ON d_target.a = d_source.a WHEN MATCHED THEN UPDATE SET b = d_source.b "
        "WHEN NOT MATCHED THEN INSERT (a, b) VALUES (d_source.a, d_source.b)"
    )
    assert "MERGE" in error
    assert warehouse.rows("SELECT a, b FROM d_target") == [(7, "old")]
