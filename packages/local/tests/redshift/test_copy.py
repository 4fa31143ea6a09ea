"""COPY of parquet: by position, count and type, exact, and nothing at all where anything is wrong."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

COLUMNS = {
    "a": ("SMALLINT", pa.int16(), [-(2**15), None]),
    "b": ("INTEGER", pa.int32(), [2**31 - 1, None]),
    "c": ("BIGINT", pa.int64(), [-(2**63), None]),
    "d": ("NUMERIC(20,0)", pa.decimal128(20, 0), [Decimal(2**64 - 1), None]),
    "e": ("NUMERIC(38,10)", pa.decimal128(38, 10), [Decimal("1234567890123456789012345678.0123456789"), None]),
    "f": ("DOUBLE PRECISION", pa.float64(), [0.1 + 0.2, None]),
    "g": ("REAL", pa.float32(), [0.5, None]),
    "h": ("BOOLEAN", pa.bool_(), [True, None]),
    "i": ("DATE", pa.date32(), [date(1, 1, 1), None]),
    "j": ("TIMESTAMP", pa.timestamp("us", tz="UTC"), [datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC), None]),
    "k": ("TIMESTAMP", pa.timestamp("us"), [datetime(1969, 12, 31, 23, 59, 59, 1), None]),  # noqa: DTZ001 - no zone
    "l": ("TIMESTAMP", pa.timestamp("ms"), [datetime(2024, 1, 1, 0, 0, 0, 5000), None]),  # noqa: DTZ001 - no zone
    "m": ("TIMESTAMPTZ", pa.timestamp("us", tz="UTC"), [datetime(2024, 1, 1, tzinfo=UTC), None]),
    "n": ("VARCHAR(200)", pa.string(), ["", None]),
    "o": ("VARCHAR(200)", pa.string(), ['a"b\\.\n\r,\t; NULL \\N \U0001f600', None]),
    "p": ("CHAR(3)", pa.string(), ["abc", None]),
    "q": ("VARBYTE(10)", pa.binary(), [b"\x00\xff", None]),
    "r": ("VARCHAR(28)", pa.string(), ["Καλημέρα κόσμε!", None]),
}


def test_every_type_arrives_exactly(warehouse):
    warehouse.ok(f"CREATE TABLE types ({', '.join(f'{name} {spec[0]}' for name, spec in COLUMNS.items())})")
    table = pa.table({name: pa.array(values, kind) for name, (_, kind, values) in COLUMNS.items()})
    described = warehouse.run(warehouse.copy("types", warehouse.put([table])))
    assert (described["Status"], described["ResultRows"]) == ("FINISHED", 2), described
    full, empty = warehouse.rows("SELECT * FROM types ORDER BY a")
    assert empty == (None,) * len(COLUMNS)
    assert full == (
        -(2**15),
        2**31 - 1,
        -(2**63),
        "18446744073709551615",
        "1234567890123456789012345678.0123456789",
        0.1 + 0.2,
        0.5,
        True,
        "0001-01-01",
        "2024-02-29 23:59:59.999999",
        "1969-12-31 23:59:59.000001",
        "2024-01-01 00:00:00.005",
        "2024-01-01 00:00:00+00",
        "",
        'a"b\\.\n\r,\t; NULL \\N \U0001f600',
        "abc",
        "\\x00ff",
        "Καλημέρα κόσμε!",
    )


@pytest.fixture
def pairs(warehouse):
    warehouse.ok("DROP TABLE IF EXISTS pairs", "CREATE TABLE pairs (id INTEGER, currency VARCHAR(3), total VARCHAR(9))")
    return warehouse


def pair_table(**columns):
    kinds = {"id": pa.int32(), "currency": pa.string(), "total": pa.string()}
    return pa.table({name: pa.array(values, kinds.get(name, pa.string())) for name, values in columns.items()})


def test_columns_match_by_position_and_never_by_name(pairs):
    swapped = pair_table(id=[1], total=["9.99"[:3]], currency=["EUR"])
    pairs.ok(pairs.copy("pairs", pairs.put([swapped])))
    assert pairs.rows("SELECT * FROM pairs") == [(1, "9.9", "EUR")]


def test_a_column_list_matches_by_its_order(pairs):
    pairs.ok(pairs.copy("pairs (total, id)", pairs.put([pa.table({"x": ["1.00"], "y": pa.array([7], pa.int32())})])))
    assert pairs.rows("SELECT id, currency, total FROM pairs") == [(7, None, "1.00")]


def test_another_count_of_columns_is_refused(pairs):
    error = pairs.error(pairs.copy("pairs", pairs.put([pair_table(id=[1], currency=["EUR"], total=["1"], more=["x"])])))
    assert "Unmatched number of columns between table and file. Table columns: 3, Data columns: 4" in error


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("NUMERIC(18,9)", pa.decimal128(29, 9)),
        ("NUMERIC(18,2)", pa.decimal128(18, 4)),
        ("BIGINT", pa.int32()),
        ("INTEGER", pa.int64()),
        ("NUMERIC(20,0)", pa.uint64()),
        ("VARCHAR(20)", pa.int32()),
        ("DATE", pa.string()),
        ("TIMESTAMP", pa.date32()),
        ("TIMESTAMP", pa.timestamp("ns")),
        ("DOUBLE PRECISION", pa.float32()),
        ("BOOLEAN", pa.int32()),
        ("VARCHAR(20)", pa.list_(pa.string())),
    ],
    ids=str,
)
def test_another_type_is_refused(warehouse, target, kind):
    warehouse.ok("DROP TABLE IF EXISTS one", f"CREATE TABLE one (a {target})")
    error = warehouse.error(warehouse.copy("one", warehouse.put([pa.table({"a": pa.array([None], kind)})])))
    assert "has an incompatible Parquet schema for column 'a'" in error
    assert warehouse.value("SELECT COUNT(*) FROM one") == 0


def test_varchar_counts_bytes_in_copy(pairs):
    error = pairs.error(pairs.copy("pairs", pairs.put([pair_table(id=[1], currency=["€€"], total=["1"])])))
    assert "The length of the data column currency is longer than the length defined in the table" in error
    assert "Table: 3, Data: 6" in error


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO pairs VALUES (1, '€€', '1')",
        "INSERT INTO pairs SELECT 1, '€€', '1'",
        "UPDATE pairs SET currency = '€€'",
        (
            "MERGE INTO pairs USING pairs_source ON pairs.id = pairs_source.id "
            "WHEN MATCHED THEN UPDATE SET currency = pairs_source.currency "
            "WHEN NOT MATCHED THEN INSERT (id, currency) VALUES (pairs_source.id, pairs_source.currency)"
        ),
    ],
    ids=["values", "select", "update", "merge"],
)
def test_varchar_counts_bytes_in_every_write(pairs, sql):
    pairs.ok(
        "INSERT INTO pairs VALUES (1, '€', '1')",
        "DROP TABLE IF EXISTS pairs_source",
        "CREATE TABLE pairs_source (id INTEGER, currency VARCHAR(9))",
        "INSERT INTO pairs_source VALUES (1, '€€')",
    )
    assert "Value too long for character type" in pairs.error(sql)


def test_copying_twice_doubles_the_rows_despite_a_primary_key(warehouse):
    warehouse.ok("CREATE TABLE keyed (id INTEGER, PRIMARY KEY (id)) DISTSTYLE KEY DISTKEY (id) SORTKEY (id)")
    url = warehouse.put([pa.table({"id": pa.array([1, 2], pa.int32())})])
    warehouse.ok(warehouse.copy("keyed", url), warehouse.copy("keyed", url))
    assert warehouse.value("SELECT COUNT(*) FROM keyed") == 4
    assert "null value" in warehouse.error("INSERT INTO keyed VALUES (NULL)")


def test_several_files_and_none(pairs):
    files = [pair_table(id=[n], currency=["EUR"], total=[str(n)]) for n in range(3)]
    empty = pair_table(id=[], currency=[], total=[])
    pairs.ok(pairs.copy("pairs", pairs.put([*files, empty])))
    assert pairs.value("SELECT SUM(id) FROM pairs") == 3


def test_content_length_is_checked(pairs):
    table = pair_table(id=[1], currency=["EUR"], total=["1"])
    error = pairs.error(pairs.copy("pairs", pairs.put([table], sizes=lambda size: size + 1)))
    assert "the manifest says" in error
    error = pairs.error(pairs.copy("pairs", pairs.put([table], sizes=lambda size: None)))
    assert "meta.content_length is needed" in error


def test_a_missing_manifest_or_table_is_named(pairs):
    assert "does not exist" in pairs.error(pairs.copy("pairs", f"s3://{pairs.bucket}/nothing/manifest.json"))
    url = pairs.put([pair_table(id=[1], currency=["EUR"], total=["1"])])
    assert 'relation "gold.nothing" does not exist' in pairs.error(pairs.copy("gold.nothing", url))


def test_a_prefix_without_manifest_takes_every_file(pairs):
    url = pairs.put([pair_table(id=[n], currency=["EUR"], total=["1"]) for n in (1, 2)])
    prefix = url.removesuffix("manifest.json") + "part-"
    pairs.ok(pairs.copy("pairs", prefix).removesuffix(" MANIFEST"))
    assert pairs.value("SELECT COUNT(*) FROM pairs") == 2


def test_one_bad_file_loads_nothing(pairs):
    good = pair_table(id=[1], currency=["EUR"], total=["1"])
    bad = pair_table(id=[2], currency=["EURO"], total=["1"])
    pairs.error(pairs.copy("pairs", pairs.put([good, bad])))
    assert pairs.value("SELECT COUNT(*) FROM pairs") == 0


def test_int96_timestamps_arrive_whatever_the_year(warehouse):
    warehouse.ok("CREATE TABLE old_times (t TIMESTAMP)")
    times = [datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]
    table = pa.table({"t": pa.array(times, pa.timestamp("us", tz="UTC"))})
    url = warehouse.put([table], use_deprecated_int96_timestamps=True)
    warehouse.ok(warehouse.copy("old_times", url))
    assert warehouse.rows("SELECT t FROM old_times ORDER BY t") == [
        ("0001-01-01 00:00:00.000001",),
        ("9999-12-31 23:59:59.999999",),
    ]


ROWS = st.lists(
    st.tuples(
        st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.decimals(min_value=-(10**27), max_value=10**27, places=10, allow_nan=False),
        st.none() | st.datetimes(),
        st.none() | st.integers(-(2**63), 2**63 - 1),
    ),
    min_size=1,
    max_size=60,
)
KINDS = [pa.string(), pa.float64(), pa.decimal128(38, 10), pa.timestamp("us"), pa.int64()]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_any_value_arrives_exactly(warehouse, rows):
    warehouse.ok(
        "DROP TABLE IF EXISTS anything",
        "CREATE TABLE anything (n BIGINT, s VARCHAR(48), f FLOAT8, d NUMERIC(38,10), t TIMESTAMP, i BIGINT)",
    )
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), KINDS, strict=True)]
    table = pa.table([pa.array(range(len(rows)), pa.int64()), *columns], names=list("nsfdti"))
    warehouse.ok(warehouse.copy("anything", warehouse.put([table])))
    found = warehouse.rows("SELECT s, f, d, t, i FROM anything ORDER BY n")
    read = [
        (s, f, None if d is None else Decimal(d), None if t is None else datetime.fromisoformat(t), i)
        for s, f, d, t, i in found
    ]
    assert read == rows
