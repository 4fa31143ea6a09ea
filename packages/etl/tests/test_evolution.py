"""Contracts change while their tables live: silver and gold follow in place, or say why they cannot."""

import random

import pyarrow as pa
import pytest
from pyspark.sql import types as t
from shoplake_core.errors import ContractError
from shoplake_etl.evolution import schema_changes
from test_gold import COLUMNS as GOLD_BRONZE
from test_gold import FILES, GoldWorld, order


def fields(**types):
    return t.StructType([t.StructField(name, kind) for name, kind in types.items()])


def test_equal_columns_in_any_case_and_order_need_no_change():
    found, wanted = fields(Id=t.LongType(), note=t.StringType()), fields(note=t.StringType(), id=t.LongType())
    assert schema_changes(found, wanted, table="t").statements("t") == ()


def test_new_wider_and_unwanted_columns_are_added_widened_and_dropped():
    found = fields(id=t.IntegerType(), price=t.DecimalType(8, 2), old=t.StringType())
    wanted = fields(id=t.LongType(), price=t.DecimalType(12, 2), channel=t.StringType())
    assert schema_changes(found, wanted, table="t").statements("t") == (
        "alter table t add columns (`channel` string)",
        "alter table t alter column `id` type bigint",
        "alter table t alter column `price` type decimal(12,2)",
        "alter table t drop columns (`old`)",
    )


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (t.LongType(), t.IntegerType()),
        (t.StringType(), t.DateType()),
        (t.DecimalType(12, 2), t.DecimalType(12, 3)),
        (t.DecimalType(12, 2), t.DecimalType(8, 2)),
        (t.TimestampNTZType(), t.TimestampType()),
    ],
    ids=str,
)
def test_a_type_that_cannot_follow_is_refused_with_both_types(found, wanted):
    with pytest.raises(
        ContractError, match=rf"v is {found.simpleString().replace('(', '.').replace(')', '.')}.*"
    ) as caught:
        schema_changes(fields(v=found), fields(v=wanted), table="dev_silver.orders")
    assert wanted.simpleString() in caught.value.message
    assert "reload" in caught.value.hint


def test_a_new_key_column_is_refused():
    with pytest.raises(ContractError, match="key column line is not in the table"):
        schema_changes(
            fields(id=t.LongType()), fields(id=t.LongType(), line=t.LongType()), table="t", key=("id", "line")
        )


SILVER = """
grain = "one row per order"
key = ["order_id"]
[columns.order_id]
type = "int32"
[columns.note]
type = "text"
nullable = true
"""
WIDER = SILVER.replace("int32", "int64") + '[columns.channel]\ntype = "string(20)"\nnullable = true\n'


@pytest.mark.spark
def test_silver_follows_its_contract_and_keeps_its_rows(world, tools):
    bronze = world.bronze("orders", pa.schema([("order_id", pa.int32()), ("note", pa.string())]))
    bronze.load([{"order_id": 1, "note": "a"}, {"order_id": 2, "note": "b"}])
    first = world.silver(tools.contract(SILVER))
    recorded = world.silver(tools.contract(WIDER))
    assert (first.batch, recorded.batch, recorded.read) == (1, 2, 0), "readers at the newest batch see the new columns"
    assert world.silver(tools.contract(WIDER)).batch == 2
    assert {r["order_id"]: r["channel"] for r in world.rows("orders")} == {1: None, 2: None}

    bronze.columns = pa.schema([("order_id", pa.int64()), ("note", pa.string()), ("channel", pa.string())])
    bronze.changes(
        [
            tools.change("U", 1, order_id=2, note="b", channel="shop"),
            tools.change("I", 2, order_id=2**40, note="c", channel="web"),
            tools.change("D", 3, order_id=1),
        ]
    )
    assert world.silver(tools.contract(WIDER)).applied == 3
    assert {r["order_id"]: r["channel"] for r in world.rows("orders")} == {2: "shop", 2**40: "web"}

    without = world.silver(tools.contract(WIDER.replace('[columns.note]\ntype = "text"\nnullable = true\n', "")))
    assert without.batch == 4
    assert all("note" not in row for row in world.rows("orders"))


@pytest.mark.spark
def test_a_gold_model_with_a_new_column_is_built_anew_and_equals_one_built_from_nothing(world, tools):
    draw, gold = random.Random(6), GoldWorld(world)
    live = {key: order(draw, key) for key in range(1, 30)}
    gold.bronze.columns = GOLD_BRONZE
    gold.bronze.load(list(live.values()))
    gold.silver()
    assert not gold.gold().failed
    files = dict(FILES)
    files["contracts/gold/agg_daily.toml"] += '[columns.largest]\ntype = "decimal(12,2)"\n'
    files["gold/agg_daily.sql"] = files["gold/agg_daily.sql"].replace(
        "sum(f.total) as total", "sum(f.total) as total, max(f.total) as largest"
    )
    again = GoldWorld(world, files)
    summary = again.gold().tables["agg_daily"]
    assert summary.full
    assert again.gold().tables["agg_daily"].full is False
    after = again.rows("agg_daily")
    assert all(row[-1] is not None for row in after)
    again.gold(rebuild=True)
    assert again.rows("agg_daily") == after
