"""The ledger against the contract: its expectations are what an independent reading of the rules makes of the rows."""

from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import Layer
from shoplake_datagen import Expectation, ledger_from_lines, ledger_lines
from shoplake_datagen.dirt import FAULTS
from shoplake_datagen.schema import TABLE_NAMES

HERE = Path(__file__).resolve().parent
SPEC = spec_from_file_location("contract_rules", HERE / "contract_rules.py")
RULES = module_from_spec(SPEC)
SPEC.loader.exec_module(RULES)
CONTRACTS = HERE.parents[2] / "shop" / "contracts" / "silver"


def contract(name):
    path = CONTRACTS / f"{name}.toml"
    return parse_table_contract(path.read_text("utf-8"), name=name, layer=Layer.SILVER, where=path.name)


def cleaned_rows(connection, schema, name):
    """Key -> (column -> cleaned value, reasons) of every row on the server."""
    table = contract(name)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(table.column_names)} FROM {schema}.{name}")
        rows = cursor.fetchall()
    result = {}
    for row in rows:
        values, reasons = {}, []
        for column, value in zip(table.columns, row, strict=True):
            values[column.name], broken = RULES.clean(column, value)
            if broken:
                reasons.append(f"{broken.value}:{column.name}")
        result[tuple(values[key] for key in table.key)] = (values, reasons)
    return result


def disagreements(connection, schema, ledger):
    """Every entry that the rules contradict, and every quarantined row that no entry speaks of."""
    found = []
    for name in TABLE_NAMES:
        rows = cleaned_rows(connection, schema, name)
        entries = {tuple(entry.key.values()): entry for entry in ledger if entry.table == name}
        for key, entry in entries.items():
            values, reasons = rows[key]
            expected_reasons = [entry.reason] if entry.expect is Expectation.QUARANTINED else []
            if reasons != expected_reasons:
                found.append((entry, reasons))
            value = values[entry.column]
            text = None if value is None else str(value)
            if entry.expect is not Expectation.QUARANTINED and text != entry.value:
                found.append((entry, text))
        found += [(name, key, reasons) for key, (_, reasons) in rows.items() if reasons and key not in entries]
    return found


def test_the_rules_agree_with_every_entry_and_nothing_else_is_refused(connection, seeded):
    assert disagreements(connection, "read_shop", seeded.ledger) == []


def test_the_server_holds_what_the_ledger_says_was_planted(connection, seeded):
    with connection.cursor() as cursor:
        for entry in seeded.ledger:
            where = " AND ".join(f"{column} = {value}" for column, value in entry.key.items())
            cursor.execute(
                f"SELECT CAST({entry.column} AS CHAR CHARACTER SET utf8mb4) FROM read_shop.{entry.table} WHERE {where}"
            )
            stored = cursor.fetchone()[0]
            assert stored == entry.planted, entry


def test_every_kind_of_fault_is_planted_and_the_share_is_bounded(seeded):
    planted = Counter((entry.table, entry.kind) for entry in seeded.ledger)
    wanted = {(table, fault.kind) for table, faults in FAULTS.items() for fault in faults} | {
        ("order_items", "quantity_zero")
    }
    small_tables = {"products"}  # 150 products have two reserved keys
    assert {pair for pair in wanted if pair[0] not in small_tables} <= set(planted)
    for table, rows in seeded.rows.items():
        entries = sum(count for (name, _), count in planted.items() if name == table)
        assert entries <= rows / 97 * 1.3 + 1, table


def test_one_fault_a_row_at_most(seeded):
    assert max(Counter((entry.table, tuple(entry.key.items())) for entry in seeded.ledger).values()) == 1


def test_all_three_expectations_are_met_with(seeded):
    assert {entry.expect for entry in seeded.ledger} == set(Expectation)


def test_a_duplicate_customer_shares_a_clean_address_with_another(connection, seeded):
    duplicates = [entry for entry in seeded.ledger if entry.kind == "duplicate_email"]
    assert duplicates
    with connection.cursor() as cursor:
        for entry in duplicates:
            cursor.execute(
                "SELECT BINARY email FROM read_shop.customers WHERE customer_id = %s", (entry.key["customer_id"] - 1,)
            )
            assert cursor.fetchone()[0].decode() == entry.value
            assert entry.planted != entry.value


def test_the_ledger_survives_its_file_form(seeded):
    text = ledger_lines(seeded.ledger)
    assert ledger_from_lines(text) == seeded.ledger
    assert text.count("\n") == len(seeded.ledger)


@pytest.mark.parametrize("table", sorted(FAULTS))
def test_kinds_of_fault_have_distinct_names(table):
    kinds = [fault.kind for fault in FAULTS[table]]
    assert len(set(kinds)) == len(kinds)
