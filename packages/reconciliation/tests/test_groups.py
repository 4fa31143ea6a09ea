"""Silver, gold and the warehouse brought to one grain, against plain Python."""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoplake_core.project import project_from_folder
from shoplake_reconciliation.groups import ROWS, Grain, grain_of, group_ranges, grouped, weighted_sums
from shoplake_reconciliation.key_ranges import KeyRanges
from shoplake_reconciliation.warehouse_side import WarehouseTable

GRAIN = Grain(
    ("order_id", "line"),
    {"amount": "gold_amount", "units": "gold_units"},
    pa.schema(
        [
            ("order_id", pa.decimal128(20, 0)),
            ("line", pa.int32()),
            (ROWS, pa.int64()),
            ("amount", pa.decimal128(38, 4)),
            ("units", pa.decimal128(38, 0)),
        ]
    ),
)

ROW = st.tuples(
    st.integers(0, 2**64 - 1) | st.integers(0, 5),
    st.integers(0, 3),
    st.one_of(st.none(), st.integers(-(10**11), 10**11).map(lambda n: Decimal(f"{n}E-4"))),
    st.integers(-(2**31), 2**31 - 1),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(ROW, max_size=30), st.integers(0, 6))
def test_groups_and_weighted_sums_are_exact(rows, cut):
    columns = list(zip(*rows, strict=True)) or [[], [], [], []]
    kinds = (pa.decimal128(20, 0), pa.int32(), pa.decimal128(14, 4), pa.int32())
    names = ("order_id", "line", "amount", "units")
    table = pa.table({n: pa.array(c, k) for n, c, k in zip(names, columns, kinds, strict=True)})
    groups = grouped(table, GRAIN, {"amount": "amount", "units": "units"})
    expected = defaultdict(lambda: [0, Decimal(0), 0])
    weighted = [[Decimal(0), 0], [Decimal(0), 0]]
    for order, line, amount, units in rows:
        group = expected[order, line]
        group[0], group[1], group[2] = group[0] + 1, group[1] + (amount or 0), group[2] + units
        weight = 1 + (order % 997 * 31 + line % 997) % 997
        side = weighted[order >= cut]
        side[0], side[1] = side[0] + (amount or 0) * weight, side[1] + units * weight
    found = {(int(r["order_id"]), r["line"]): [r[ROWS], r["amount"], int(r["units"])] for r in groups.to_pylist()}
    assert found == expected
    ranges = KeyRanges("order_id", (cut,), (0, 1))
    sums = [[w["amount"], int(w["units"])] for w in weighted_sums(groups, GRAIN, ranges)]
    assert sums == weighted


def test_ranges_of_groups_are_few_enough_for_one_statement():
    groups = pa.table(
        [
            pa.array(np.arange(500_000)).cast(pa.decimal128(20, 0)),
            *(pa.nulls(500_000, f.type) for f in list(GRAIN.schema)[1:]),
        ],
        schema=GRAIN.schema,
    )
    assert 100 < group_ranges(groups, GRAIN).count <= 200


def reconciled():
    project = project_from_folder(Path(__file__).parents[3] / "shop")
    for gold in project.gold.values():
        for entry in gold.reconciles:
            yield pytest.param(project.silver[entry.source], gold, entry, id=f"{entry.source}-{gold.name}")


@pytest.mark.parametrize(("source", "gold", "entry"), list(reconciled()))
def test_every_table_that_the_reference_shop_reconciles_has_a_grain_and_sql(source, gold, entry):
    grain = grain_of(source, gold, entry)
    assert grain.columns
    asked = []

    def query(sql):
        asked.append(sql)
        return [], []

    table = WarehouseTable(query, gold, entry, grain)
    assert table.range_numbers(KeyRanges(grain.columns[0], (10, 20), (0, 1, 2))) == {}
    assert table.weighted == tuple(entry.sums)
    assert f'FROM gold."{gold.name}" t' in asked[0]
