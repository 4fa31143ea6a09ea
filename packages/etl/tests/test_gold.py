"""Gold follows silver: only what changed is rebuilt, and the result equals a build from nothing."""

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from shoplake_core.project import project_from_files
from shoplake_etl.applications import bronze_to_silver, silver_to_gold
from shoplake_etl.gold import GoldRun
from shoplake_etl.summary import ModelSummary, TableError

pytestmark = pytest.mark.spark

FILES = {
    "shoplake.toml": '[store]\ntime_zone = "Europe/Berlin"\n',
    "contracts/silver/orders.toml": """
grain = "one row per order"
key = ["order_id"]
tracks = ["customer_id"]
[columns.order_id]
type = "int64"
[columns.customer_id]
type = "int32"
nullable = true
[columns.total]
type = "decimal(12,2)"
minimum = "0"
[columns.placed_at]
type = "timestamp"
""",
    "contracts/gold/fct_order.toml": """
grain = "one row per order"
key = ["order_id"]
reads = ["orders"]
scope = ["customer_id"]
touched = { orders = "select customer_id from changes" }
[columns.order_id]
type = "int64"
[columns.customer_id]
type = "int32"
nullable = true
[columns.number]
type = "int32"
[columns.day]
type = "date"
[columns.total]
type = "decimal(12,2)"
""",
    "gold/fct_order.sql": """
select o.order_id, o.customer_id, row_number() over (partition by o.customer_id order by o.order_id) as number,
    to_date(from_utc_timestamp(o.placed_at, '${store_time_zone}')) as day, o.total
from orders o join scope s on s.customer_id <=> o.customer_id
""",
    "contracts/gold/agg_daily.toml": """
grain = "one row per day"
key = ["day"]
reads = ["fct_order"]
scope = ["day"]
touched = { fct_order = "select day from changes" }
[columns.day]
type = "date"
[columns.orders]
type = "int64"
[columns.total]
type = "decimal(20,2)"
""",
    "gold/agg_daily.sql": """
select f.day, count(*) as orders, sum(f.total) as total from fct_order f join scope s on s.day = f.day group by f.day
""",
}
COLUMNS = pa.schema(
    [
        ("order_id", pa.int64()),
        ("customer_id", pa.int32()),
        ("total", pa.decimal128(12, 2)),
        ("placed_at", pa.timestamp("us", "UTC")),
    ]
)


def order(draw, key):
    return {
        "order_id": key,
        "customer_id": draw.choice([None, 1, 2, 3, 4, 5]),
        "total": Decimal(draw.randint(-100, 9999)) / 100,
        "placed_at": datetime(2026, 11, draw.randint(1, 9), draw.randint(0, 23), 30, tzinfo=UTC),
    }


class GoldWorld:
    def __init__(self, world, files=FILES):
        self.world = world
        self.project = project_from_files(files)
        self.run = GoldRun(
            lake=world.run.lake,
            store=world.run.store,
            project=self.project,
            run_id="run-1",
            rebuild=False,
            clock=world.run.clock,
            failpoints=world.run.failpoints,
        )
        self.bronze = world.bronze("orders", COLUMNS)

    def silver(self):
        summary = bronze_to_silver(self.world.spark, self.world.run, self.project.silver)
        assert not summary.failed, summary.to_json()
        return summary

    def gold(self, failed=frozenset(), **changed):
        return silver_to_gold(self.world.spark, replace(self.run, **changed), failed_silver=failed)

    def rows(self, model):
        return sorted(tuple(row.values()) for row in self.world.rows(model, "gold"))


