"""Digests are stable, depend on values alone, and sums are exact."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoplake_reconciliation.digests import exact_sums, table_digests

ROW = {
    "id": pa.array([7], pa.decimal128(20, 0)),
    "amount": pa.array([Decimal("-12.50")], pa.decimal128(12, 2)),
    "note": pa.array(["Zoë"], pa.string()),
    "ratio": pa.array([0.1], pa.float64()),
    "flag": pa.array([True], pa.bool_()),
    "day": pa.array([date(2024, 2, 29)], pa.date32()),
    "at": pa.array([datetime(2024, 2, 29, 1, 2, 3, 4, UTC)], pa.timestamp("us", "UTC")),
    "count": pa.array([-1], pa.int32()),
    "blob": pa.array([b"\0"], pa.binary()),
}


def digest(**changes) -> int:
    return int(table_digests(pa.table({**ROW, **changes}), ("id",)).rows[0])


def test_a_digest_never_changes_between_versions():
    """Both sides of a comparison may run different releases: the Lambda's zip and the command."""
    assert digest() == STABLE


@pytest.mark.parametrize(
    ("column", "other"),
    [
        pytest.param("id", pa.array([8], pa.decimal128(20, 0)), id="key"),
        pytest.param("amount", pa.array([Decimal("-12.49")], pa.decimal128(12, 2)), id="cent"),
        pytest.param("amount", pa.array([Decimal("12.50")], pa.decimal128(12, 2)), id="sign"),
        pytest.param("amount", pa.array([None], pa.decimal128(12, 2)), id="decimal-null"),
        pytest.param("note", pa.array([""]), id="empty-text"),
        pytest.param("note", pa.array([None], pa.string()), id="text-null"),
        pytest.param("note", pa.array(["Zoë "]), id="closing-space"),
        pytest.param("ratio", pa.array([0.1 + 1e-17 * 2]), id="last-bit-of-a-float"),
        pytest.param("flag", pa.array([False]), id="flag"),
        pytest.param("flag", pa.array([None], pa.bool_()), id="flag-null"),
        pytest.param("day", pa.array([date(2024, 3, 1)]), id="day"),
        pytest.param(
            "at", pa.array([datetime(2024, 2, 29, 1, 2, 3, 5, UTC)], pa.timestamp("us", "UTC")), id="microsecond"
        ),
        pytest.param("count", pa.array([1], pa.int32()), id="whole-number"),
        pytest.param("count", pa.array([0], pa.int32()), id="zero"),
        pytest.param("count", pa.array([None], pa.int32()), id="whole-number-null"),
        pytest.param("blob", pa.array([b""]), id="bytes"),
    ],
)
def test_another_value_gives_another_digest(column, other):
    assert digest(**{column: other}) != digest()


def test_null_zero_and_empty_differ_in_every_kind_of_column():
    kinds = [
        (pa.int32(), 0),
        (pa.string(), ""),
        (pa.bool_(), False),
        (pa.float64(), 0.0),
        (pa.decimal128(9, 2), Decimal(0)),
    ]
    for kind, empty in kinds:
        both = pa.table({"id": [1, 1], "c": pa.array([None, empty], kind)})
        first, second = table_digests(both, ("id",)).rows
        assert first != second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(pa.array([5], pa.int32()), pa.array([5], pa.int64()), id="width"),
        pytest.param(pa.array(["x"]), pa.array(["x"]).dictionary_encode().cast(pa.string()), id="encoding"),
        pytest.param(pa.array(["yx"]).cast(pa.binary()).cast(pa.string()), pa.array(["a", "yx"]).slice(1), id="offset"),
        pytest.param(
            pa.array([Decimal("1.20")], pa.decimal128(5, 2)),
            pa.array([Decimal("9.00"), Decimal("1.2")], pa.decimal128(12, 2)).slice(1),
            id="precision-and-offset",
        ),
    ],
)
def test_how_a_layer_holds_a_value_does_not_matter(one, other):
    assert digest(c=one) == digest(c=other)


def test_values_swapped_between_rows_or_columns_show():
    key = pa.array([1, 2])
    a, b = pa.array([10, 20]), pa.array([20, 10])
    straight = table_digests(pa.table({"id": key, "x": a, "y": b}), ("id",)).rows
    swapped = table_digests(pa.table({"id": key, "x": b, "y": a}), ("id",)).rows
    assert (straight != swapped).all()
    assert straight.sum() != swapped.sum()


def test_a_table_without_rows_has_no_digests():
    table = pa.table({name: column.slice(0, 0) for name, column in ROW.items()})
    assert len(table_digests(table, ("id",)).rows) == 0


DECIMALS = st.lists(
    st.one_of(st.none(), st.integers(-(10**38) + 1, 10**38 - 1).map(lambda n: Decimal(f"{n}E-4"))), max_size=12
)


@settings(max_examples=80, deadline=None)
@given(DECIMALS, st.data())
def test_sums_of_the_widest_decimals_are_exact(values, data):
    cut = data.draw(st.integers(0, len(values)))
    sums = exact_sums(pa.array(values, pa.decimal128(38, 4)), np.array([0, cut]))
    for found, part in zip(sums, (values[:cut], values[cut:]), strict=True):
        assert found.as_tuple().exponent == -4
        assert _unscaled(found) == sum(_unscaled(value) for value in part if value is not None)


def _unscaled(value: Decimal) -> int:
    sign, digits, exponent = value.as_tuple()
    number = int("".join(map(str, digits))) * 10 ** (4 + exponent)
    return -number if sign else number


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=20))
def test_sums_of_whole_numbers_do_not_wrap(values):
    assert exact_sums(pa.array(values, pa.int64()), np.array([0])) == [Decimal(sum(v or 0 for v in values))]


STABLE = 15700196543253118955
