"""Where the reference shop's columns come from, and which tiles show them."""

from dataclasses import replace
from pathlib import Path

import pytest
from shoplake.column_lineage import ColumnRef, TileRef, project_lineage, tiles_by_column
from shoplake_core.project import project_from_folder
from shoplake_dashboards.loading import dashboards_from_folder

SHOP = Path(__file__).parents[3] / "shop"


@pytest.fixture(scope="module")
def project():
    return project_from_folder(SHOP)


def refs(*names):
    return tuple(sorted(ColumnRef(*name.split(".")) for name in names))


def test_a_gold_column_is_followed_to_what_it_is_made_of(project):
    lineage = project_lineage(project, project.gold)
    assert lineage.by_table == {}
    origins = lineage.origins
    assert origins[ColumnRef("fct_order", "total_store")] == refs("orders.total", "orders.exchange_rate")
    assert origins[ColumnRef("fct_order", "captured")] == refs("payments.amount")
    assert origins[ColumnRef("fct_order", "line_count")] == (), "a count of rows"
    # by way of the view of the groups to rebuild: an address, or the customer's number in its place
    assert origins[ColumnRef("fct_order", "person_key")] == refs("customers.email", "orders.customer_id")
    assert ColumnRef("fct_order", "net_revenue") in lineage.uses(ColumnRef("refunds", "amount"))
    assert all(ref.table != "scope" for found in origins.values() for ref in found)
    assert {ref.table for ref in origins} == set(project.gold)


def test_a_model_that_cannot_be_followed_is_known_by_its_tables(project):
    broken = {**project.gold_sql, "dim_product": "select ((("}
    lineage = project_lineage(replace(project, gold_sql=broken), ["dim_product"])
    assert "cannot be followed column by column" in lineage.by_table["dim_product"]


def test_a_tile_names_every_column_it_is_of(project):
    tiles = tiles_by_column(dashboards_from_folder(SHOP, project.gold))
    orders = TileRef("sales_performance", "orders", "Orders")
    assert orders in tiles[ColumnRef("agg_store_daily", "orders")]
    assert orders in tiles[ColumnRef("agg_store_daily", "event_date")], "its period"
    assert orders not in tiles[ColumnRef("agg_store_daily", "order_value")]
    named = {tile.tile for tile in tiles[ColumnRef("dim_product", "category_name")]}
    assert "by_category" in named, "a column that a join brings in"
