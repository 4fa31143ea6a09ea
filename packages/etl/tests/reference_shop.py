"""Bronze of the reference shop's ten tables, drawn from a seed: enough rows and faults to run both jobs on."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from shoplake_core.contracts import ColumnContract
from shoplake_core.logical_types import Kind
from shoplake_core.project import Project, project_from_folder

SHOP = Path(__file__).parents[3] / "shop"
START = datetime(2026, 1, 1, tzinfo=UTC)
_ARROW = {
    Kind.INT32: pa.int32(),
    Kind.INT64: pa.int64(),
    Kind.UINT16: pa.uint16(),
    Kind.UINT32: pa.uint32(),
    Kind.UINT64: pa.uint64(),
    Kind.BOOLEAN: pa.int8(),
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP: pa.timestamp("us", "UTC"),
}


def shop_project() -> Project:
    return project_from_folder(SHOP)


def arrow_schema(columns: tuple[ColumnContract, ...]) -> pa.Schema:
    def kind(column: ColumnContract) -> pa.DataType:
        logical = column.source_type
        if logical.kind is Kind.DECIMAL:
            return pa.decimal128(logical.precision, logical.scale)
        return _ARROW.get(logical.kind, pa.string())

    return pa.schema([(c.source_name, kind(c)) for c in columns])


class ShopRows:
    """Rows of every table, by table name; the same for the same seed."""

    def __init__(self, orders: int, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.customers = max(2, orders // 4)
        self.products = 50
        self.orders = orders

    def money(self, low: int, high: int, places: str = "0.01") -> Decimal:
        return (Decimal(self.random.randint(low * 100, high * 100)) / 100).quantize(Decimal(places))

    def at(self, day_fraction: float) -> datetime:
        return START + timedelta(seconds=round(day_fraction * 86400))

    def customer(self, key: int, country: str = "DE") -> dict:
        return {
            "customer_id": key,
            "email": f" Person{key % 97}@Example.com " if key % 11 else "no address",
            "full_name": f"Person {key}",
            "phone": f"+49 30 {key:07d}",
            "birth_date": datetime(1970, 1, 1 + key % 28, tzinfo=UTC).date(),
            "country": country,
            "loyalty_since": ["2024-1-5", "15/7/2019", "", "soon"][key % 4],
            "marketing_opt_in": key % 2,
            "is_guest": int(key % 5 == 0),
            "created_at": self.at(0),
            "updated_at": self.at(0),
        }

    def order(self, key: int, status: str = "paid", customer: int | None = None) -> dict:
        day = key / max(self.orders, 1) * 300
        return {
            "order_id": key,
            "customer_id": customer or 1 + key % self.customers,
            "status": f" {status.upper()} " if key % 13 == 0 else status,
            "channel": self.random.choice(["web", "App", "store"]),
            "currency": "EUR",
            "exchange_rate": Decimal("1.000000"),
            "subtotal": self.money(10, 300),
            "discount": Decimal("1.00"),
            "tax": Decimal("3.00"),
            "shipping": Decimal("4.90"),
            "total": self.money(10, 300),
            "ship_country": "DE" if key % 50 else "D3",
            "is_test": int(key % 100 == 1),
            "note": f"leave at door {key}" if key % 9 == 0 else None,
            "placed_at": self.at(day),
            "cancelled_at": self.at(day + 1) if status == "cancelled" else None,
            "updated_at": self.at(day),
        }

    def item(self, order: int, line: int, quantity: int | None = None) -> dict:
        return {
            "order_id": order,
            "line_no": line,
            "product_id": 1 + (order * 7 + line) % self.products,
            "quantity": self.random.randint(1, 4) if quantity is None else quantity,
            "unit_price": self.money(1, 90, "0.0001"),
            "discount": Decimal("0.50") if line == 1 else Decimal("0.00"),
            "is_gift_card": int(order % 40 == 3 and line == 2),
            "updated_at": self.at(1),
        }

    def refund(self, key: int, order: int) -> dict:
        return {
            "refund_id": key,
            "order_id": order,
            "line_no": 1,
            "quantity": 1,
            "amount": self.money(1, 5),
            "reason": "broken",
            "refunded_at": self.at(200),
            "updated_at": self.at(200),
        }

    def all(self) -> dict[str, list[dict]]:
        at = self.at(0)
        return {
            "categories": [
                {"category_id": k, "parent_id": None, "name": f"Category {k}", "updated_at": at} for k in (1, 2, 3)
            ],
            "products": [
                {
                    "product_id": k,
                    "category_id": 1 + k % 4,
                    "sku": f"sku{k:05d}",
                    "title": f"Product {k}",
                    "price": self.money(1, 90),
                    "currency": "eur",
                    "attributes": "{}",
                    "tags": "new",
                    "is_active": 1,
                    "weight_grams": 100,
                    "created_at": at,
                    "updated_at": at,
                }
                for k in range(1, self.products + 1)
            ],
            "customers": [self.customer(k) for k in range(1, self.customers + 1)],
            "addresses": [
                {
                    "address_id": k,
                    "customer_id": k,
                    "kind": "billing",
                    "line1": f"Street {k}",
                    "city": "Berlin",
                    "postcode": "10115",
                    "country": "de",
                    "updated_at": at,
                }
                for k in range(1, self.customers + 1)
            ],
            "inventory_levels": [
                {"product_id": k, "warehouse_id": w, "on_hand": 5 - k, "committed": 0, "updated_at": at}
                for k in range(1, self.products + 1)
                for w in (1, 2)
            ],
            "stock_movements": [
                {
                    "movement_id": (k - 1) * 2 + w,
                    "product_id": k,
                    "warehouse_id": w,
                    "kind": "opening",
                    "quantity": 5 - k,
                    "moved_at": at,
                    "updated_at": at,
                }
                for k in range(1, self.products + 1)
                for w in (1, 2)
            ],
            "orders": [self.order(k, "cancelled" if k % 20 == 0 else "paid") for k in range(1, self.orders + 1)],
            "order_items": [self.item(o, line) for o in range(1, self.orders + 1) for line in (1, 2)],
            "payments": [
                {
                    "payment_id": o,
                    "order_id": o,
                    "method": "card",
                    "status": "captured",
                    "amount": self.money(10, 300),
                    "currency": "EUR",
                    "paid_at": at,
                    "updated_at": at,
                }
                for o in range(1, self.orders + 1)
            ],
            "refunds": [self.refund(k, 1 + k * 17 % self.orders) for k in range(1, self.orders // 10 + 1)],
        }
