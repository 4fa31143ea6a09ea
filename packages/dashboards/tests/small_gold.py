"""A small gold in a real PostgreSQL: tables made from the contracts, filled with rows that any test can work out again.

The names in it are the ones that break pages: markup, quotes, right-to-left letters, emoji.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
from shoplake_core.contracts import TableContract
from shoplake_core.logical_types import Kind, LogicalType
from shoplake_dashboards.sql import OPERATIONAL

TODAY = date(2026, 3, 18)  # a Wednesday
LOADED = datetime(2026, 3, 18, 5, 40)  # noqa: DTZ001 - the warehouse's timestamps have no zone: they are UTC
FIRST_DAY = TODAY - timedelta(days=100)

PRODUCTS = [
    (1, "Trail shoe", "Shoes"),
    (2, "</script><script>alert(1)</script>", "Shoes"),
    (3, 'Mug "Größe L" & Löffel', "Kitchen"),
    (4, "قميص قطني أزرق", "Shirts"),
    (5, "Rain jacket 🧥", "Jackets"),
    (6, '=HYPERLINK("x")', "Kitchen"),
    (7, "Wool socks", "Socks & tights"),
    (8, "O'Hara's hat <b>", "Hats"),
]
CHANNELS = ["web", "app", "marketplace"]
COUNTRIES = ["DE", "AT", "FR", "NL"]


def sql_type(kind: LogicalType) -> str:
    if kind.kind is Kind.DECIMAL:
        return f"numeric({kind.precision},{kind.scale})"
    if kind.is_integer:
        return "numeric(20,0)" if kind.kind is Kind.UINT64 else "bigint"
    return {
        Kind.FLOAT64: "double precision",
        Kind.BOOLEAN: "boolean",
        Kind.DATE: "date",
        Kind.DATETIME: "timestamp",
        Kind.TIMESTAMP: "timestamp",
    }.get(kind.kind, "varchar(65535)")


def create_gold(connection: psycopg.Connection[Any], contracts: Mapping[str, TableContract]) -> None:
    connection.execute("CREATE SCHEMA gold")
    connection.execute("CREATE SCHEMA shoplake")
    for contract in contracts.values():
        columns = ", ".join(f'"{c.name}" {sql_type(c.stored_type)}' for c in contract.columns)
        schema = "shoplake" if contract.name in OPERATIONAL else "gold"
        connection.execute(f'CREATE TABLE {schema}."{contract.name}" ({columns})')


def put(connection: psycopg.Connection[Any], table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    names = list(rows[0])
    columns = ", ".join(f'"{name}"' for name in names)
    schema = "shoplake" if table in OPERATIONAL else "gold"
    with connection.cursor().copy(f'COPY {schema}."{table}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])


def sales_rows() -> list[dict[str, Any]]:
    """One order a (day, product, channel), in a pattern with weekends, growth and a country that follows the product."""
    rows = []
    for number in range((TODAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=number)
        for product, _, _ in PRODUCTS:
            for place, channel in enumerate(CHANNELS):
                weekend = 2 if day.weekday() >= 5 else 1
                units = (1 + (number * 7 + product * 3 + place * 5) % 4) * weekend
                if day == TODAY:
                    units = 1
                gross = Decimal(units * (900 + product * 331 + number * 4)) / 100 * (4 - place)
                discount = (gross / 10).quantize(Decimal("0.01")) if (number + product) % 5 == 0 else Decimal(0)
                back = gross - discount if (number * product) % 17 == 3 else Decimal(0)
                rows.append(
                    {
                        "event_date": day,
                        "product_id": product,
                        "channel": channel,
                        "ship_country": COUNTRIES[(product + number) % 4],
                        "orders": units,
                        "units_sold": units,
                        "gross_sales": gross,
                        "discounts": discount,
                        "returns": back,
                        "cancellations": Decimal(0),
                        "net_sales": gross - discount - back,
                    }
                )
    return rows


def month_rows(sales: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same sales by month; '*' stands for every channel, and for every country."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    names = ("event_month", "product_id", "channel", "ship_country")
    sums = ("units_sold", "gross_sales", "discounts", "returns", "cancellations", "net_sales")
    for sale in sales:
        for channel in (sale["channel"], "*"):
            for country in (sale["ship_country"], "*"):
                key = (sale["event_date"].replace(day=1), sale["product_id"], channel, country)
                row = found.setdefault(key, dict(zip(names, key, strict=True)) | dict.fromkeys(sums, 0))
                for name in sums:
                    row[name] += sale[name]
    return list(found.values())


def store_rows(sales: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same sales by day, channel and country, with orders: here each sale is `units` orders of one unit."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for sale in sales:
        key = (sale["event_date"], sale["channel"], sale["ship_country"])
        row = found.setdefault(
            key,
            dict(zip(("event_date", "channel", "ship_country"), key, strict=True))
            | dict.fromkeys(("orders", "new_orders", "returning_orders", "refunded_orders", "cancelled_orders"), 0)
            | dict.fromkeys(("units_sold", "units_returned"), 0)
            | dict.fromkeys(
                ("order_value", "gross_sales", "discounts", "returns", "cancellations", "net_sales"), Decimal(0)
            )
            | dict.fromkeys(("tax", "shipping", "total_sales"), Decimal(0)),
        )
        orders = sale["units_sold"]
        row["orders"] += orders
        row["new_orders"] += orders // 2
        row["returning_orders"] += orders - orders // 2
        row["refunded_orders"] += orders if sale["returns"] else 0
        row["units_sold"] += sale["units_sold"]
        row["units_returned"] += orders if sale["returns"] else 0
        row["order_value"] += sale["gross_sales"] - sale["discounts"]
        for name in ("gross_sales", "discounts", "returns", "net_sales"):
            row[name] += sale[name]
    for row in found.values():
        row["tax"] = (row["net_sales"] / 5).quantize(Decimal("0.01"))
        row["shipping"] = Decimal(3) * row["orders"]
        row["total_sales"] = row["net_sales"] + row["tax"] + row["shipping"]
    return list(found.values())


def cohort_rows() -> list[dict[str, Any]]:
    """Cohorts of eight months that shrink in a pattern; the newest month is not over."""
    rows = []
    months = [date(2025 + (7 + i) // 12, (7 + i) % 12 + 1, 1) for i in range(8)]  # August 2025 to March 2026
    for place, cohort in enumerate(months):
        size = 400 - 20 * place
        for number, month in enumerate(months[place:]):
            back = size if number == 0 else size * (34 - 4 * number + place) // 100
            rows.append(
                {
                    "cohort_month": cohort,
                    "month_number": number,
                    "activity_month": month,
                    "cohort_size": size,
                    "customers": back,
                    "orders": back + back // 10,
                    "net_revenue": Decimal(back) * 71,
                    "cumulative_net_revenue": Decimal(back) * 80,
                    "retention": Decimal(back) / size,
                }
            )
    return rows


GROUPS = ["champions", "loyal", "active", "new", "needs attention", "at risk", "dormant"]


def person_rows() -> list[dict[str, Any]]:
    rows = []
    for number in range(700):
        orders = 1 if number % 3 else 2 + number % 5
        rows.append(
            {
                "person_key": f"person-{number}",
                "as_of_date": TODAY,
                "country": COUNTRIES[number % 4],
                "cohort_month": date(2025 + (7 + number % 8) // 12, (7 + number % 8) % 12 + 1, 1),
                "days_to_second_order": None if orders == 1 else 10 + number % 60,
                "recency_days": number % 90,
                "customers": 1,
                "repeat_customers": 1 if orders > 1 else 0,
                "orders": orders,
                "net_revenue": Decimal(orders) * (40 + number % 50),
                "rfm_group": GROUPS[(number + number * number // 9) % 7],
            }
        )
    return rows


def stock_rows() -> list[dict[str, Any]]:
    covers = ["sold out", "below 7 days", "7 to 27 days", "28 to 89 days", "90 days or more", "no demand"]
    rows = []
    for number, _, _ in PRODUCTS:
        available = [0, 12, 60, 400, 900, 35, 3, 210][number - 1]
        sold = [90, 84, 112, 168, 56, 0, 28, 140][number - 1]
        days = Decimal(available * 28) / sold if sold else None
        step = (
            5 if days is None else 0 if not available else 1 if days < 7 else 2 if days < 28 else 3 if days < 90 else 4
        )
        rows.append(
            {
                "product_id": number,
                "as_of_date": TODAY,
                "is_active": True,
                "price": Decimal(20),
                "on_hand": available + 4,
                "committed": 4,
                "available": available,
                "stock_value": Decimal((available + 4) * (9 + 3 * number)),
                "oversold_units": 0,
                "products": 1,
                "stock_out_products": 0 if available else 1,
                "units_sold_28d": sold,
                "revenue_28d": Decimal(sold * (9 + 3 * number)),
                "mean_daily_units": Decimal(sold) / 28,
                "days_of_inventory": None if days is None else round(days, 1),
                "cover": covers[step],
                "offered_28d": sold + available + 4,
                "abc_class": "AABBBCCA"[number - 1],
                "last_sold_date": TODAY - timedelta(days=number),
                "days_since_sale": number * number,
            }
        )
    return rows


def movement_rows() -> list[dict[str, Any]]:
    return [
        {
            "product_id": product,
            "warehouse_id": 1,
            "stock_date": FIRST_DAY + timedelta(days=day),
            "is_newest": False,
            "received": 60 if (day + product) % 14 == 0 else 0,
            "shipped": 3 + (day + product) % 4,
            "returned": 0,
            "on_hand": 50,
            "stock_outs": 0,
        }
        for day in range((TODAY - FIRST_DAY).days)
        for product, _, _ in PRODUCTS
    ]


def run_rows() -> dict[str, list[dict[str, Any]]]:
    """Four runs a day for forty days; some fail, some rows go to quarantine, one check fails."""
    tables: dict[str, list[dict[str, Any]]] = {"runs": [], "run_tables": [], "run_checks": []}
    for number in range(160):
        run, start = f"run-{number}", LOADED - timedelta(hours=6 * (159 - number), minutes=30)
        failed = number % 23 == 5
        seconds = 540 + (number * 37) % 300
        tables["runs"].append(
            {
                "run_id": run,
                "status": "failed" if failed else "succeeded",
                "started_at": start,
                "ended_at": start + timedelta(seconds=seconds),
                "duration_seconds": seconds,
                "failed_state": "Clean bronze into silver" if failed else None,
            }
        )
        for layer, name, rows in (
            ("bronze", "orders", 400),
            ("silver", "orders", 390),
            ("gold", "fct_order", 390),
            ("warehouse", "fct_order", 390),
            ("silver", "customers", 80),
            ("gold", "dim_customer", 75),
        ):
            tables["run_tables"].append(
                {
                    "run_id": run,
                    "layer": layer,
                    "table_name": name,
                    "finished_at": start + timedelta(seconds=seconds),
                    "rows_written": rows + number % 50,
                    "rows_quarantined": number % 3 if layer == "silver" else 0,
                    "duration_seconds": 60,
                }
            )
        for check in ("sum of lines equals order total", "cohorts begin at 100 %"):
            broken = number % 40 == 39 and check.startswith("sum")
            tables["run_checks"].append(
                {
                    "run_id": run,
                    "check_name": check,
                    "table_name": "fct_order" if check.startswith("sum") else "agg_customer_cohort",
                    "checked_at": start + timedelta(seconds=seconds),
                    "status": "failed" if broken else "passed",
                    "findings": 2 if broken else 0,
                }
            )
    return tables


def fill_gold(connection: psycopg.Connection[Any], contracts: Mapping[str, TableContract]) -> None:
    sales = sales_rows()
    put(connection, "agg_sales_daily", sales)
    put(connection, "agg_sales_monthly", month_rows(sales))
    put(connection, "agg_store_daily", store_rows(sales))
    put(
        connection,
        "dim_product",
        [
            {"product_id": number, "sku": f"SKU-{number}", "title": title, "category_name": category}
            for number, title, category in PRODUCTS
        ],
    )
    put(
        connection,
        "loads",
        [
            {"table_name": name, "batch": 1, "run_id": "run-1", "loaded_at": LOADED - timedelta(minutes=place)}
            for place, name in enumerate(contracts)
            if name not in OPERATIONAL
        ],
    )
    put(connection, "agg_customer_cohort", cohort_rows())
    put(connection, "agg_customer_rfm", person_rows())
    put(connection, "agg_product_stock", stock_rows())
    put(connection, "fct_inventory_daily", movement_rows())
    for table, rows in run_rows().items():
        put(connection, table, rows)
