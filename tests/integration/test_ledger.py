"""Every planted fault, from datagen's ledger, against what silver made of it."""

import json
from collections import defaultdict

import pytest
from shoplake_core.contracts import Pii
from shoplake_datagen.ledger import Expectation, ledger_from_lines


@pytest.fixture(scope="module")
def behind(running_shop, inside):
    return inside(running_shop)


@pytest.fixture(scope="module")
def ledger(running_shop):
    """Table of the project -> its entries."""
    entries = defaultdict(list)
    for entry in ledger_from_lines((running_shop.state / "dirt.jsonl").read_text("utf-8")):
        if (running_shop.folder / f"contracts/silver/{entry.table}.toml").exists():
            entries[entry.table].append(entry)
    return entries


def rows_by_key(behind, table, columns, key):
    opened = behind.silver_table(table)
    return {tuple(int(row[k]) for k in key): row for row in opened.rows(columns).to_pylist()}


def test_silver_made_of_every_planted_value_what_the_ledger_says(behind, ledger):
    checked, masking_key = defaultdict(int), behind.masking_key()
    wrong = []
    for table, entries in ledger.items():
        contract = behind.laptop.workspace.project.silver[table]
        silver = rows_by_key(behind, table, contract.column_names, contract.key)
        for entry in entries:
            column = contract.column(entry.column)
            row = silver.get(tuple(entry.key[k] for k in contract.key))
            checked[entry.expect] += 1
            if entry.expect is Expectation.QUARANTINED:
                if row is not None:
                    wrong.append((table, entry.kind, "is in silver"))
                continue
            if row is None:
                if not any(e.expect is Expectation.QUARANTINED and e.key == entry.key for e in entries):
                    wrong.append((table, entry.kind, "is not in silver"))
                continue
            expected = None if entry.expect is Expectation.NULL else entry.value
            if expected is not None and column.pii is not Pii.NONE:
                expected = masking_key.mask(expected)
            found = row[entry.column]
            if (None if found is None else str(found)) != expected:
                wrong.append((table, entry.kind, f"expected {expected!r}, found {found!r}"))
    assert wrong == []
    assert all(checked[expectation] > 0 for expectation in Expectation), checked


def test_a_refused_row_lies_in_quarantine_with_its_reason_and_masked(behind, ledger):
    for table, entries in ledger.items():
        refused = [entry for entry in entries if entry.expect is Expectation.QUARANTINED]
        if not refused:
            continue
        contract = behind.laptop.workspace.project.silver[table]
        columns = ["key", "reasons", "row", "source_file", "source_row"]
        rows = behind.silver_table(f"{table}__quarantine").rows(columns).to_pylist()
        assert len({(row["source_file"], row["source_row"]) for row in rows}) == len(rows)
        reasons = defaultdict(set)
        for row in rows:
            key = json.loads(row["key"])
            reasons[tuple(int(key[k]) for k in contract.key)] |= set(row["reasons"])
            assert "@" not in row["row"]
        for entry in refused:
            assert entry.reason in reasons[tuple(entry.key[k] for k in contract.key)], entry.kind
