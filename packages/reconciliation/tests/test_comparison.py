"""Two sides agree exactly when their rows are equal; every single difference is found and named."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoplake_reconciliation.comparison import MOST_FINDINGS, MOST_KEYS, compared, compared_quarantine
from shoplake_reconciliation.findings import FindingKind
from shoplake_reconciliation.key_ranges import KeyRanges, cuts_every, sortable, table_side

SCHEMA = pa.schema(
    [("order_id", pa.decimal128(20, 0)), ("line", pa.int32()), ("amount", pa.decimal128(12, 2)), ("note", pa.string())]
)
KEY = ("order_id", "line")


def table_of(rows) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [[], [], [], []]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def ranges_of(rows: pa.Table, range_rows: int = 3) -> KeyRanges:
    cuts = cuts_every(np.sort(sortable(rows["order_id"])), range_rows)
    return KeyRanges("order_id", cuts, tuple(range(len(cuts) + 1)))


def findings_of(mysql, silver, range_rows: int = 3):
    left, right = table_of(mysql), table_of(silver)
    ranges = ranges_of(left, range_rows)
    nothing = left.slice(0, 0).select(list(KEY))
    sides = table_side(left, nothing, KEY, ranges), table_side(right, nothing, KEY, ranges)
    return compared("t", ("mysql", "silver"), ranges, *sides)


ROWS = [(n, line, Decimal(f"{n}.{line}0"), f"note {n}") for n in range(1, 11) for line in (1, 2)]


def test_equal_rows_agree():
    assert findings_of(ROWS, ROWS[::-1]) == []


def test_a_lost_row_is_named_with_range_key_and_both_numbers():
    (found,) = findings_of(ROWS, [row for row in ROWS if row[:2] != (5, 2)])
    assert (found.kind, found.keys, found.key_count) == (FindingKind.LOST, ({"order_id": Decimal(5), "line": 2},), 1)
    assert str(found.key_range) == "5 <= order_id < 7"
    assert (found.expected_rows, found.found_rows) == (4, 3)
    (amount,) = found.sums
    assert (amount.column, amount.expected, amount.found, amount.difference) == (
        "amount",
        Decimal("22.60"),
        Decimal("17.40"),
        Decimal("-5.20"),
    )


def test_a_ghost_beyond_the_sources_keys_is_named():
    (found,) = findings_of(ROWS, [*ROWS, (99, 1, Decimal("0.01"), None)])
    assert (found.kind, found.keys) == (FindingKind.GHOST, ({"order_id": Decimal(99), "line": 1},))
    assert (found.key_range.before, found.found_rows - found.expected_rows) == (None, 1)


def test_a_row_that_stands_twice_is_a_ghost():
    (found,) = findings_of(ROWS, [*ROWS, ROWS[0]])
    assert (found.kind, found.keys, found.found_rows) == (FindingKind.GHOST, ({"order_id": Decimal(1), "line": 1},), 3)


def test_a_wrong_cent_is_named_with_column_both_sums_and_difference():
    wrong = [(a, b, amount + Decimal("0.01") if (a, b) == (3, 1) else amount, note) for a, b, amount, note in ROWS]
    (found,) = findings_of(ROWS, wrong)
    assert (found.kind, found.keys, found.columns) == (
        FindingKind.WRONG,
        ({"order_id": Decimal(3), "line": 1},),
        ("amount",),
    )
    assert found.as_json()["sums"] == [
        {"column": "amount", "expected": "10.60", "found": "10.61", "difference": "0.01"}
    ]
    assert (found.expected_rows, found.found_rows) == (4, 4)


def test_two_wrong_cents_that_cancel_are_found():
    change = {(3, 1): Decimal("0.01"), (3, 2): Decimal("-0.01")}
    wrong = [(a, b, amount + change.get((a, b), 0), note) for a, b, amount, note in ROWS]
    (found,) = findings_of(ROWS, wrong)
    assert (found.kind, found.key_count, found.sums, found.columns) == (FindingKind.WRONG, 2, (), ("amount",))


def test_a_table_that_lost_everything_names_some_keys_and_counts_all():
    rows = [(n, 1, Decimal(n), None) for n in range(25)]
    (found,) = findings_of(rows, [], range_rows=100)
    assert (found.kind, found.key_count, len(found.keys)) == (FindingKind.LOST, 25, MOST_KEYS)


def test_findings_are_bounded_and_the_rest_is_counted():
    rows = [(n, 1, Decimal(n), None) for n in range(500)]
    found = findings_of(rows, [], range_rows=1)
    assert len(found) == MOST_FINDINGS
    assert sum(finding.key_count for finding in found) == 500
    assert "401 more findings" in found[-1].message


def test_quarantine_is_compared_both_ways():
    rows = table_of(ROWS)
    ranges = ranges_of(rows)
    keys = rows.select(list(KEY))
    mysql = table_side(rows.slice(0, 10), keys.slice(10, 4), KEY, ranges)
    found = compared_quarantine("t", ranges, mysql, keys.slice(12, 4))
    assert [(f.kind, f.found_in, f.key_count) for f in found] == [
        (FindingKind.LOST, "quarantine", 2),
        (FindingKind.GHOST, "quarantine", 2),
    ]


def test_only_the_checked_ranges_are_compared():
    left, right = table_of(ROWS), table_of(ROWS[4:])
    cuts = ranges_of(left).cuts
    nothing = left.slice(0, 0).select(list(KEY))
    found = []
    for share in range(len(cuts) + 1):
        ranges = KeyRanges("order_id", cuts, (share,))
        sides = table_side(left, nothing, KEY, ranges), table_side(right, nothing, KEY, ranges)
        found.append(sum(f.key_count for f in compared("t", ("mysql", "silver"), ranges, *sides)))
    assert (sum(found), found[-1]) == (4, 0)


ROW = st.tuples(
    st.integers(0, 2**64 - 1) | st.integers(0, 9),
    st.integers(0, 3),
    st.one_of(st.none(), st.integers(-(10**6), 10**6).map(lambda n: Decimal(f"{n}E-2"))),
    st.one_of(st.none(), st.text(max_size=3)),
)
TABLES = st.lists(ROW, max_size=25, unique_by=lambda row: row[:2])


@settings(max_examples=150, deadline=None)
@given(TABLES, st.data())
def test_equal_data_agrees_in_any_order_and_batch_split(rows, data):
    shuffled = data.draw(st.permutations(rows))
    left, right = table_of(rows), table_of(shuffled)
    cut = data.draw(st.integers(0, len(rows)))
    right = pa.concat_tables([right.slice(0, cut), right.slice(cut)])
    ranges = ranges_of(left, data.draw(st.integers(1, 5)))
    nothing = left.slice(0, 0).select(list(KEY))
    sides = [table_side(side, nothing, KEY, ranges) for side in (left, right)]
    assert sides[0].numbers == sides[1].numbers
    assert compared("t", ("mysql", "silver"), ranges, *sides) == []


def mutated(rows, data):
    """The rows after one change, and what it is."""
    kind = data.draw(st.sampled_from(["lost", "ghost", "wrong"]))
    place = data.draw(st.integers(0, len(rows) - 1))
    if kind == "lost":
        return [row for index, row in enumerate(rows) if index != place], FindingKind.LOST, rows[place][:2]
    if kind == "ghost":
        row = data.draw(ROW.filter(lambda row: row[:2] not in {r[:2] for r in rows}))
        return [*rows, row], FindingKind.GHOST, row[:2]
    row = data.draw(ROW.filter(lambda row: row[2:] != rows[place][2:]))
    changed = [(*r[:2], *row[2:]) if index == place else r for index, r in enumerate(rows)]
    return changed, FindingKind.WRONG, rows[place][:2]


@settings(max_examples=250, deadline=None)
@given(TABLES.filter(bool), st.data())
def test_any_single_mutation_is_found_and_named(rows, data):
    changed, kind, key = mutated(rows, data)
    (found,) = findings_of(rows, data.draw(st.permutations(changed)), data.draw(st.integers(1, 5)))
    named = [(int(k["order_id"]), k["line"]) for k in found.keys]
    assert (found.kind, named) == (kind, [key])


@pytest.mark.parametrize("range_rows", [1, 2, 7, 100])
def test_ranges_cover_every_key_once_and_keep_a_leading_value_together(range_rows):
    rows = table_of(ROWS)
    ranges = ranges_of(rows, range_rows)
    index = ranges.index_of(rows)
    assert (index >= 0).all()
    assert (index < ranges.count).all()
    for number in range(ranges.count):
        bounds = ranges.range_at(number)
        inside = [n for n, *_ in ROWS if (bounds.first or 0) <= n and (bounds.before is None or n < bounds.before)]
        assert len(inside) == (index == number).sum()
