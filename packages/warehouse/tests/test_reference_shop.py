"""Every gold model of the reference shop has a place in the warehouse, and its change files fit it."""

from pathlib import Path

import pyarrow as pa
import pytest
from shoplake_core.logical_types import Kind, LogicalType
from shoplake_core.project import project_from_folder
from shoplake_warehouse.loading import GoldBatch

SHOP = Path(__file__).parents[3] / "shop"
GOLD = project_from_folder(SHOP).gold


def spark_type(kind: LogicalType) -> pa.DataType:
    """What Spark writes for a stored column, written down apart from the package's own map."""
    if kind.kind in {Kind.INT8, Kind.INT16, Kind.INT32, Kind.UINT8, Kind.UINT16}:
        return pa.int32()
    if kind.kind in {Kind.INT64, Kind.UINT32}:
        return pa.int64()
    if kind.kind is Kind.UINT64:
        return pa.decimal128(20, 0)
    if kind.kind is Kind.DECIMAL:
        return pa.decimal128(kind.precision, kind.scale)
    if kind.is_text:
        return pa.string()
    return {
        Kind.FLOAT64: pa.float64(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.DATE: pa.date32(),
        Kind.DATETIME: pa.timestamp("us"),
        Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    }[kind.kind]


def test_the_shop_has_gold_models():
    assert len(GOLD) >= 3


def test_every_model_is_prepared_and_loaded(warehouse):
    offered = []
    for contract in GOLD.values():
        schema = pa.schema([("_op", pa.string()), *((c.name, spark_type(c.stored_type)) for c in contract.columns)])
        url = warehouse.put(schema.empty_table())
        offered.append((contract, [GoldBatch(table=contract.name, batch=1, full=True, manifest_url=url, rows=0)]))
    loaded = warehouse.load_all(offered, checked=True)
    assert {name: table.batch for name, table in loaded.items()} == dict.fromkeys(GOLD, 1)


@pytest.mark.parametrize("name", GOLD)
def test_distribution_and_sort_keys_are_columns(name):
    contract = GOLD[name]
    assert {contract.distribution_key, *contract.sort_key} - {""} <= set(contract.column_names)
