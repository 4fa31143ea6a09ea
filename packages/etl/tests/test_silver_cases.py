"""What bronze may hold besides the plain case: odd files, odd types, lost and repeated pieces."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
from shoplake_core.errors import ContractError, DataError, ResourceError

pytestmark = pytest.mark.spark

WIDE = """
grain = "one row per thing"
key = ["thing_id"]
[columns.thing_id]
type = "uint64"
source_name = "ThingId"
[columns.cutoff]
type = "time"
nullable = true
[columns.small]
type = "uint32"
nullable = true
[columns.born]
type = "date"
nullable = true
[columns.at]
type = "timestamp"
nullable = true
[columns.wall]
type = "datetime"
nullable = true
[columns.flag]
type = "boolean"
nullable = true
[columns.added]
type = "string(10)"
nullable = true
"""
BASE = [
    ("ThingId", pa.uint64()),
    ("cutoff", pa.string()),
    ("small", pa.uint32()),
    ("born", pa.date32()),
    ("at", pa.timestamp("us", "UTC")),
    ("wall", pa.timestamp("us", "UTC")),
    ("flag", pa.int8()),
    ("added", pa.string()),
]


@pytest.fixture
def contract(tools):
    return tools.contract(WIDE, name="things")


@pytest.fixture
def bronze(world):
    return world.bronze("things", pa.schema(BASE))


def with_columns(bronze, **types):
    bronze.columns = pa.schema(
        [(name, types.get(name, kind)) for name, kind in BASE if types.get(name, kind) is not None]
    )


def things(world):
    return {int(row["thing_id"]): row for row in world.rows("things")}


def test_types_of_every_age_and_writer_are_read_unchanged(world, bronze, contract, tools):
    old = datetime(1899, 12, 31, tzinfo=UTC)
    rows = [
        {
            "ThingId": 2**64 - 1,
            "small": 2**32 - 1,
            "born": date(1500, 1, 1),
            "at": old,
            "wall": old,
            "flag": 2,
            "added": "x",
        },
        {"ThingId": 1, "cutoff": "-26:00:01", "flag": 0},
    ]
    bronze.load(rows, with_operation=False)
    with_columns(bronze, ThingId=pa.int32(), cutoff=pa.time32("s"))  # a narrower key, and TIME as Spark refuses it
    bronze.changes([tools.change("I", 1, ThingId=3, cutoff=time(23, 59, 59), born=date(1, 1, 1))])
    with_columns(bronze, ThingId=pa.int64(), wall=pa.timestamp("ns"), small=pa.null())
    bronze.changes([tools.change("I", 2, ThingId=3_000_000_000, wall=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))])
    bronze.put("20261125-010101000.parquet", b"")
    bronze.put("20261125-0101_$folder$", b"")
    summary = world.silver(contract)
    assert (summary.files, summary.read, summary.applied, summary.warnings) == (3, 4, 4, {"skipped_objects": 2})
    session = world.spark.newSession()
    text = session.table(world.run.lake.silver.table("things")).selectExpr(
        *(f"cast({name} as string) as {name}" for name in ("thing_id", "cutoff", "small", "born", "at", "wall", "flag"))
    )
    found = {row["thing_id"]: tuple(row)[1:] for row in text.collect()}
    assert found == {
        str(2**64 - 1): (None, str(2**32 - 1), "1500-01-01", "1899-12-31 00:00:00", "1899-12-31 00:00:00", "true"),
        "1": ("-26:00:01", None, None, None, None, "false"),
        "3": ("23:59:59", None, "0001-01-01", None, None, None),
        "3000000000": (None, None, None, None, "2026-01-02 03:04:05", None),
    }
    types = dict(session.table(world.run.lake.silver.table("things")).dtypes)
    assert (types["thing_id"], types["small"], types["wall"]) == ("decimal(20,0)", "bigint", "timestamp_ntz")


def test_a_nullable_column_may_be_missing_only_before_a_file_that_has_it(world, bronze, contract, tools):
    with_columns(bronze, added=None)
    bronze.load([{"ThingId": 1}])
    with pytest.raises(ContractError, match=r"column added is missing, and no later file has it \(file LOAD00000001"):
        world.silver(contract)
    bronze.columns = pa.schema([*BASE, ("extra", pa.string())])
    bronze.changes([tools.change("I", 1, ThingId=2, added="now", extra="e")])
    summary = world.silver(contract)
    assert summary.warnings == {"unknown_columns": ["extra"], "missing_columns": ["added"]}
    assert {key: row["added"] for key, row in things(world).items()} == {1: None, 2: "now"}


def test_a_type_that_does_not_fit_is_named_with_its_file(world, bronze, contract, tools):
    bronze.load([])
    with_columns(bronze, small=pa.int64(), flag=pa.string())
    name = bronze.changes([tools.change("I", 1, ThingId=1)])
    world.client.put_object(Bucket=world.bucket, Key="x", Body=b"")
    with_columns(bronze, small=pa.decimal128(30, 2), flag=pa.string())
    bronze.changes([tools.change("I", 2, ThingId=1)])
    with pytest.raises(ContractError) as caught:
        world.silver(contract)
    assert "column small holds decimal128(30, 2), which does not fit bigint" in str(caught.value)
    assert f"column flag holds string, which does not fit boolean (file {name})" in str(caught.value)


def test_no_complete_load_is_a_stop(world, contract):
    with pytest.raises(ResourceError, match=r"shop\.things has no complete load"):
        world.silver(contract)


def test_an_edited_load_and_an_edited_change_file_are_stops(world, bronze, contract, tools):
    record = bronze.load([{"ThingId": 1}])
    content = world.run.store.read(f"s3://{world.bucket}/{bronze.folder}{record.files[0].name}")
    bronze.put(record.files[0].name, b"other")
    with pytest.raises(DataError, match="has ETag"):
        world.silver(contract)
    bronze.put(record.files[0].name, content)
    name = bronze.changes([tools.change("I", 1, ThingId=2)])
    world.silver(contract)
    bronze.changes([tools.change("I", 1, ThingId=3)], name=name)
    with pytest.raises(DataError, match="was changed after it was taken"):
        world.silver(contract)


def test_a_change_without_sequence_is_a_stop(world, bronze, contract, tools):
    bronze.load([])
    bronze.changes([{**tools.change("I", 1, ThingId=2), "_sequence": None}])
    with pytest.raises(DataError, match="1 rows of change files without a _sequence"):
        world.silver(contract)


def test_a_late_file_named_before_the_watermark_is_taken(world, bronze, contract, tools):
    bronze.load([])
    bronze.changes([tools.change("I", 2, ThingId=2)], name=bronze.change_name(50))
    world.silver(contract)
    bronze.changes([tools.change("I", 1, ThingId=1)], name=bronze.change_name(10))
    assert world.silver(contract).inserted == 1
    assert things(world).keys() == {1, 2}


def test_more_files_than_one_listing_page_are_all_taken_once(world, bronze, contract, tools):
    bronze.load([])
    content = bronze.arrow([tools.change("I", 7, ThingId=7)])
    import io

    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(content, buffer)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: bronze.put(bronze.change_name(n), buffer.getvalue()), range(1005)))
    first, second = world.silver(contract), world.silver(contract)
    assert (first.files, first.applied, first.redelivered, second.files) == (1005, 1, 1004, 0)


def test_an_emptied_and_reloaded_table_loses_its_ghosts(world, bronze, contract):
    bronze.load([{"ThingId": 1}, {"ThingId": 2}])
    world.silver(contract)
    bronze.load([])
    summary = world.silver(contract)
    assert (summary.files, summary.ghosts, world.rows("things")) == (0, 2, [])


def test_on_dms_the_commit_time_decides_the_epoch_and_a_late_load_row_loses(world, bronze, contract, tools):
    """DMS-08: the load's time is later than a change that was made while it ran."""
    bronze.load([{"ThingId": 9, "added": "load"}], engine="dms", floor="")
    start = datetime.fromisoformat(tools.started_at(1))
    assert start.minute == 1
    bronze.changes([tools.change("U", 1, committed_at="2026-11-25 00:00:30.000000", ThingId=9, added="change")])
    world.silver(contract)
    assert things(world)[9]["added"] == "change"


