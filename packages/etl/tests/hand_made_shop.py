"""A handful of silver rows, and the reference shop's gold SQL over them: no store, no catalogue, only the SELECTs."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from pyspark.sql.pandas.types import to_arrow_schema
from reference_shop import shop_project
from shoplake_core.contracts import Rebuild
from shoplake_etl.gold_reads import GoldSession
from shoplake_etl.gold_rows import bound_sql, held_scope, scope_values, touched_scope, typed_result
from shoplake_etl.gold_tests import GoldTests
from shoplake_etl.spark_types import stored_schema

SETTINGS = {"store_time_zone": "Europe/Berlin", "store_currency": "EUR"}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def numbers(**columns):
    return {name: Decimal(str(value)) if isinstance(value, float | str) else value for name, value in columns.items()}


class HandMadeShop:
    """Rows of silver by table; every column that a row does not name has the value that matters least."""

    def __init__(self, spark):
        self.spark = GoldSession(spark).spark
        self.project = shop_project()
        self.silver = {name: [] for name in self.project.silver}
        self.gold = {}
        self.warnings = {}

    def _add(self, table, row):
        plain = {"boolean": False, "date": date(2026, 1, 1), "timestamp": moment("2026-01-01T00:00:00")}
        full = {}
        for column in self.project.silver[table].columns:
            kind = column.stored_type
            default = "x" if kind.is_text else plain.get(kind.kind.value, 0)
            value = row.get(column.name, None if column.nullable else default)
            is_decimal = kind.kind.value in {"decimal", "uint64"}
            full[column.name] = Decimal(str(value)) if is_decimal and value is not None else value
        assert set(row) <= set(full), set(row) - set(full)
        self.silver[table].append(full)

    def product(self, key, **row):
        self._add("products", {"product_id": key, "price": 10, "is_active": True, "currency": "EUR", **row})

    def customer(self, key, email=None, **row):
        self._add("customers", {"customer_id": key, "email": email, "country": "DE", **row})

    def order(self, key, customer, placed, lines, *, rate="1", currency="EUR", paid="captured", **row):
        """lines: (product, quantity, unit price, discount), and True for a gift card as a fifth."""
        subtotal = sum(Decimal(str(price)) * quantity for _, quantity, price, *_ in lines)
        discount = sum(Decimal(str(line[3])) for line in lines)
        tax, shipping = Decimal(str(row.pop("tax", 0))), Decimal(str(row.pop("shipping", 0)))
        method = row.pop("method", "card")
        if "cancelled_at" in row:
            row |= {"status": "cancelled", "cancelled_at": moment(row["cancelled_at"])}
        self._add(
            "orders",
            {
                "order_id": key,
                "customer_id": customer,
                "status": "paid",
                "channel": "web",
                "ship_country": "DE",
                "currency": currency,
                "exchange_rate": rate,
                "placed_at": moment(placed),
                "subtotal": subtotal,
                "discount": discount,
                "tax": tax,
                "shipping": shipping,
                "total": subtotal - discount + tax + shipping,
                **row,
            },
        )
        for number, (product, quantity, price, line_discount, *gift) in enumerate(lines, start=1):
            self._add(
                "order_items",
                {
                    "order_id": key,
                    "line_no": number,
                    "product_id": product,
                    "quantity": quantity,
                    "unit_price": price,
                    "discount": line_discount,
                    "is_gift_card": bool(gift),
                },
            )
        self._add(
            "payments",
            {
                "payment_id": key * 10,
                "order_id": key,
                "method": method,
                "status": paid,
                "amount": subtotal - discount + tax + shipping,
                "currency": currency,
                "paid_at": moment(placed),
            },
        )

    def refund(self, key, order, line, quantity, amount, at):
        self._add(
            "refunds",
            {"refund_id": key, "order_id": order, "line_no": line, "quantity": quantity, "amount": amount}
            | {"refunded_at": moment(at)},
        )

    def move(self, key, product, warehouse, kind, quantity, at):
        self._add(
            "stock_movements",
            {"movement_id": key, "product_id": product, "warehouse_id": warehouse, "kind": kind, "quantity": quantity}
            | {"moved_at": moment(at)},
        )

    def level(self, product, warehouse, on_hand, committed=0):
        self._add(
            "inventory_levels",
            {"product_id": product, "warehouse_id": warehouse, "on_hand": on_hand, "committed": committed},
        )

    def build(self, *models, today="2026-12-31"):
        """Build those models and all that they read, in reading order, with their tests."""
        wanted = set(models)
        for name in reversed(self.project.gold):
            if name in wanted:
                wanted |= set(self.project.gold[name].reads) & set(self.project.gold)
        tables = {}
        for name, rows in self.silver.items():
            schema = stored_schema(self.project.silver[name])
            # values, not a distributed collection: joins need no shuffle
            tables[name] = self.spark.createDataFrame(pa.Table.from_pylist(rows, to_arrow_schema(schema)), schema)
            tables[name].createOrReplaceTempView(name)
        for name, contract in self.project.gold.items():
            if name not in wanted:
                continue
            if contract.rebuild is Rebuild.SCOPE:
                held_scope(self._scope(contract, tables), small=True)[0].createOrReplaceTempView("scope")
            sql = bound_sql(self.project.gold_sql[name], SETTINGS, model=name)
            selected = typed_result(self.spark.sql(sql), contract)
            values = selected.toArrow()
            result = self.spark.createDataFrame(values, selected.schema)
            rows = result.select(F.struct("*").alias("new"))
            found = values.to_pylist()
            keys = [tuple(row[column] for column in contract.key) for row in found]
            assert len(set(keys)) == len(keys), name
            assert not [c.name for c in contract.columns if not c.nullable and None in {row[c.name] for row in found}]
            tests = GoldTests(self.spark, contract, rows, {**SETTINGS, "today": today})
            counts = tests.counts()
            self.warnings[name] = tests.judged({} if counts is None else dict(counts.collect()))
            self.gold[name] = found
            tables[name] = result
            result.createOrReplaceTempView(name)
        return self

    def _scope(self, contract, tables):
        if contract.everything:
            return scope_values(self.spark.sql(contract.everything), contract, where="everything").distinct()
        changes = {read: tables[read].select(F.lit("I").alias("_op"), "*") for read in contract.reads}
        return touched_scope(self.spark, contract, changes)

    def rows(self, model, *columns, **where):
        """Tuples of those columns, ascending, of the rows that hold the values given."""
        found = [row for row in self.gold[model] if all(row[name] == value for name, value in where.items())]
        return sorted((tuple(_plain(row[name]) for name in columns) for row in found), key=str)


def _plain(value):
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value
