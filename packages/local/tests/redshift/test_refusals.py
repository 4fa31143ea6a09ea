"""What Redshift refuses is refused here with the reason, although PostgreSQL would run most of it."""

import pytest
from shoplake_local.redshift.refusals import NotLocalError, RedshiftRefusalError
from shoplake_local.redshift.statements import prepare_statement

REFUSED = {
    "on-conflict": ("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", "no ON CONFLICT"),
    "returning": ("INSERT INTO t (a) VALUES (1) RETURNING a", "no RETURNING"),
    "delete-returning": ("DELETE FROM t WHERE a = 1 RETURNING a", "no RETURNING"),
    "distinct-on": ("SELECT DISTINCT ON (a) a, b FROM t", "no DISTINCT ON"),
    "lateral": ("SELECT * FROM t, LATERAL (SELECT 1) AS s", "no LATERAL"),
    "jsonb-type": ("CREATE TABLE t (a JSONB)", 'type "jsonb" does not exist'),
    "jsonb-cast": ("SELECT '{}'::jsonb", 'type "jsonb" does not exist'),
    "json-type": ("CREATE TABLE t (a JSON)", 'type "json" does not exist'),
    "uuid-type": ("CREATE TABLE t (a UUID)", 'type "uuid" does not exist'),
    "array-type": ("CREATE TABLE t (a INT[])", "array"),
    "array-value": ("SELECT ARRAY[1, 2]", "array"),
    "json-arrow": ("SELECT a -> 'b' FROM t", "no JSON operators"),
    "bytea-type": ("CREATE TABLE t (a BYTEA)", "no type BYTEA"),
    "serial": ("CREATE TABLE t (a SERIAL)", "does not exist"),
    "money": ("CREATE TABLE t (a MONEY)", "does not exist"),
    "filter": ("SELECT COUNT(*) FILTER (WHERE a > 1) FROM t", "no FILTER"),
    "for-update": ("SELECT a FROM t FOR UPDATE", "no row locks"),
    "values-in-from": ("SELECT * FROM (VALUES (1), (2)) AS v (a)", "VALUES"),
    "values-in-cte": ("WITH v (a) AS (VALUES (1)) SELECT a FROM v", "VALUES"),
    "writing-cte": ("WITH d AS (DELETE FROM t) SELECT 1", "a common table expression must be a SELECT"),
    "is-distinct-from": ("SELECT a IS DISTINCT FROM b FROM t", "IS DISTINCT FROM"),
    "tablesample": ("SELECT * FROM t TABLESAMPLE SYSTEM (10)", "TABLESAMPLE"),
    "generate-series": ("SELECT * FROM generate_series(1, 10)", "function generate_series() does not exist"),
    "string-agg": ("SELECT string_agg(a, ',') FROM t", "function string_agg() does not exist"),
    "array-agg": ("SELECT array_agg(a) FROM t", "function array_agg() does not exist"),
    "to-jsonb": ("SELECT to_jsonb(a) FROM t", "function to_jsonb() does not exist"),
    "random-uuid": ("SELECT gen_random_uuid()", "function gen_random_uuid() does not exist"),
    "format": ("SELECT format('%s', a) FROM t", "function format() does not exist"),
    "qualified": ("SELECT pg_catalog.pg_sleep(1)", "function pg_sleep() does not exist"),
    "quoted-function": ("SELECT \"pg_read_file\"('/etc/passwd')", "function pg_read_file() does not exist"),
    "record-function": ("SELECT * FROM t, jsonb_to_record('{}') AS (a INT)", "cannot stand in FROM"),
    "function-as-table": ("SELECT * FROM UPPER('a')", "cannot stand in FROM"),
    "make-date": ("SELECT make_date(2024, 1, 1)", "function make_date() does not exist"),
    "server-file": ("SELECT pg_read_file('/etc/passwd')", "function pg_read_file() does not exist"),
    "concat-of-three": ("SELECT CONCAT(a, b, c) FROM t", "CONCAT takes two values"),
    "index": ("CREATE INDEX i ON t (a)", "no indexes"),
    "unique-index": ("CREATE UNIQUE INDEX i ON t (a)", "no indexes"),
    "trigger": ("CREATE TRIGGER g BEFORE INSERT ON t EXECUTE PROCEDURE f()", "no triggers"),
    "sequence": ("CREATE SEQUENCE s", "no sequences"),
    "extension": ("CREATE EXTENSION hstore", "no extensions"),
    "check": ("CREATE TABLE t (a INT CHECK (a > 0))", "no CHECK constraints"),
    "varchar-too-long": ("CREATE TABLE t (a VARCHAR(65536))", "cannot exceed 65535"),
    "decimal-too-wide": ("CREATE TABLE t (a DECIMAL(39, 2))", "must be between 1 and 38"),
    "distkey-unknown": ("CREATE TABLE t (a INT) DISTKEY (b)", 'column "b" named in key does not exist'),
    "sortkey-unknown": (
        'CREATE TABLE t ("a" INT) COMPOUND SORTKEY ("a", "c")',
        'column "c" named in key does not exist',
    ),
    "primary-key-unknown": ("CREATE TABLE t (a INT, PRIMARY KEY (d))", 'column "d" named in key does not exist'),
    "add-not-null": ("ALTER TABLE t ADD COLUMN a INT NOT NULL", "must have a non-null default"),
    "alter-to-int": ("ALTER TABLE t ALTER COLUMN a TYPE BIGINT", "only a VARCHAR's size can change"),
    "two-statements": ("SELECT 1; SELECT 2", "multiple commands"),
    "begin": ("BEGIN", "one transaction"),
    "commit": ("COMMIT", "one transaction"),
    "empty": ("  ; ", "the statement is empty"),
    "open-quote": ("SELECT 'a", "syntax error"),
    "copy-without-role": ("COPY t FROM 's3://b/m' FORMAT AS PARQUET MANIFEST", "add IAM_ROLE"),
    "copy-with-maxerror": (
        "COPY t FROM 's3://b/m' IAM_ROLE default FORMAT AS PARQUET MAXERROR 10",
        "MAXERROR is not supported for PARQUET",
    ),
    "copy-with-bad-role": ("COPY t FROM 's3://b/m' IAM_ROLE 'me' FORMAT AS PARQUET", "Invalid IAM role"),
    "delete-alias": ("DELETE FROM t AS x WHERE x.a = 1", "takes no alias"),
    "merge-one-branch": (
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b",
        "needs WHEN MATCHED and WHEN NOT MATCHED",
    ),
    "merge-only-insert": (
        "MERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
        "needs WHEN MATCHED and WHEN NOT MATCHED",
    ),
    "merge-and": (
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND s.b > 1 THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
        "takes no AND condition",
    ),
    "merge-three-branches": (
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND s.b > 1 THEN DELETE WHEN MATCHED THEN UPDATE SET b = s.b "
            "WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)"
        ),
        "each once",
    ),
    "merge-target-alias": (
        "MERGE INTO t AS x USING s ON x.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
        "no alias on the target",
    ),
    "merge-inequality": (
        "MERGE INTO t USING s ON t.a > s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
        "must be equalities",
    ),
    "merge-or": (
        "MERGE INTO t USING s ON t.a = s.a OR t.b = s.b WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
        "must be equalities",
    ),
    "merge-subquery": (
        (
            "MERGE INTO t USING (SELECT 1 AS a) AS s ON t.a = s.a WHEN MATCHED THEN DELETE "
            "WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)"
        ),
        "source of a MERGE must be a table",
    ),
    "merge-by-source": (
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED BY SOURCE THEN DELETE "
            "WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)"
        ),
        "MERGE",
    ),
    "procedure-truncate": (
        "CREATE PROCEDURE p() AS $$ BEGIN TRUNCATE t; END; $$ LANGUAGE plpgsql",
        "TRUNCATE cannot be invoked from a procedure",
    ),
    "procedure-commit": ("CREATE PROCEDURE p() AS $$ BEGIN COMMIT; END; $$ LANGUAGE plpgsql", "COMMIT and ROLLBACK"),
    "procedure-on-conflict": (
        "CREATE PROCEDURE p() AS $$ BEGIN INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING; END; $$ LANGUAGE plpgsql",
        "no such clause",
    ),
    "procedure-merge": (
        "CREATE PROCEDURE p() AS $$ BEGIN MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE; END; $$ LANGUAGE plpgsql",
        "needs WHEN MATCHED and WHEN NOT MATCHED",
    ),
    "procedure-function": (
        "CREATE PROCEDURE p() AS $$ BEGIN INSERT INTO t SELECT to_jsonb(a) FROM s; END; $$ LANGUAGE plpgsql",
        "function to_jsonb() does not exist",
    ),
    "procedure-assignment": (
        "CREATE PROCEDURE p() AS $$ DECLARE x INT; BEGIN x := pg_backend_pid(); END; $$ LANGUAGE plpgsql",
        "function pg_backend_pid() does not exist",
    ),
    "procedure-perform": (
        "CREATE PROCEDURE p() AS $$ BEGIN PERFORM pg_sleep(1); END; $$ LANGUAGE plpgsql",
        "function pg_sleep() does not exist",
    ),
    "procedure-sql": ("CREATE PROCEDURE p() LANGUAGE sql AS $$ SELECT 1 $$", "CREATE PROCEDURE"),
    "procedure-argument": (
        "CREATE PROCEDURE p(a JSONB) AS $$ BEGIN NULL; END; $$ LANGUAGE plpgsql",
        'type "jsonb" does not exist',
    ),
    "call-and-more": ("CALL p(1); DELETE FROM t WHERE a IN (1)", "multiple commands"),
    "call-function": ("CALL p(pg_read_file('/etc/passwd'))", "function pg_read_file() does not exist"),
}