def test_gold_after_random_changes_equals_gold_built_from_nothing(world, tools):
    draw, gold = random.Random(5), GoldWorld(world)
    live = {key: order(draw, key) for key in range(1, 60)}
    gold.bronze.load(list(live.values()))
    number, full = 0, []
    for _ in range(2):
        gold.silver()
        summary = gold.gold()
        assert not summary.failed, summary.to_json()
        full.append([summary.tables[model].full for model in ("fct_order", "agg_daily")])
        changes = []
        for _ in range(23):
            key, number = draw.randint(1, 70), number + 1
            if key in live and draw.random() < 0.4:
                del live[key]
                changes.append(tools.change("D", number, order_id=key))
            else:
                op = "U" if key in live else "I"
                live[key] = order(draw, key)
                changes.append(tools.change(op, number, **live[key]))
        gold.bronze.changes(changes)
    assert full == [[True, True], [False, False]]
    gold.silver()
    assert not gold.gold().failed
    incremental = {model: gold.rows_by_text(model) for model in ("fct_order", "agg_daily")}
    rebuilt = gold.gold(rebuild=True)
    assert not rebuilt.failed
    changed = [
        (t.inserted, t.updated, t.deleted, t.full) for t in rebuilt.tables.values() if isinstance(t, ModelSummary)
    ]
    assert changed == [(0, 0, 0, True)] * 2  # nothing had to be mended
    assert incremental == {model: gold.rows_by_text(model) for model in ("fct_order", "agg_daily")}
    assert {int(row[0]) for row in world_rows(world, "fct_order")} == {
        k for k, row in live.items() if row["total"] >= 0
    }
    nothing = gold.gold()
    assert {t.batch for t in nothing.tables.values()} == {t.batch for t in rebuilt.tables.values()}


def world_rows(world, model):
    return [tuple(row.values()) for row in world.rows(model, "gold")]


def rows_by_text(self, model):
    return sorted(map(str, world_rows(self.world, model)))


GoldWorld.rows_by_text = rows_by_text


def test_a_change_set_replayed_gives_the_table_and_its_manifest_names_the_files(world, tools):
    draw, gold = random.Random(6), GoldWorld(world)
    gold.bronze.load([order(draw, key) for key in range(1, 20)])
    copy = {}
    for step in range(2):
        gold.silver()
        gold.gold()
        table = world.run.lake.gold.table("fct_order")
        from shoplake_etl.batches import batch_log
        from shoplake_etl.tables import IcebergTable

        batch = next(batch_log(IcebergTable(world.spark.newSession(), table).ancestors()))
        manifest = json.loads(world.run.store.read(f"{batch.changes}/manifest.json"))
        assert {e["url"]: e["meta"]["content_length"] for e in manifest["entries"]} == {
            o.url: o.size_bytes for o in world.run.store.objects(f"{batch.changes}/") if o.name.endswith(".parquet")
        }
        rows = [row.asDict() for row in world.spark.read.parquet(*(e["url"] for e in manifest["entries"])).collect()]
        assert list(rows[0]) == ["_op", "order_id", "customer_id", "number", "day", "total"]
        if batch.full:
            copy.clear()
        for row in rows:
            copy.pop(row["order_id"], None)
        for row in rows:
            if row.pop("_op") == "I":
                copy[row["order_id"]] = row
        assert sorted(map(str, copy.values())) == sorted(map(str, world.rows("fct_order", "gold"))), step
        gold.bronze.changes([tools.change("U", 1, **order(draw, 3)), tools.change("D", 2, order_id=4)])


def test_models_that_read_a_failed_table_are_skipped_and_say_so(world):
    gold = GoldWorld(world)
    summary = gold.gold(failed=frozenset({"orders"}))
    errors = {name: table for name, table in summary.tables.items() if isinstance(table, TableError)}
    assert {name: error.code for name, error in errors.items()} == {"fct_order": "SKIPPED", "agg_daily": "SKIPPED"}
    assert "reads orders, which failed" in errors["fct_order"].message


BROKEN = {
    "select order_id, customer_id, 1 as number, date'2026-01-01' as day from orders": "column total is missing",
    "select 1L as order_id, customer_id, 1 as number, date'2026-01-01' as day, total from orders": "come twice under one key",
    "select order_id, customer_id, null as number, date'2026-01-01' as day, total from orders": "hold a null",
    "select nonsense from orders": "nonsense",
}


def test_a_model_that_breaks_its_contract_stops_and_names_it(world):
    gold = GoldWorld(world)
    gold.bronze.load([{**order(random.Random(7), key), "total": 1, "customer_id": 1} for key in (1, 2)])
    gold.silver()
    for sql, said in BROKEN.items():
        summary = gold.gold(project=project_from_files({**FILES, "gold/fct_order.sql": sql}))
        assert isinstance(summary.tables["fct_order"], TableError), sql
        assert said in summary.tables["fct_order"].message
        assert summary.tables["agg_daily"].code == "SKIPPED"
        assert world.rows("fct_order", "gold") == []


