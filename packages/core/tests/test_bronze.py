"""The epoch record, and the clock and errors that everything else stands on."""

from datetime import UTC, datetime

from shoplake_core.bronze import EpochRecord, LoadFile, epoch_record_from_json, is_load_file
from shoplake_core.clock import SkipClock
from shoplake_core.endpoints import parse_mysql_url
from shoplake_core.errors import ConflictError, ShoplakeError

RECORD = EpochRecord(
    schema="shop",
    table="orders",
    epoch="20261125010203000000",
    started_at="2026-11-25 01:02:03.000000",
    engine="shoplake",
    lineage="l",
    stream_position="bin.000001:4",
    sequence_floor="0" * 35,
    change_margin_seconds=0,
    rows=2,
    files=(LoadFile("LOAD00000001.parquet", "e", 2),),
)


def test_an_epoch_record_reads_back():
    assert epoch_record_from_json(RECORD.to_json()) == RECORD


def test_epoch_records_of_a_table_sort_by_their_key():
    assert RECORD.key == "_shoplake/epochs/shop/orders/20261125010203000000.json"


def test_load_files_are_told_from_change_files():
    assert [is_load_file(n) for n in ("LOAD0000000A.parquet", "20261125-010203004.parquet")] == [True, False]


def test_a_wait_of_an_hour_on_a_skip_clock_moves_it_an_hour():
    clock = SkipClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.sleep(3600)
    assert (clock.now().hour, clock.monotonic_seconds()) == (1, 3600)


def test_an_error_carries_its_values_and_ends_with_the_next_step():
    error = ConflictError("run 7 is running", hint="wait for it", run="7")
    assert (error.run, error.retryable, str(error).splitlines()[-1]) == ("7", True, "  next: wait for it")
    assert isinstance(error, ShoplakeError)


def test_a_mysql_url_is_decoded_and_its_password_never_printed():
    endpoint = parse_mysql_url("mysql://shop:p%40ss@db.example:3307")
    assert (endpoint.host, endpoint.port, endpoint.password) == ("db.example", 3307, "p@ss")
    assert "p@ss" not in repr(endpoint)
