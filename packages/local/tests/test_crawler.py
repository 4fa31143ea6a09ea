"""Bronze to catalogue: one table a root, columns by union, nothing merged, nothing guessed."""

import io
import uuid
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shoplake_core.errors import ResourceError
from shoplake_engines.object_store_aws import create_buckets
from shoplake_local.crawler import Outcome, crawl
from shoplake_local.crawler.bronze_listing import Skipped, sorted_files
from shoplake_local.crawler.columns import joined_columns
from shoplake_local.crawler.glue_types import glue_type, wider_type


class Bronze:
    """A bucket and a catalogue database of the test's own."""

    def __init__(self, local_aws):
        self.aws = local_aws
        self.bucket = f"bronze-{uuid.uuid4().hex[:10]}"
        self.database = f"b_{uuid.uuid4().hex[:10]}"
        self.s3 = local_aws.client("s3")
        self.glue = local_aws.client("glue")
        create_buckets(local_aws.object_store, [self.bucket])

    def put(self, key, /, **columns):
        table = pa.table(
            {name: values if isinstance(values, pa.Array) else pa.array(values) for name, values in columns.items()}
        )
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        self.put_bytes(key, buffer.getvalue())

    def put_bytes(self, key, body=b""):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def crawl(self):
        return crawl(
            object_store=self.aws.object_store, aws=self.aws.endpoint, bucket=self.bucket, database=self.database
        )

    def columns(self, name):
        table = self.glue.get_table(DatabaseName=self.database, Name=name)["Table"]
        return {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}

    def tables(self):
        return [table["Name"] for table in self.glue.get_tables(DatabaseName=self.database)["TableList"]]


@pytest.fixture
def bronze(local_aws):
    return Bronze(local_aws)


def test_similar_tables_stay_two_tables(bronze):
    """CAT-01."""
    for table in ("orders", "orders_archive"):
        bronze.put(f"shop/{table}/LOAD00000001.parquet", Op=["I"], id=[1], total=[2.5])
    assert bronze.crawl().of(Outcome.CREATED) == ("shop__orders", "shop__orders_archive")
    assert bronze.tables() == ["shop__orders", "shop__orders_archive"]
    found = bronze.glue.get_table(DatabaseName=bronze.database, Name="shop__orders")["Table"]
    assert found["StorageDescriptor"]["Location"] == f"s3://{bronze.bucket}/shop/orders/"
    assert found["Parameters"]["classification"] == "parquet"
    assert bronze.columns("shop__orders") == {"op": "string", "id": "bigint", "total": "double"}


def test_day_folders_with_different_columns_are_one_table(bronze):
    """CAT-02."""
    bronze.put("shop/orders/2026/01/01/20260101-000000000.parquet", id=[1], a=["x"])
    bronze.put("shop/orders/2026/01/02/20260102-000000000.parquet", key=[1], b=["x"])
    assert bronze.crawl().of(Outcome.CREATED) == ("shop__orders",)
    assert bronze.columns("shop__orders") == {"id": "bigint", "a": "string", "key": "bigint", "b": "string"}


def test_mixed_case_columns_have_one_lower_case_name(bronze):
    """CAT-05."""
    bronze.put("Shop/Orders/LOAD00000001.parquet", OrderTotal=[1])
    bronze.put("Shop/Orders/20260101-000000000.parquet", ordertotal=[1])
    bronze.crawl()
    assert bronze.columns("shop__orders") == {"ordertotal": "bigint"}


def test_columns_that_differ_only_in_case_are_a_fault(bronze):
    bronze.put("shop/orders/LOAD00000001.parquet", Total=[1], total=[1])
    report = bronze.crawl()
    assert report.of(Outcome.FAILED) == ("shop__orders",)
    assert '"Total" and "total"' in report.faults[0]
    assert bronze.tables() == []


def test_empty_objects_and_markers_are_skipped_and_counted(bronze):
    """DMS-09."""
    bronze.put("shop/orders/LOAD00000001.parquet", id=[1])
    bronze.put("shop/orders/20240105-101500000.parquet", id=[2], later=[1])
    bronze.put_bytes("shop/orders/20240105-101501000.parquet")
    bronze.put_bytes("shop/orders/orders_$folder$")
    bronze.put_bytes("shop/orders/_SUCCESS")
    bronze.put_bytes("shop/orders_$folder$")
    report = bronze.crawl()
    assert report.of(Outcome.CREATED) == ("shop__orders",)
    assert report.tables[0].new_files == 2
    assert report.skipped == Skipped(empty=1, folder_markers=1, other=1)
    assert bronze.columns("shop__orders") == {"id": "bigint", "later": "bigint"}


