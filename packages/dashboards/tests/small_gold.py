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
        schema = "shoplake" if contract.name == "loads" else "gold"
        connection.execute(f'CREATE TABLE {schema}."{contract.name}" ({columns})')
    if "loads" not in contracts:
        connection.execute(
            "CREATE TABLE shoplake.loads (table_name varchar(256), batch bigint, run_id varchar(256), loaded_at timestamp)"
        )


def put(connection: psycopg.Connection[Any], table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    names = list(rows[0])
    columns = ", ".join(f'"{name}"' for name in names)
    schema = "shoplake" if table == "loads" else "gold"
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


def fill_gold(connection: psycopg.Connection[Any], contracts: Mapping[str, TableContract]) -> None:
    sales = sales_rows()
    put(connection, "agg_sales_daily", sales)
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
            {"table_name": name, "batch": 1, "run_id": "run-1", "loaded_at": LOADED}
            for name in contracts
            if name != "loads"
        ],
    )