WHOLE = """
grain = "one row per customer"
key = ["customer_id"]
reads = ["fct_order"]
rebuild = "whole"
[[tests]]
name = "places_start_at_one"
sql = "select customer_id, place from agg_place where place < 1"
[[tests]]
name = "nobody_spends_much"
sql = "select customer_id, total from agg_place where total > 100"
severity = "warn"
[columns.customer_id]
type = "int32"
[columns.total]
type = "decimal(20,2)"
[columns.place]
type = "int32"
"""
PLACES = """
select customer_id, sum(total) as total, rank() over (order by sum(total) desc) - 0 as place
from fct_order where customer_id is not null group by customer_id
"""


def test_a_table_that_is_rebuilt_as_a_whole_follows_every_change_and_tells_what_differs(world, tools):
    gold = GoldWorld(world, {**FILES, "contracts/gold/agg_place.toml": WHOLE, "gold/agg_place.sql": PLACES})

    def bought(key, total):
        return {**order(random.Random(9), key), "customer_id": key, "total": total}

    gold.bronze.load([bought(1, 50), bought(2, 40), bought(3, 30)])
    gold.silver()
    assert gold.gold().tables["agg_place"].inserted == 3
    gold.bronze.changes([tools.change("U", 1, **bought(3, 130)), tools.change("D", 2, **bought(2, 40))])
    gold.silver()
    found = gold.gold().tables["agg_place"]
    assert (found.inserted, found.updated, found.deleted, found.full) == (0, 2, 1, False)
    assert found.warnings == {"nobody_spends_much": {"rows": 1, "first": ['{"customer_id":3,"total":130.00}']}}
    held = sorted((row["customer_id"], int(row["total"]), row["place"]) for row in world.rows("agg_place", "gold"))
    assert held == [(1, 50, 2), (3, 130, 1)]
    assert gold.gold().tables["agg_place"].batch == found.batch

    broken = project_from_files({**gold.project.files, "gold/agg_place.sql": PLACES.replace("- 0", "- 1")})
    failed = gold.gold(project=broken, rebuild=True).tables["agg_place"]
    assert (failed.code, 'places_start_at_one: 1 rows, such as {"customer_id":3,"place":0}' in failed.message) == (
        "DATA",
        True,
    )
    assert held == sorted(
        (row["customer_id"], int(row["total"]), row["place"]) for row in world.rows("agg_place", "gold")
    )


def test_a_model_without_touched_stops_instead_of_staying_empty(world):
    contract = FILES["contracts/gold/fct_order.toml"].replace(
        'touched = { orders = "select customer_id from changes" }\n', ""
    )
    gold = GoldWorld(world, {**FILES, "contracts/gold/fct_order.toml": contract})
    gold.bronze.load([order(random.Random(8), 1)])
    gold.silver()
    result = gold.gold().tables["fct_order"]
    assert isinstance(result, TableError)
    assert "has no [touched]" in result.message


BUYERS = """
grain = "one row per customer"
key = ["customer_id"]
reads = ["orders"]
scope = ["customer_id"]
touched = { orders = "select customer_id from changes" }
[columns.customer_id]
type = "int32"
[columns.orders]
type = "int64"
"""
BUYERS_SQL = """
select o.customer_id, count(*) + 0 as orders from orders o join scope s on s.customer_id = o.customer_id group by o.customer_id
"""
MONTHS = """
grain = "one row per month"
key = ["month"]
reads = ["agg_daily"]
scope = ["month"]
touched = { agg_daily = "select trunc(day, 'MM') from changes" }
[columns.month]
type = "date"
[columns.total]
type = "decimal(20,2)"
"""
MONTHS_SQL = """
select s.month, sum(d.total) + 0 as total from agg_daily d join scope s on s.month = trunc(d.day, 'MM') group by s.month
"""