def test_our_own_records_are_no_table(bronze):
    bronze.put("shoplake/marker/LOAD00000001.parquet", id=[1])
    bronze.put_bytes("_shoplake/epochs/shop/orders/20260101000000000000.json", b"{}")
    assert [table.name for table in bronze.crawl().tables] == ["shoplake__marker"]


def test_the_next_crawl_reads_only_what_is_new(bronze):
    bronze.put("shop/orders/LOAD00000001.parquet", id=[1])
    bronze.put("shop/orders/20260101-000000000.parquet", id=[1])
    assert bronze.crawl().tables[0].new_files == 2
    again = bronze.crawl().tables[0]
    assert (again.outcome, again.new_files) == (Outcome.UNCHANGED, 0)
    bronze.put("shop/orders/20260101-000001000.parquet", id=[1], note=["x"])
    bronze.put("shop/orders/LOAD00000002.parquet", id=[1])
    bronze.put("shop/customers/LOAD00000001.parquet", id=[1])
    report = bronze.crawl()
    assert report.of(Outcome.CREATED) == ("shop__customers",)
    orders = report.tables[1]
    assert (orders.outcome, orders.new_files, orders.added_columns) == (Outcome.UPDATED, 2, ("note",))
    assert bronze.columns("shop__orders") == {"id": "bigint", "note": "string"}


def test_a_type_that_grew_is_widened(bronze):
    bronze.put(
        "shop/orders/LOAD00000001.parquet",
        id=pa.array([1], pa.int32()),
        total=pa.array([Decimal("1.50")], pa.decimal128(8, 2)),
    )
    bronze.crawl()
    bronze.put(
        "shop/orders/20260101-000000000.parquet",
        id=pa.array([1], pa.int64()),
        total=pa.array([Decimal("1.5000")], pa.decimal128(10, 4)),
    )
    report = bronze.crawl()
    assert report.tables[0].widened_columns == ("id: int -> bigint", "total: decimal(8,2) -> decimal(10,4)")
    assert bronze.columns("shop__orders") == {"id": "bigint", "total": "decimal(10,4)"}


def test_a_type_change_without_a_common_type_is_reported_until_it_is_mended(bronze):
    bronze.put("shop/orders/LOAD00000001.parquet", id=[1], total=["1.50"])
    bronze.put("shop/customers/LOAD00000001.parquet", id=[1])
    bronze.crawl()
    bronze.put("shop/orders/20260101-000000000.parquet", id=[1], total=[1.5], new=[1])
    bronze.put("shop/customers/20260101-000000000.parquet", id=[1], new=[1])
    for _ in range(2):
        report = bronze.crawl()
        assert report.of(Outcome.FAILED) == ("shop__orders",)
        assert 'column "total" has type double, the table so far string' in report.faults[0]
    assert bronze.columns("shop__orders") == {"id": "bigint", "total": "string"}
    assert bronze.columns("shop__customers") == {"id": "bigint", "new": "bigint"}


def test_a_file_that_is_no_parquet_is_reported(bronze):
    bronze.put_bytes("shop/orders/LOAD00000001.parquet", b"id,total\n1,2\n" * 50)
    report = bronze.crawl()
    assert report.of(Outcome.FAILED) == ("shop__orders",)
    assert "LOAD00000001.parquet is no readable parquet file" in report.faults[0]


def test_two_roots_with_one_catalogue_name_are_reported(bronze):
    bronze.put("shop/orders/LOAD00000001.parquet", id=[1])
    bronze.put("Shop/Orders/LOAD00000001.parquet", id=[1])
    report = bronze.crawl()
    assert [table.outcome for table in report.tables] == [Outcome.CREATED, Outcome.FAILED]


def test_a_table_of_that_name_elsewhere_is_left_alone(bronze):
    bronze.glue.create_database(DatabaseInput={"Name": bronze.database})
    definition = {"Name": "shop__orders", "StorageDescriptor": {"Location": "s3://elsewhere/", "Columns": []}}
    bronze.glue.create_table(DatabaseName=bronze.database, TableInput=definition)
    bronze.put("shop/orders/LOAD00000001.parquet", id=[1])
    assert "s3://elsewhere/" in bronze.crawl().faults[0]


def test_a_missing_bucket_is_named(bronze):
    bronze.bucket = "no-such-bucket"
    with pytest.raises(ResourceError, match="no-such-bucket"):
        bronze.crawl()


