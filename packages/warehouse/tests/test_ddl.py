import re

import pytest
from shoplake_core.errors import ContractError
from shoplake_warehouse.ddl import create_gold_table, create_loads_table, create_staging_table
from shoplake_warehouse.procedures import create_load_procedure


def test_a_gold_table_has_its_keys_at_table_level(fact):
    assert create_gold_table(fact) == (
        'CREATE TABLE IF NOT EXISTS gold."fct_order" (\n'
        '  "order_id" NUMERIC(20,0) NOT NULL,\n'
        '  "day" DATE,\n'
        '  "status" VARCHAR(80),\n'
        '  "total" NUMERIC(12,2),\n'
        '  "placed_at" TIMESTAMP,\n'
        '  PRIMARY KEY ("order_id")\n'
        ') DISTSTYLE KEY DISTKEY ("order_id") COMPOUND SORTKEY ("day")'
    )


def test_a_table_without_distribution_key_is_even(make_contract):
    text = 'grain = "one row"\nkey = ["id"]\nscope = ["id"]\n[columns.id]\ntype = "int64"\n'
    assert create_gold_table(make_contract(text, "dim")).endswith(") DISTSTYLE EVEN")


def test_a_distribution_key_must_be_a_column(make_contract):
    text = 'grain = "g"\nkey = ["id"]\nscope = ["id"]\ndistribution_key = "idd"\n[columns.id]\ntype = "int64"\n'
    with pytest.raises(ContractError, match='distribution_key "idd" is no column'):
        create_gold_table(make_contract(text, "dim"))


def test_the_staging_table_is_the_change_file(fact):
    assert re.findall(r'"(\w+)" ', create_staging_table(fact)) == ["fct_order", "_op", *fact.column_names]


def test_the_procedure_never_commits_and_never_merges(fact):
    text = create_load_procedure(fact).upper()
    for word in ("TRUNCATE", "COMMIT", "MERGE", "ON CONFLICT", "RETURNING", "PERFORM"):
        assert word not in text


def test_reserved_words_and_long_names_load(warehouse, make_contract):
    names = ["order", "user", "select", "date", "tag", "x" * 60]
    lines = ['grain = "one row"', 'key = ["order"]', 'scope = ["order"]']
    for name in names:
        lines += [f"[columns.{name}]", 'type = "string(10)"']
    contract = make_contract("\n".join(lines), "t" * 50)
    warehouse.prepare(contract)
    assert warehouse.prepare(contract) > 0
    assert warehouse.rows(f'SELECT COUNT(*) FROM gold."{"t" * 50}"') == [(0,)]


def test_loads_records_table_batch_run_and_time():
    assert re.findall(r'^  "(\w+)"', create_loads_table(), re.MULTILINE) == [
        "table_name",
        "batch",
        "run_id",
        "loaded_at",
    ]