def test_a_backfill_rebuilds_what_happened_from_a_day_on_and_nothing_older(world, tools):
    """Orders 1 and 2 are customer 1's, on both sides of the day; 3 is customer 2's, before it; 4 and 6 come after it."""
    files = {
        **FILES,
        "contracts/gold/fct_order.toml": FILES["contracts/gold/fct_order.toml"].replace(
            "scope =", 'sort_key = ["day"]\nscope ='
        ),
        "gold/fct_order.sql": FILES["gold/fct_order.sql"] + "where o.order_id <> 6",
        "contracts/gold/agg_place.toml": WHOLE,
        "gold/agg_place.sql": PLACES,
        "contracts/gold/dim_buyer.toml": BUYERS,
        "gold/dim_buyer.sql": BUYERS_SQL,
        "contracts/gold/agg_monthly.toml": MONTHS,
        "gold/agg_monthly.sql": MONTHS_SQL,
    }
    gold = GoldWorld(world, files)

    def bought(key, customer, november, total=10):
        placed_at = datetime(2026, 11, november, 12, tzinfo=UTC)
        return {"order_id": key, "customer_id": customer, "total": total, "placed_at": placed_at}

    gold.bronze.load(
        [bought(1, 1, 2), bought(2, 1, 7), bought(3, 2, 3), bought(4, 3, 8), bought(5, 4, 1), bought(6, 5, 9)]
    )
    gold.silver()
    assert not gold.gold().failed
    gold.bronze.changes(
        [tools.change("U", 1, **bought(5, 4, 1, 11))]
    )  # a change that gold has not seen, before the day
    gold.silver()

    def mended(doubled, counted, **more):
        return project_from_files(
            {
                **files,
                **more,
                "gold/fct_order.sql": FILES["gold/fct_order.sql"].replace(
                    "o.total\n", f"o.total * {doubled} as total\n"
                )
                + "where o.order_id <> 4",
                "gold/agg_daily.sql": FILES["gold/agg_daily.sql"].replace("count(*)", f"count(*) + {counted}"),
                "gold/dim_buyer.sql": BUYERS_SQL.replace("+ 0", "+ 1"),
            }
        )

    found = gold.gold(project=mended("2", "100"), backfill_from=date(2026, 11, 5))
    assert not found.failed, found.to_json()
    assert {name: (t.backfill, t.full, t.batch) for name, t in found.tables.items()} == {
        "fct_order": ("keys", False, 2),
        "agg_daily": ("dates", False, 2),
        "agg_monthly": ("dates", False, 2),
        "agg_place": ("whole", False, 2),
        "dim_buyer": ("whole", False, 2),
    }
    # customer 1 as a whole, customer 5 whom the old SELECT left out, not 4, whom the new one does; 4 because it changed
    orders = {row["order_id"]: int(row["total"]) for row in world.rows("fct_order", "gold")}
    assert orders == {1: 20, 2: 20, 3: 10, 5: 22, 6: 20}
    days = {row["day"].day: (row["orders"], int(row["total"])) for row in world.rows("agg_daily", "gold")}
    assert days == {1: (101, 22), 2: (101, 20), 3: (1, 10), 7: (101, 20), 9: (101, 20)}  # of the 3rd nothing changed
    assert {row["customer_id"]: row["orders"] for row in world.rows("dim_buyer", "gold")} == dict.fromkeys(
        range(2, 6), 2
    ) | {1: 3}

    # a month began before the day and is fed by days after it; of what was backfilled before, nothing changes any more
    monthly = {"gold/agg_monthly.sql": MONTHS_SQL.replace("+ 0", "+ 1")}
    again = gold.gold(project=mended("2", "100", **monthly), backfill_from=date(2026, 11, 5))
    changed = {name: (t.inserted, t.updated, t.deleted) for name, t in again.tables.items()}
    assert changed == dict.fromkeys(found.tables, (0, 0, 0)) | {"agg_monthly": (0, 1, 0)}

    # where what was mended only concerns the days from then on, the tables are those of a rebuild
    project = mended(
        "case when o.customer_id = 2 then 1 else 2 end",
        "case when f.day = date'2026-11-03' then 0 else 100 end",
        **monthly,
    )
    rebuilt = gold.gold(project=project, rebuild=True)
    assert {(t.inserted, t.updated, t.deleted) for t in rebuilt.tables.values()} == {(0, 0, 0)}, rebuilt.to_json()