def test_racing_crawls_lose_no_column(bronze):
    from concurrent.futures import ThreadPoolExecutor

    bronze.put("shop/orders/LOAD00000001.parquet", id=[1])
    bronze.crawl()
    for number in range(8):
        bronze.put(f"shop/orders/20260101-00000{number}000.parquet", **{f"c{number}": [1]})
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda _: bronze.crawl(), range(3)))
    assert [report.faults for report in reports] == [(), (), ()]
    assert set(bronze.columns("shop__orders")) == {"id", *(f"c{number}" for number in range(8))}


@pytest.mark.parametrize(
    ("arrow", "expected"),
    [
        (pa.int8(), "tinyint"),
        (pa.uint8(), "smallint"),
        (pa.uint32(), "bigint"),
        (pa.uint64(), "decimal(20,0)"),
        (pa.float64(), "double"),
        (pa.decimal128(12, 2), "decimal(12,2)"),
        (pa.timestamp("us", "UTC"), "timestamp"),
        (pa.date32(), "date"),
        (pa.binary(4), "binary"),
        (pa.list_(pa.int32()), "array<int>"),
        (pa.struct([("a", pa.int32()), ("b", pa.string())]), "struct<a:int,b:string>"),
        (pa.time32("s"), None),
        (pa.struct([("a", pa.time64("us"))]), None),
    ],
    ids=str,
)
def test_glue_types(arrow, expected):
    assert glue_type(arrow) == expected


TYPES = st.one_of(
    st.sampled_from(
        ["boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "string", "binary", "date", "timestamp"]
    ),
    st.integers(1, 38).flatmap(lambda p: st.integers(0, p).map(lambda s: f"decimal({p},{s})")),
)
INTEGERS = {"tinyint": 2**7, "smallint": 2**15, "int": 2**31, "bigint": 2**63}


def _holds(kind, value):
    """Whether a column of that type holds that number exactly: the oracle."""
    if kind in INTEGERS:
        return value == int(value) and -INTEGERS[kind] <= value < INTEGERS[kind]
    if kind in {"float", "double"}:
        return abs(value) <= 2 ** (24 if kind == "float" else 53) and value == int(value)
    precision, scale = map(int, kind[8:-1].split(","))
    scaled = value * 10**scale
    return scaled == int(scaled) and abs(scaled) < 10**precision


@given(TYPES, TYPES)
def test_the_wider_type_is_symmetric_and_holds_the_extremes_of_both(first, second):
    wider = wider_type(first, second)
    assert wider == wider_type(second, first)
    if first == second:
        assert wider == first
    if wider is None or wider in {"boolean", "string", "binary", "date", "timestamp"}:
        return
    for kind in (first, second):
        if kind in INTEGERS:
            assert _holds(wider, Fraction(-INTEGERS[kind]))
            assert _holds(wider, Fraction(INTEGERS[kind] - 1))
        elif kind.startswith("decimal"):
            precision, scale = map(int, kind[8:-1].split(","))
            assert _holds(wider, Fraction(10**precision - 1, 10**scale))


@given(st.lists(TYPES, min_size=1, max_size=6))
def test_known_columns_keep_their_places(kinds):
    known = {f"c{number}": kind for number, kind in enumerate(kinds)}
    union = joined_columns(known, {"f": pa.schema([("new", pa.int8()), ("Op", pa.string())])})
    assert list(union.columns) == [*known, "new", "op"]
    assert union.added == ("new", "op")


@given(
    st.sets(
        st.sampled_from(
            [
                "LOAD00000001.parquet",
                "LOAD0000000A.parquet",
                "20260101-000000000.parquet",
                "20260101-000000001.parquet",
                "20270101-000000000.parquet",
            ]
        )
    ),
    st.data(),
)
def test_no_file_is_read_twice_or_passed_over(names, data):
    """Files that arrive in the order of their names, seen in two crawls, are read once each, whatever the cut."""
    loads = sorted(n for n in names if n.startswith("LOAD"))
    changes = sorted(names - set(loads))
    first = [*loads[: data.draw(st.integers(0, len(loads)))], *changes[: data.draw(st.integers(0, len(changes)))]]
    one = sorted_files([(n, 1) for n in sorted(first)], newest_load="", newest_change="")
    two = sorted_files([(n, 1) for n in sorted(names)], newest_load=one.newest_load, newest_change=one.newest_change)
    assert sorted([*one.names, *two.names]) == sorted(names)
