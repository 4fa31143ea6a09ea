"""Any history of upserts and deletes, loaded in any order of attempts, leaves what a dictionary would hold."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shoplake_warehouse.loading import GoldBatch

SCHEMA = pa.schema(
    [
        ("_op", pa.string()),
        ("order_id", pa.decimal128(20, 0)),
        ("day", pa.date32()),
        ("status", pa.string()),
        ("total", pa.decimal128(12, 2)),
        ("placed_at", pa.timestamp("us", tz="UTC")),
    ]
)
VALUES = st.tuples(
    st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20),
    st.decimals(min_value=-(10**9), max_value=10**9, places=2, allow_nan=False),
    st.dates(min_value=date(1, 1, 1)),
)
KEYS = st.integers(1, 6).map(lambda n: n if n < 6 else 2**64 - 1)
# A batch: (is it a full one, key -> new values or None for a delete, how often its load is tried)
BATCHES = st.lists(
    st.tuples(st.booleans(), st.dictionaries(KEYS, st.none() | VALUES, max_size=6), st.integers(1, 2)),
    min_size=1,
    max_size=6,
)


def row(op, key, values):
    status, total, day = values
    return {"_op": op, "order_id": Decimal(key), "day": day, "status": status, "total": total, "placed_at": None}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=BATCHES)
def test_any_history_equals_the_model(warehouse, fact, history):
    if not warehouse.client.calls:
        warehouse.prepare(fact)
    warehouse.empty(fact)
    model: dict[int, tuple] = {}
    batches = []
    for number, (full, changes, tries) in enumerate(history, start=1):
        rows = []
        before = dict(model)
        if full:
            model.clear()
        for key, values in changes.items():
            if key in before and not full:
                rows.append(row("D", key, before[key]))
            model.pop(key, None)
            if values is not None:
                rows.append(row("I", key, values))
                model[key] = values
        url = warehouse.put(pa.Table.from_pylist(rows, schema=SCHEMA)) if rows else ""
        batches.append(
            GoldBatch(table="fct_order", batch=number, full=full or number == 1, manifest_url=url, rows=len(rows))
        )
        if tries == 1 and number < len(history):
            continue  # this batch waits for a later load
        for _ in range(tries):
            warehouse.load(fact, batches)
        found = {
            int(key): (status, total, day)
            for key, status, total, day in warehouse.rows("SELECT order_id, status, total, day FROM gold.fct_order")
        }
        assert found == model
