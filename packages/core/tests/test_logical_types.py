"""The closed set of column types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shoplake_core.errors import ContractError
from shoplake_core.logical_types import Kind, LogicalType, parse_logical_type

SIZED = {Kind.DECIMAL, Kind.STRING}


@given(st.sampled_from([k for k in Kind if k not in SIZED]))
def test_a_type_without_size_reads_back(kind):
    assert str(parse_logical_type(kind.value)) == kind.value


@given(st.integers(1, 38).flatmap(lambda p: st.tuples(st.just(p), st.integers(0, p))))
def test_a_decimal_reads_back(size):
    kind = LogicalType(Kind.DECIMAL, precision=size[0], scale=size[1])
    assert parse_logical_type(str(kind)) == kind


@pytest.mark.parametrize(
    "text", ["decimal", "decimal(39,2)", "decimal(2,3)", "string", "string(0)", "date(3)", "varchar(3)", ""]
)
def test_a_wrong_type_is_refused(text):
    with pytest.raises(ContractError):
        parse_logical_type(text)
