"""One type map: what the DDL says, what a change file holds and what COPY takes agree for every contract type."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from shoplake_core.errors import ContractError
from shoplake_core.logical_types import Kind, parse_logical_type
from shoplake_warehouse.change_files_aws import arrow_type_matches
from shoplake_warehouse.redshift_types import column_type, redshift_type

# contract type -> Redshift type, the file's Arrow type as Spark writes it, a hard value
TYPES = {
    "int8": ("INTEGER", pa.int32(), -128),
    "int16": ("INTEGER", pa.int32(), -(2**15)),
    "int32": ("INTEGER", pa.int32(), -(2**31)),
    "int64": ("BIGINT", pa.int64(), -(2**63)),
    "uint8": ("INTEGER", pa.int32(), 255),
    "uint16": ("INTEGER", pa.int32(), 65535),
    "uint32": ("BIGINT", pa.int64(), 2**32 - 1),
    "uint64": ("NUMERIC(20,0)", pa.decimal128(20, 0), Decimal(2**64 - 1)),
    "decimal(12,2)": ("NUMERIC(12,2)", pa.decimal128(12, 2), Decimal("-9999999999.99")),
    "decimal(38,10)": ("NUMERIC(38,10)", pa.decimal128(38, 10), Decimal("1234567890123456789012345678.0123456789")),
    "float64": ("DOUBLE PRECISION", pa.float64(), 0.1),
    "boolean": ("BOOLEAN", pa.bool_(), True),
    "string(15)": ("VARCHAR(60)", pa.string(), "Καλημέρα κόσμε!"),
    "string(20000)": ("VARCHAR(65535)", pa.string(), "x" * 20000),
    "text": ("VARCHAR(65535)", pa.string(), "\U0001f600" * 16_000),
    "json": ("VARCHAR(65535)", pa.string(), '{"a": null}'),
    "time": ("VARCHAR(64)", pa.string(), "-838:59:59.000000"),
    "date": ("DATE", pa.date32(), date(2024, 2, 29)),
    "datetime": ("TIMESTAMP", pa.timestamp("us"), datetime(2024, 3, 31, 2, 30, 0, 1, tzinfo=UTC).replace(tzinfo=None)),
    "timestamp": ("TIMESTAMP", pa.timestamp("us", tz="UTC"), datetime(2024, 3, 31, 1, 30, 0, 1, tzinfo=UTC)),
}


def test_every_kind_but_binary_is_covered():
    assert {parse_logical_type(name).kind for name in TYPES} == set(Kind) - {Kind.BINARY}


@pytest.mark.parametrize(("name", "expected", "arrow"), [(n, t[0], t[1]) for n, t in TYPES.items()], ids=TYPES.keys())
def test_the_ddl_type_and_the_file_type_come_from_one_map(name, expected, arrow):
    kind = parse_logical_type(name)
    assert redshift_type(kind) == expected
    assert arrow_type_matches(kind, arrow)
    others = {str(other[1]): other[1] for other in TYPES.values()}
    same = {"timestamp[us]", "timestamp[us, tz=UTC]"}
    for other_name, other in others.items():
        if other_name != str(arrow) and not {other_name, str(arrow)} <= same:
            assert not arrow_type_matches(kind, other), other_name


def test_binary_is_refused_with_the_way_out():
    with pytest.raises(ContractError, match="no column type for binary"):
        redshift_type(parse_logical_type("binary"))


def test_a_masked_column_is_64_hex_digits_whatever_it_was(make_contract):
    text = """
grain = "one row"
key = ["id"]
scope = ["id"]
[columns.id]
type = "int64"
[columns.email]
type = "string(255)"
pii = "email"
[columns.born]
type = "date"
pii = "birth_date"
"""
    contract = make_contract(text, "dim_customer")
    assert [column_type(column) for column in contract.columns] == ["BIGINT", "VARCHAR(64)", "VARCHAR(64)"]


def test_every_type_reaches_the_warehouse_exactly(warehouse, make_contract):
    columns = {f"c{number}": name for number, name in enumerate(TYPES)}
    lines = ['grain = "one row per id"', 'key = ["id"]', 'scope = ["id"]', "[columns.id]", 'type = "int64"']
    for column, name in columns.items():
        lines += [f"[columns.{column}]", f'type = "{name}"', "nullable = true"]
    contract = make_contract("\n".join(lines), "wide")
    schema = pa.schema(
        [("_op", pa.string()), ("id", pa.int64()), *((column, TYPES[name][1]) for column, name in columns.items())]
    )
    values = {column: TYPES[name][2] for column, name in columns.items()}
    rows = [{"_op": "I", "id": 1} | values, {"_op": "I", "id": 2}]
    url = warehouse.put(pa.Table.from_pylist(rows, schema=schema))
    warehouse.load_batch(contract, url, rows=2, checked=True)
    full, empty = warehouse.rows("SELECT * FROM gold.wide ORDER BY id")
    expected = [v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in values.values()]
    assert list(full) == [1, *expected]
    assert list(empty) == [2, *([None] * len(columns))]
