"""What a page of sales shows, and the same figures from the shop's own MySQL: the definitions once more, in MySQL's words,
without silver, gold or a dashboard in between.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from shoplake_dashboards.loading import all_contracts, dashboards_from_folder
from shoplake_dashboards.page_data import PageData, read_page
from shoplake_dashboards.page_state import page_state_from_url
from shoplake_dashboards.periods import Period

__all__ = ["Sales", "sales_in_mysql", "sales_page"]

# What silver refuses (a channel or a rate that means nothing, a line of nothing) is no sale; nor are tests and vouchers.
_SALES = """
WITH kept AS (
  SELECT o.*, LOWER(TRIM(o.channel)) AS sold_by FROM shop.orders o
  WHERE NOT o.is_test AND LOWER(TRIM(o.channel)) IN ('web', 'app', 'store', 'marketplace') AND o.exchange_rate > 0
), sold AS (
  SELECT k.order_id, i.line_no, k.sold_by, k.placed_at, IF(k.status = 'cancelled', k.cancelled_at, NULL) AS cancelled_at,
    ROUND(i.unit_price * i.quantity * k.exchange_rate, 2) AS gross, ROUND(i.discount * k.exchange_rate, 2) AS discount
  FROM kept k JOIN shop.order_items i ON i.order_id = k.order_id
  WHERE i.quantity > 0 AND NOT i.is_gift_card
), back AS (
  SELECT s.order_id, s.line_no, s.sold_by, s.cancelled_at, r.refunded_at, ROUND(r.amount * k.exchange_rate, 2) AS amount
  FROM sold s JOIN kept k ON k.order_id = s.order_id
  JOIN shop.refunds r ON r.order_id = s.order_id AND r.line_no = s.line_no
), events AS (
  SELECT sold_by, placed_at AS at, 1 AS orders, 0 AS gross, 0 AS discount, 0 AS returned, 0 AS cancelled FROM kept
  UNION ALL SELECT sold_by, placed_at, 0, gross, discount, 0, 0 FROM sold
  UNION ALL SELECT sold_by, refunded_at, 0, 0, 0, amount, 0 FROM back
  UNION ALL SELECT sold_by, cancelled_at, 0, 0, 0, 0, gross - discount FROM sold WHERE cancelled_at IS NOT NULL
  UNION ALL SELECT sold_by, cancelled_at, 0, 0, 0, 0, -amount FROM back WHERE cancelled_at IS NOT NULL
)
SELECT sold_by, SUM(orders), SUM(gross), SUM(discount), SUM(returned), SUM(cancelled)
FROM events WHERE at >= %s AND at < %s GROUP BY sold_by
"""


@dataclass(frozen=True)
class Sales:
    """Figures of one period; `gross_by_channel` holds the channels that sold."""

    orders: int
    gross: Decimal
    discounts: Decimal
    returns: Decimal
    net: Decimal
    gross_by_channel: dict[str, Decimal]


def sales_in_mysql(connection: Any, period: Period, *, time_zone: str) -> Sales:
    """The period's sales by MySQL alone; its days are the store's, MySQL's times are UTC."""
    zone = ZoneInfo(time_zone)

    def instant(day: date) -> str:
        return f"{datetime.combine(day, time(), zone).astimezone(ZoneInfo('UTC')):%Y-%m-%d %H:%M:%S}"

    with connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(_SALES, (instant(period.first), instant(period.end)))
        rows = cursor.fetchall()
    orders, gross, discounts, returns, cancelled = (sum(row[i] for row in rows) for i in range(1, 6))
    by_channel = {row[0]: row[2] for row in rows if row[2]}
    return Sales(int(orders), gross, discounts, returns, gross - discounts - returns - cancelled, by_channel)


def sales_page(behind: Any, *, days: int) -> PageData:
    """The Sales page of the last whole days, read by the Data API as every page is."""
    workspace = behind.cloud.workspace
    contracts = all_contracts(workspace.project.gold)
    dashboard = dashboards_from_folder(workspace.folder, workspace.project.gold)["sales_performance"]
    today = behind.cloud.clock.now().astimezone(ZoneInfo(workspace.project.config.store_time_zone)).date()
    first, last = today - timedelta(days=days), today - timedelta(days=1)
    state = page_state_from_url(dashboard, f"?from={first}&to={last}", today=today)

    def run(query: Any) -> list[dict[str, Any]]:
        result = behind.cloud.query(query.sql, parameters=query.parameters)
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]

    return read_page(dashboard, state, contracts=contracts, run=run)