def test_two_tables_in_one_application_keep_their_own_records(world, tools):
    from shoplake_etl.applications import bronze_to_silver
    from shoplake_etl.batches import newest_batch
    from shoplake_etl.tables import IcebergTable

    text = 'grain = "g"\nkey = ["id"]\n[columns.id]\ntype = "int64"\n'
    names = [f"race_{n}" for n in range(4)]
    contracts = {name: tools.contract(text, name=name) for name in names}
    folders = {name: world.bronze(name, pa.schema([("id", pa.int64())])) for name in names}
    for bronze in folders.values():
        bronze.load([{"id": 1}])
    for round_ in (1, 2):
        summary = bronze_to_silver(world.spark, world.run, contracts)
        assert not summary.failed, summary.to_json()
        for name in names:
            batch = newest_batch(
                IcebergTable(world.spark.newSession(), world.run.lake.silver.table(name)).ancestors(), table=name
            )
            assert (batch.number, f"/_consumed/{name}/" in batch.consumed) == (round_, True)
        for bronze in folders.values():
            bronze.changes([tools.change("I", round_, id=round_ + 1)])


@pytest.mark.parametrize("partitions", [1, 8, 200])
def test_equal_times_give_the_same_silver_for_any_number_of_partitions(world, tools, contract, bronze, partitions):
    """DMS-02, SPK-08: all changes of a key carry one commit time; `_sequence` alone tells them apart."""
    from shoplake_etl.silver import build_silver_table

    bronze.load([])
    changes = [
        tools.change("I" if n == 0 else "U", k * 5 + n, ThingId=k, added=str(n)) for k in range(200) for n in range(5)
    ]
    bronze.changes(changes[::-1])
    session = world.spark.newSession()
    session.conf.set("spark.sql.shuffle.partitions", str(partitions))
    build_silver_table(session, world.run, contract)
    assert {row["added"] for row in world.rows("things")} == {"4"}
    assert len(world.rows("things")) == 200


def test_money_is_exact(world, tools):
    text = 'grain = "g"\nkey = ["id"]\n[columns.id]\ntype = "int64"\n[columns.total]\ntype = "decimal(12,2)"\n'
    bronze = world.bronze("money", pa.schema([("id", pa.int32()), ("total", pa.decimal128(10, 1))]))
    bronze.load([{"id": 1, "total": Decimal("123456789.1")}])
    world.silver(tools.contract(text, name="money"))
    assert world.rows("money")[0]["total"] == Decimal("123456789.10")
