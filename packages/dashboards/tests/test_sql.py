"""Every number of every page equals what a direct SQL, written by hand, says of the same tables."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
import sqlglot
from shoplake_dashboards.page_state import page_state_from_url
from shoplake_dashboards.reads import page_reads
from shoplake_dashboards.sql import queries
from small_gold import TODAY

PERIOD = "event_date BETWEEN %(first)s AND %(last)s"
ON_STORE = f"FROM gold.agg_store_daily WHERE {PERIOD}"
ON_SALES = f"FROM gold.agg_sales_daily s JOIN gold.dim_product p USING (product_id) WHERE {PERIOD}"
RUNS = "FROM shoplake.runs WHERE started_at::date BETWEEN %(first)s AND %(last)s"
TABLES = "FROM shoplake.run_tables WHERE finished_at::date BETWEEN %(first)s AND %(last)s"

# dashboard -> visual -> SELECT of its dimensions and measures, in any order of rows
DIRECT = {
    "sales_performance": {
        "net_revenue": f"SELECT sum(net_sales) {ON_STORE}",
        "orders": f"SELECT sum(orders) {ON_STORE}",
        "average_order_value": f"SELECT sum(order_value) / sum(orders) {ON_STORE}",
        "refund_rate": f"SELECT sum(returns) / sum(gross_sales) {ON_STORE}",
        "net_revenue_by_day": f"SELECT event_date, sum(net_sales) {ON_STORE} GROUP BY 1",
        "by_category": f"SELECT category_name, sum(net_sales) {ON_SALES} GROUP BY 1",
        "by_channel": f"SELECT channel, sum(gross_sales) {ON_STORE} GROUP BY 1",
        "by_country": f"SELECT ship_country, sum(net_sales) {ON_STORE} GROUP BY 1",
        "top_products": (
            f"SELECT title, category_name, sum(units_sold), sum(returns), sum(net_sales) {ON_SALES} GROUP BY 1, 2"
        ),
    },
    "customer_behaviour": {
        "returning_share": f"SELECT sum(returning_orders)::numeric / sum(orders) {ON_STORE}",
        "new_customers": f"SELECT sum(new_orders) {ON_STORE}",
        "repeat_rate": "SELECT count(*) FILTER (WHERE orders > 1) / count(*)::numeric FROM gold.agg_customer_rfm",
        "days_to_second_order": (
            "SELECT sum(days_to_second_order) / count(days_to_second_order)::numeric FROM gold.agg_customer_rfm"
        ),
        "new_and_returning": (
            "SELECT event_date - (extract(isodow FROM event_date)::int - 1), sum(returning_orders), sum(new_orders)"
            f" {ON_STORE} GROUP BY 1"
        ),
        "retention": "SELECT cohort_month, month_number, customers::numeric / cohort_size FROM gold.agg_customer_cohort",
        "groups": "SELECT rfm_group, count(*) FROM gold.agg_customer_rfm GROUP BY 1",
        "value_by_cohort": "SELECT cohort_month, avg(net_revenue::numeric) FROM gold.agg_customer_rfm GROUP BY 1",
        "group_table": (
            "SELECT rfm_group, count(*), sum(orders), avg(recency_days::numeric), sum(net_revenue), avg(net_revenue::numeric)"
            " FROM gold.agg_customer_rfm GROUP BY 1"
        ),
    },
    "inventory": {
        "stock_value": "SELECT sum(stock_value) FROM gold.agg_product_stock",
        "cover": "SELECT sum(available) / sum(mean_daily_units) FROM gold.agg_product_stock",
        "sell_through": "SELECT sum(units_sold_28d)::numeric / sum(offered_28d) FROM gold.agg_product_stock",
        "stock_outs": "SELECT avg(stock_out_products::numeric) FROM gold.agg_product_stock",
        "movements_by_day": (
            "SELECT stock_date, sum(shipped), sum(received) FROM gold.fct_inventory_daily"
            " WHERE stock_date BETWEEN %(first)s AND %(last)s GROUP BY 1"
        ),
        "runs_out": (
            "SELECT title, abc_class, cover, days_of_inventory, available, mean_daily_units, revenue_28d"
            " FROM gold.agg_product_stock JOIN gold.dim_product USING (product_id)"
        ),
        "class_by_cover": "SELECT abc_class, cover, count(*) FROM gold.agg_product_stock GROUP BY 1, 2",
        "value_by_category": (
            "SELECT category_name, sum(stock_value) FROM gold.agg_product_stock"
            " JOIN gold.dim_product USING (product_id) GROUP BY 1"
        ),
        "slow_stock": (
            "SELECT title, days_since_sale, on_hand, stock_value FROM gold.agg_product_stock"
            " JOIN gold.dim_product USING (product_id) ORDER BY days_since_sale DESC LIMIT 8"
        ),
    },
    "pipeline_health": {
        "runs": f"SELECT count(*) {RUNS}",
        "failed_runs": f"SELECT avg(CASE status WHEN 'failed' THEN 1.0 ELSE 0 END) {RUNS}",
        "duration": f"SELECT avg(duration_seconds::numeric) {RUNS}",
        "quarantined": f"SELECT sum(rows_quarantined)::numeric / sum(rows_written) {TABLES} AND layer = 'silver'",
        "freshness": "SELECT table_name, max(loaded_at), count(*) FROM shoplake.loads GROUP BY 1",
        "rows_by_layer": f"SELECT table_name, layer, sum(rows_written) {TABLES} GROUP BY 1, 2",
        "duration_by_day": f"SELECT started_at::date, avg(duration_seconds::numeric) {RUNS} GROUP BY 1",
        "failed_checks": (
            "SELECT table_name, check_name, count(*), sum(findings) FROM shoplake.run_checks WHERE status = 'failed'"
            " AND checked_at::date BETWEEN %(first)s AND %(last)s GROUP BY 1, 2"
        ),
    },
}


def comparable(rows):
    """Rows in one order, numbers to nine places: a ratio is a float here and exact there."""

    def value(cell):
        return cell if cell is None or isinstance(cell, str | date | datetime) else round(float(cell), 9)

    return sorted((tuple(map(value, row)) for row in rows), key=str)


def shown(rows):
    return [tuple(v for k, v in row.items() if k[0] in "dv") for row in rows]


@pytest.mark.parametrize("name", DIRECT)
def test_the_numbers_of_every_tile_equal_direct_sql(name, dashboards, read, sql):
    data, period = read(name), read(name).state.period
    assert set(DIRECT[name]) == {visual.id for visual in dashboards[name].visuals}
    spans = {"main": (period.first, period.last)}
    spans["prior"] = (period.first - timedelta(days=period.days), period.first - timedelta(days=1))
    for visual, statement in DIRECT[name].items():
        tile = data.tiles[visual]
        for role, (first, last) in spans.items():
            rows = getattr(tile, role)
            if role == "main" or rows:
                expected = sql.execute(statement, {"first": first, "last": last}).fetchall()
                assert comparable(shown(rows)) == comparable(expected), f"{visual}, {role}"


def test_a_change_is_measured_on_the_same_products_in_as_many_days_before(read, sql):
    data = read("sales_performance", "?period=last_7_days&f.channel=web")
    last = TODAY - timedelta(days=1)
    statement = f"SELECT title, sum(net_sales) {ON_SALES} AND channel = 'web' GROUP BY 1"
    for column, back in (("v2", 0), ("p0", 7)):
        span = {"first": last - timedelta(days=6 + back), "last": last - timedelta(days=back)}
        found = [(row["d0"], row[column]) for row in data.tiles["top_products"].main]
        assert comparable(found) == comparable(sql.execute(statement, span).fetchall())


def test_drilling_down_shows_the_products_of_the_category_only(read, sql):
    data = read("sales_performance", "?drill.by_category=Kitchen&f.ship_country=DE&f.ship_country=AT")
    statement = f"SELECT title, sum(net_sales) {ON_SALES} AND category_name = 'Kitchen' AND ship_country IN ('DE', 'AT') GROUP BY 1"
    period = data.state.period
    expected = sql.execute(statement, {"first": period.first, "last": period.last}).fetchall()
    assert comparable(shown(data.tiles["by_category"].main)) == comparable(expected)
    assert len(expected) == 2


def test_a_url_can_only_ever_be_a_bound_value(dashboards, contracts, read):
    """Whatever stands in the URL, the SQL's text is one of a few: the values are parameters."""
    hostile = ["x'; DROP TABLE gold.dim_product; --", "') OR 1=1 --", ":p0", "%(p0)s", "%s", "\\", '"', "🧥"]
    dashboard = dashboards["sales_performance"]

    def texts(value):
        state = page_state_from_url(dashboard, "", today=TODAY)
        state = replace(state, selected={"channel": (value,)}, drill={"by_category": (value,)})
        return [
            (query.sql, value in query.parameters.values()) for query in queries(dashboard, state, contracts=contracts)
        ]

    plain = texts("web")
    for value in hostile:
        assert texts(value) == plain
        data = read("sales_performance", "?f.channel=" + value.replace("%", "%25").replace(" ", "%20"))
        assert data.tiles["net_revenue"].state.value == "empty"
    assert read("sales_performance").tiles["top_products"].main


def test_every_query_is_redshift_too(dashboards, contracts):
    """sqlglot reads it in Redshift's dialect, and finds nothing that Redshift lacks."""
    for dashboard in dashboards.values():
        state = page_state_from_url(dashboard, "", today=TODAY)
        together = (read.query for read in page_reads(dashboard, state, contracts=contracts))
        for query in (*queries(dashboard, state, contracts=contracts), *together):
            assert "::" not in query.sql
            assert "FILTER" not in query.sql
            assert all(isinstance(value, str) for value in query.parameters.values())
            (parsed,) = sqlglot.parse(query.sql, dialect="redshift")
            assert parsed.find(sqlglot.exp.Select)
