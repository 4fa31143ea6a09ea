"""The MySQL schema against every silver contract: names, order, types, nullability of keys, keys, foreign keys."""

import re
from pathlib import Path

import pytest
from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import Layer
from shoplake_datagen.schema import TABLE_NAMES, create_schema, drop_tables, table_row_counts

CONTRACTS = Path(__file__).resolve().parents[3] / "shop" / "contracts" / "silver"


def contract(name):
    path = CONTRACTS / f"{name}.toml"
    return parse_table_contract(path.read_text("utf-8"), name=name, layer=Layer.SILVER, where=path.name)


def logical_type(data_type: str, column_type: str) -> str:
    """The contract's word for a MySQL column, from information_schema."""
    unsigned = "u" if "unsigned" in column_type else ""
    size = re.search(r"\(([\d,]+)\)", column_type)
    if column_type in {"tinyint(1)", "bit(1)"}:
        return "boolean"
    integers = {"tinyint": "int8", "smallint": "int16", "int": "int32", "bigint": "int64"}
    if data_type in integers:
        return unsigned + integers[data_type]
    if data_type == "decimal":
        return f"decimal({size.group(1)})"
    if data_type in {"char", "varchar"}:
        return f"string({size.group(1)})"
    return {"longtext": "json"}.get(data_type, data_type)


def test_there_is_a_contract_for_every_table_and_a_table_for_every_contract():
    assert sorted(TABLE_NAMES) == sorted(path.stem for path in CONTRACTS.glob("*.toml"))


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_columns_and_key_are_those_of_the_contract(connection, seeded, name):
    expected = contract(name)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type, column_type, column_key FROM information_schema.columns"
            " WHERE table_schema = 'read_shop' AND table_name = %s ORDER BY ordinal_position",
            (name,),
        )
        found = cursor.fetchall()
    assert [row[0] for row in found] == [column.source_name for column in expected.columns]
    assert tuple(row[0] for row in found if row[3] == "PRI") == expected.key
    for column, (_, data_type, column_type, _) in zip(expected.columns, found, strict=True):
        wanted = str(column.source_type)
        if data_type in {"enum", "set"}:  # members are at most as long as the contract allows
            members = re.findall(r"'([^']*)'", column_type)
            longest = len(",".join(members)) if data_type == "set" else max(map(len, members))
            assert longest <= column.source_type.length, column.name
            assert not column.accepted or set(members) == set(column.accepted), column.name
        else:
            assert logical_type(data_type, column_type) == wanted, column.name


def test_no_foreign_key_cascades(connection, seeded):
    """A cascade never reaches the binlog, so the replicator would miss its rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT constraint_name, delete_rule, update_rule FROM information_schema.referential_constraints"
            " WHERE constraint_schema = 'read_shop'"
        )
        rules = cursor.fetchall()
    assert len(rules) == 10
    assert {rule for _, *both in rules for rule in both} <= {"RESTRICT", "NO ACTION"}


def test_every_timestamp_keeps_microseconds_and_only_updated_at_moves_by_itself(connection, seeded):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, datetime_precision, extra FROM information_schema.columns"
            " WHERE table_schema = 'read_shop' AND data_type = 'timestamp'"
        )
        for name, precision, extra in cursor.fetchall():
            assert precision == 6, name
            assert ("on update" in extra.lower()) == (name == "updated_at"), name


def test_creating_and_dropping_twice_changes_nothing_more(connection):
    for _ in range(2):
        create_schema(connection, "twice_shop")
    assert table_row_counts(connection, "twice_shop") == dict.fromkeys(TABLE_NAMES, 0)
    for _ in range(2):
        drop_tables(connection, "twice_shop")
    assert table_row_counts(connection, "twice_shop") == {}
