"""Every number of a page equals what a direct SQL on the same tables says."""

from datetime import timedelta
from decimal import Decimal

from small_gold import TODAY

FIRST, LAST = TODAY - timedelta(days=28), TODAY - timedelta(days=1)


def test_the_kpis_equal_direct_sql_for_the_period_and_the_one_before(read, sql):
    data = read("sales_performance")
    statement = """
        SELECT sum(net_sales), sum(orders), sum(order_value) / sum(orders), sum(returns) / sum(gross_sales)
        FROM gold.agg_store_daily WHERE event_date BETWEEN %s AND %s
    """
    before = (FIRST - timedelta(days=28), FIRST - timedelta(days=1))
    for role, span in (("main", (FIRST, LAST)), ("prior", before)):
        expected = sql.execute(statement, span).fetchone()
        found = [
            getattr(data.tiles[name], role)[0]["v0"]
            for name in ("net_sales", "orders", "average_order_value", "refund_rate")
        ]
        assert [round(float(f), 9) for f in found] == [round(float(e), 9) for e in expected]
        assert found[0] == expected[0]
    assert isinstance(data.tiles["net_sales"].main[0]["v0"], Decimal)
