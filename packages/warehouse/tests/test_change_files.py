"""A change file that does not fit is named before anything is copied."""

import json

import pyarrow as pa
import pytest
from shoplake_warehouse.change_files_aws import ManifestReader, check_change_set, schema_differences
from shoplake_warehouse.errors import ChangeFileError, WarehouseLoadError
from shoplake_warehouse.loading import GoldBatch

FIELDS = [
    ("_op", pa.string()),
    ("order_id", pa.decimal128(20, 0)),
    ("day", pa.date32()),
    ("status", pa.string()),
    ("total", pa.decimal128(12, 2)),
    ("placed_at", pa.timestamp("us", tz="UTC")),
]


def replaced(name, kind):
    return pa.schema([(n, kind if n == name else k) for n, k in FIELDS])


def test_the_right_file_has_no_difference(fact):
    assert schema_differences(fact, pa.schema(FIELDS)) == ()


SWAPPED = [FIELDS[0], FIELDS[1], FIELDS[2], FIELDS[4], FIELDS[3], FIELDS[5]]


@pytest.mark.parametrize(
    ("schema", "difference"),
    [
        (pa.schema(SWAPPED), "the same columns in another order"),
        (pa.schema([*FIELDS, ("margin", pa.int32())]), "unknown margin"),
        (pa.schema(FIELDS[:-1]), "missing placed_at"),
        (pa.schema(FIELDS[1:]), "missing _op"),
        (replaced("total", pa.decimal128(18, 2)), "total is decimal128(18, 2), expected decimal(12,2)"),
        (replaced("total", pa.float64()), "total is double, expected decimal(12,2)"),
        (replaced("order_id", pa.int64()), "order_id is int64, expected uint64"),
        (replaced("_op", pa.int32()), "_op is int32, expected a string"),
        (replaced("placed_at", pa.timestamp("ns")), "placed_at is timestamp[ns], expected timestamp"),
        (replaced("placed_at", pa.string()), "placed_at is string, expected timestamp"),
    ],
    ids=[
        "swapped",
        "one-more",
        "one-less",
        "no-op",
        "wider-decimal",
        "double",
        "key-type",
        "op-type",
        "nanoseconds",
        "text-time",
    ],
)
def test_each_difference_is_named(fact, schema, difference):
    (found,) = schema_differences(fact, schema)
    assert difference in found


def test_swapped_columns_of_one_type_stop_before_copy(warehouse, make_contract):
    text = 'grain = "g"\nkey = ["id"]\nscope = ["id"]\n' + "".join(
        f'[columns.{name}]\ntype = "string(9)"\n' for name in ("id", "currency", "total")
    )
    contract = make_contract(text, "pair")
    url = warehouse.put(pa.table({"_op": ["I"], "id": ["1"], "total": ["9"], "currency": ["EUR"]}))
    with pytest.raises(WarehouseLoadError, match="the same columns in another order"):
        warehouse.load_batch(contract, url, rows=1, checked=True)
    assert warehouse.rows("SELECT COUNT(*) FROM gold.pair") == [(0,)]
    assert not [
        request for _, request in warehouse.client.calls if any("COPY" in sql for sql in request.get("Sqls", ()))
    ]


def test_without_the_check_copy_itself_finds_count_and_type(warehouse, fact):
    one_more = warehouse.put(pa.Table.from_pylist([], schema=pa.schema([*FIELDS, ("more", pa.string())])))
    with pytest.raises(WarehouseLoadError, match="Unmatched number of columns between table and file"):
        warehouse.load_batch(fact, one_more, rows=0)
    wider = warehouse.put(pa.Table.from_pylist([], schema=replaced("total", pa.decimal128(29, 9))))
    with pytest.raises(WarehouseLoadError, match="incompatible Parquet schema for column 'total'"):
        warehouse.load_batch(fact, wider, rows=0)


def test_rows_and_sizes_must_add_up(warehouse, fact):
    url = warehouse.put(pa.Table.from_pylist([{"_op": "I"}], schema=pa.schema(FIELDS)))
    reader = ManifestReader(warehouse.filesystem)
    batch = GoldBatch(table="fct_order", batch=1, full=True, manifest_url=url, rows=2)
    with pytest.raises(ChangeFileError, match="1 rows in its files, the gold job counted 2"):
        check_change_set(reader, fact, batch)
    path = url.removeprefix("s3://")
    with warehouse.filesystem.open_input_stream(path) as stream:
        manifest = json.loads(stream.read())
    manifest["entries"][0]["meta"]["content_length"] += 1
    with warehouse.filesystem.open_output_stream(path) as stream:
        stream.write(json.dumps(manifest).encode())
    with pytest.raises(ChangeFileError, match="bytes, the file has"):
        check_change_set(reader, fact, batch)


def test_a_missing_manifest_is_named(warehouse, fact):
    url = f"s3://{warehouse.bucket}/nothing/manifest.json"
    batch = GoldBatch(table="fct_order", batch=1, full=True, manifest_url=url, rows=1)
    with pytest.raises(ChangeFileError, match=r"nothing/manifest\.json cannot be read"):
        check_change_set(ManifestReader(warehouse.filesystem), fact, batch)
