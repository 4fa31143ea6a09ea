"""What a tile says of its rows. The queries run on the real PostgreSQL, but for answers that would take a million rows."""

from shoplake_dashboards.fragments import tile_html
from shoplake_dashboards.page_data import TileState
from shoplake_dashboards.sql import MOST_ROWS


def test_a_part_of_too_many_rows_is_never_drawn(read, run):
    """The query stops at a limit: a whole made of some of its parts would be a wrong number."""

    def many(query):
        rows = run(query)
        return [dict(rows[0], d0=f"channel {i}") for i in range(MOST_ROWS)] if query.tile == "by_channel" else rows

    tile = read("sales_performance", using=many).tiles["by_channel"]
    assert tile.state is TileState.ERROR
    assert tile.message.startswith("there are 5,000 rows or more")


def test_a_table_that_shows_its_first_rows_says_so(dashboards, read):
    data = read("inventory")
    visuals = {visual.id: visual for visual in dashboards["inventory"].visuals}
    shown = {name: tile_html(dashboards["inventory"], visuals[name], data, served=False) for name in visuals}
    assert "The first 8 by days since last sale; there may be more." in shown["slow_stock"]
    assert "there may be more" not in shown["runs_out"]


def test_how_new_the_data_are_is_read_of_every_dataset(read):
    freshness = read("sales_performance").freshness
    assert set(freshness) == {"sales", "store"}
    assert str(freshness["store"].first_day) == "2025-12-08"
    assert str(freshness["store"].last_day) == "2026-03-18"
    assert freshness["store"].loaded_at is not None
    assert read("pipeline_health").time_zone == "UTC"  # its days are cut out of instants
    assert read("sales_performance").time_zone == "Europe/Berlin"


def test_the_filters_offer_the_values_that_there_are(read):
    assert read("sales_performance").options == {
        "channel": ("app", "marketplace", "web"),
        "ship_country": ("AT", "DE", "FR", "NL"),
    }
