"""One statement for many tiles gives each the rows that its own queries would."""

import pytest
from shoplake_core.errors import ResourceError
from shoplake_dashboards.page_data import TileState
from shoplake_dashboards.page_state import page_state_from_url
from shoplake_dashboards.reads import page_reads, rows_of
from shoplake_dashboards.sql import visual_queries
from small_gold import TODAY

URLS = {
    "sales_performance": ["", "?period=last_12_months&f.channel=web&drill.by_category=Shoes", "?f.channel=nowhere"],
    "customer_behaviour": ["", "?period=last_90_days"],
    "inventory": ["", "?f.category_name=Hats&period=last_7_days"],
    "pipeline_health": [""],
}


@pytest.mark.parametrize("name", URLS)
def test_a_tile_gets_the_rows_of_its_own_queries(name, dashboards, contracts, run):
    dashboard = dashboards[name]
    for url in URLS[name]:
        state = page_state_from_url(dashboard, url, today=TODAY)
        shared = {
            (part.tile, part.role): rows_of(part, run(read.query))
            for read in page_reads(dashboard, state, contracts=contracts)
            for part in read.parts
        }
        alone = {
            (visual.id, query.role): tuple(run(query))
            for visual in dashboard.visuals
            for query in visual_queries(dashboard, visual, state, contracts=contracts)
        }
        assert set(shared) == set(alone)
        for key, rows in alone.items():
            there = tuple(row for row in rows if row["n"])  # a total of no rows is a row alone and none together
            assert tuple(row for row in shared[key] if row["n"]) == there, (url, key)


def test_a_page_asks_a_table_once_for_numbers_and_once_for_their_course(dashboards, read, run):
    asked = []

    def counted(query):
        asked.append((query.tile, query.role))
        return run(query)

    read("sales_performance", using=counted)
    assert len(asked) == len(set(asked)) + 1 == 10  # two for the store's numbers, and not twenty-two in all
    assert [role for _, role in asked].count("shared") == 2


def test_one_tile_that_cannot_be_read_leaves_those_of_its_statement_alone(dashboards, read, run):
    whole = read("sales_performance")

    def broken(query):
        if '"returns"' in query.sql:
            raise ResourceError("no column returns", hint="run the pipeline")
        return run(query)

    data = read("sales_performance", using=broken)
    failed = {name for name, tile in data.tiles.items() if tile.state is TileState.ERROR}
    assert failed == {"refund_rate", "top_products"}
    for name in set(data.tiles) - failed:
        assert data.tiles[name] == whole.tiles[name]