@pytest.mark.parametrize(("sql", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_as_redshift_refuses(sql, reason):
    with pytest.raises(RedshiftRefusalError) as caught:
        prepare_statement(sql, in_transaction=False)
    assert reason in str(caught.value)


IN_A_TRANSACTION = {
    "truncate": ("TRUNCATE t", "TRUNCATE cannot run inside a transaction block"),
    "truncate-table": ("TRUNCATE TABLE gold.t", "on Redshift it commits"),
    "vacuum": ("VACUUM t", "VACUUM cannot run inside a transaction block"),
    "wider-varchar": ("ALTER TABLE t ALTER COLUMN a TYPE VARCHAR(20)", "cannot run inside a transaction block"),
}


@pytest.mark.parametrize(("sql", "reason"), IN_A_TRANSACTION.values(), ids=IN_A_TRANSACTION.keys())
def test_refused_only_inside_a_transaction(sql, reason):
    prepare_statement(sql, in_transaction=False)
    with pytest.raises(RedshiftRefusalError, match=reason):
        prepare_statement(sql, in_transaction=True)


NOT_LOCAL = {
    "merge-remove-duplicates": "MERGE INTO t USING s ON t.a = s.a REMOVE DUPLICATES",
    "unload": "UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE default",
    "copy-csv": "COPY t FROM 's3://b/p' IAM_ROLE default FORMAT AS CSV",
    "copy-dynamodb": "COPY t FROM 'dynamodb://x' IAM_ROLE default",
    "set": "SET search_path TO gold",
    "pivot": "SELECT * FROM t PIVOT (SUM(a) FOR b IN ('x', 'y'))",
    "datediff-week": "SELECT DATEDIFF(week, a, b) FROM t",
}


@pytest.mark.parametrize("sql", NOT_LOCAL.values(), ids=NOT_LOCAL.keys())
def test_what_redshift_has_and_the_local_warehouse_lacks_says_so(sql):
    with pytest.raises(NotLocalError, match="the local warehouse does not run"):
        prepare_statement(sql, in_transaction=False)


ALLOWED = {
    "strings-are-not-words": "SELECT 'on conflict returning lateral' AS a",
    "quoted-names-are-not-words": 'SELECT "returning" FROM t',
    "comments": "-- a RETURNING b\nSELECT 1 /* LATERAL */",
    "in-list": "SELECT a FROM t WHERE b IN (1, 2) AND c NOT IN (3)",
    "exists": "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM s)",
    "cte-with-columns": "WITH x (a, b) AS (SELECT 1, 2), y (c) AS (SELECT 3) SELECT * FROM x, y",
    "recursive": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n",
    "window": "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) FROM t",
    "derived-alias": "SELECT * FROM (SELECT 1) AS d (a)",
    "insert-columns": "INSERT INTO gold.t (a, b) SELECT a, b FROM s",
    "insert-values": "INSERT INTO t (a) VALUES (1), (2)",
    "union": "SELECT 1 UNION ALL (SELECT 2)",
    "rollup": "SELECT a, SUM(b) FROM t GROUP BY ROLLUP (a)",
    "merge": (
        "MERGE INTO t USING s ON t.a = s.a AND t.b = s.b WHEN MATCHED THEN UPDATE SET c = s.c "
        "WHEN NOT MATCHED THEN INSERT (a, b, c) VALUES (s.a, s.b, s.c)"
    ),
    "merge-delete": "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.a)",
    "delete-using": "DELETE FROM gold.t USING staging.t AS i WHERE t.a = i.a",
    "update-from": "UPDATE t SET a = s.a FROM s WHERE t.b = s.b",
    "view": "CREATE OR REPLACE VIEW gold.v AS SELECT 1 AS a WITH NO SCHEMA BINDING",
    "drop": "DROP TABLE IF EXISTS gold.t",
    "grant": "GRANT SELECT ON gold.t TO reader",
    "trailing-semicolon": "SELECT 1;",
    "explain": "EXPLAIN SELECT 1",
    "lock": 'LOCK TABLE shoplake.loads, staging."t"',
    "call": """CALL shoplake."load_t"(1, FALSE, 'run')""",
    "analyze": "ANALYZE gold.t",
    "procedure": (
        "CREATE OR REPLACE PROCEDURE p(a IN BIGINT, b INOUT VARCHAR(20)) AS $$ DECLARE n NUMERIC(20,0) := 0; "
        "BEGIN IF (a > 1) THEN SELECT COUNT(*) INTO n FROM t; ELSIF (a < 0) THEN RAISE NOTICE 'x % (y)', COALESCE(a, 0); "
        "END IF; FOR i IN 1..3 LOOP n := n + ABS(i); END LOOP; RETURN; END; $$ LANGUAGE plpgsql"
    ),
}


@pytest.mark.parametrize("sql", ALLOWED.values(), ids=ALLOWED.keys())
def test_right_statements_pass_the_gate(sql):
    assert prepare_statement(sql, in_transaction=False) is not None
