"""Keys, names, columns and parquet types, as AWS DMS writes them."""

import io
import re
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shoplake_replication.object_names import change_name, last_load_number, load_name


def test_files_lie_and_look_as_dms_writes_them(rig):
    rig.sql(
        "CREATE TABLE t (id bigint unsigned PRIMARY KEY, a tinyint(1), b int unsigned, c decimal(12,2), d datetime, e date, f text)",
        "INSERT INTO t VALUES (1, 1, 4294967295, 1.5, '2026-01-02 03:04:05', '2026-01-02', 'x')",
    )
    rig.load()
    rig.sql("UPDATE t SET f = 'y' WHERE id = 1")
    rig.catch_up()
    load, change = sorted(rig.files("t"), key=lambda key: "LOAD" not in key)
    assert load == f"{rig.schema}/t/LOAD00000001.parquet"
    assert re.fullmatch(rf"{rig.schema}/t/\d{{8}}-\d{{9}}\.parquet", change)
    expected = pa.schema(
        [
            ("Op", pa.string()),
            ("id", pa.uint64()),
            ("a", pa.int8()),
            ("b", pa.int64()),  # format 1.0 as pyarrow writes it knows no UINT_32: the next wider type holds it
            ("c", pa.decimal128(12, 2)),
            ("d", pa.timestamp("us", "UTC")),
            ("e", pa.date32()),
            ("f", pa.string()),
            pa.field("_committed_at", pa.string(), nullable=False),
            ("_sequence", pa.string()),
            ("_stream_position", pa.string()),
        ]
    )
    for key in (load, change):
        file = pq.ParquetFile(io.BytesIO(rig.get(key)))
        assert file.schema_arrow.equals(expected)
        assert file.metadata.format_version == "1.0"
        assert file.metadata.row_group(0).column(0).compression == "UNCOMPRESSED"
        assert file.schema.column(5).converted_type == "TIMESTAMP_MICROS"
    (row,) = rig.load_rows("t")
    assert (row["Op"], row["_sequence"]) == ("I", None)
    (row,) = rig.changes("t")
    assert row["Op"] == "U"
    assert re.fullmatch(r"\d{35}", row["_sequence"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", row["_committed_at"])


def test_empty_table_has_an_epoch_and_no_file(rig):
    rig.sql("CREATE TABLE t (id int PRIMARY KEY)")
    rig.load()
    assert rig.files("t") == []
    (record,) = rig.epochs("t")
    assert (record.rows, record.files, record.engine) == (0, (), "shoplake")


@pytest.mark.parametrize(
    ("number", "name"), [(1, "LOAD00000001"), (16, "LOAD00000010"), (255, "LOAD000000FF"), (256, "LOAD00000100")]
)
def test_load_counter_is_hexadecimal(number, name):
    assert load_name(number) == f"{name}.parquet"
    assert last_load_number([load_name(number), "20260101-000000000.parquet", "other"]) == number


def test_change_names_grow_within_a_millisecond_and_when_the_clock_steps_back():
    now = datetime(2026, 1, 1, 23, 59, 59, 999_900, UTC)
    first = change_name(now, "")
    second = change_name(now, first)
    third = change_name(datetime(2020, 1, 1, tzinfo=UTC), second)
    assert [first, second, third] == [
        "20260101-235959999.parquet",
        "20260102-000000000.parquet",
        "20260102-000000001.parquet",
    ]
