"""`_sequence` sorts as the binlog does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shoplake_core.errors import SourceError
from shoplake_core.sequences import BinlogPosition, lineage_digits_of, parse_binlog_position, sequence_at

LINEAGE = "2026112501020300"
places = st.builds(lambda n, o: BinlogPosition(n, o, f"bin.{n:06d}"), st.integers(0, 999_999), st.integers(0, 2**43))


@given(places, places)
def test_text_order_is_binlog_order(a, b):
    assert (sequence_at(LINEAGE, a) < sequence_at(LINEAGE, b)) == (
        (a.file_number, a.offset) < (b.file_number, b.offset)
    )


@given(places)
def test_a_sequence_has_35_digits_and_its_lineage(place):
    sequence = sequence_at(LINEAGE, place)
    assert (len(sequence), sequence.isdigit(), lineage_digits_of(sequence)) == (35, True, LINEAGE)


def test_a_position_reads_back_beyond_four_gibibytes():
    place = parse_binlog_position("mysql-bin.000012:5000000000")
    assert (place.file_number, place.offset, str(place)) == (12, 5_000_000_000, "mysql-bin.000012:5000000000")


@pytest.mark.parametrize("text", ["binlog:4", "binlog.000001", "binlog.000001:x", ""])
def test_what_is_no_position_is_refused(text):
    with pytest.raises(SourceError):
        parse_binlog_position(text)


def test_a_file_number_beyond_six_digits_is_refused_not_wrapped():
    with pytest.raises(SourceError, match="reload"):
        sequence_at(LINEAGE, BinlogPosition(1_000_000, 4, "bin.1000000"))
