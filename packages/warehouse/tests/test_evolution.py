import pytest
from shoplake_warehouse.errors import WarehouseShapeError
from shoplake_warehouse.evolution import plan_warehouse

BASE = """
grain = "one row per id"
key = ["id"]
scope = ["id"]
[columns.id]
type = "int64"
[columns.name]
type = "string(10)"
"""


def changed(*edits):
    text = BASE
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    return text


def columns(warehouse, schema):
    sql = "SELECT column_name FROM information_schema.columns WHERE table_schema = :s AND table_name = 'dim' ORDER BY ordinal_position"
    return [name for (name,) in warehouse.rows(sql, s=schema)]


def test_preparing_twice_changes_nothing(warehouse, make_contract):
    contract = make_contract(BASE, "dim")
    warehouse.prepare(contract)
    warehouse.rows("SELECT 1")
    warehouse.prepare(contract)
    assert (columns(warehouse, "gold"), columns(warehouse, "staging")) == (["id", "name"], ["_op", "id", "name"])


def test_a_new_column_joins_at_the_end_and_the_staging_table_is_made_anew(warehouse, make_contract):
    warehouse.prepare(make_contract(BASE, "dim"))
    grown = changed(("[columns.name]", '[columns.country]\ntype = "string(2)"\n[columns.name]'))
    warehouse.prepare(make_contract(grown, "dim"))
    assert columns(warehouse, "gold") == ["id", "name", "country"]
    assert columns(warehouse, "staging") == ["_op", "id", "country", "name"]


def test_a_longer_text_widens_the_column(warehouse, make_contract):
    warehouse.prepare(make_contract(BASE, "dim"))
    warehouse.prepare(make_contract(changed(("string(10)", "string(30)")), "dim"))
    sql = "SELECT character_maximum_length FROM information_schema.columns WHERE table_name = 'dim' AND column_name = 'name'"
    assert warehouse.rows(sql) == [(120,), (120,)]


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (("string(10)", "string(5)"), r"column name is VARCHAR\(40\), the contract says VARCHAR\(20\)"),
        (('type = "int64"', 'type = "decimal(20,0)"'), r"column id is BIGINT, the contract says NUMERIC\(20,0\)"),
        (('[columns.name]\ntype = "string(10)"', ""), "column name is not in the contract"),
        (('key = ["id"]', 'key = ["id", "new"]\n'), "column new is new and part of the key"),
    ],
    ids=["narrower", "other-type", "column-gone", "new-key"],
)
def test_what_no_alter_mends_stops_with_the_difference(warehouse, make_contract, edit, fault):
    warehouse.prepare(make_contract(BASE, "dim"))
    text = changed(edit)
    if '"new"' in text:
        text += '[columns.new]\ntype = "int64"\n'
    with pytest.raises(WarehouseShapeError, match=fault):
        warehouse.prepare(make_contract(text, "dim"))
    assert columns(warehouse, "gold") == ["id", "name"]


def test_an_equal_warehouse_needs_no_table_statement(make_contract):
    contract = make_contract(BASE, "dim")
    live = {
        ("gold", "dim"): (("id", "BIGINT"), ("name", "VARCHAR(40)")),
        ("staging", "dim"): (("_op", "CHAR(1)"), ("id", "BIGINT"), ("name", "VARCHAR(40)")),
    }
    statements = plan_warehouse({"dim": contract}, live).together
    assert not [s for s in statements if s.startswith(("CREATE TABLE IF NOT EXISTS gold", "ALTER", "DROP"))]
