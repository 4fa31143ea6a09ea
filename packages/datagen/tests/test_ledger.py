"""The ledger against the contract: its expectations are what an independent reading of the rules makes of the rows."""

from collections import Counter

import pytest
from shoplake_datagen import Expectation, ledger_from_lines, ledger_lines
from shoplake_datagen.dirt import FAULTS


def test_the_rules_agree_with_every_entry_and_nothing_else_is_refused(seeded, ledger_disagreements):
    assert ledger_disagreements("read_shop", seeded.ledger) == []


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
