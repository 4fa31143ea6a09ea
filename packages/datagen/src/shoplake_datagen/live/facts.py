"""What a load needs to know of the shop before it starts: read once, so that its choices depend on the seed alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from pymysql.connections import Connection
from shoplake_core.errors import ConfigError

from shoplake_datagen.catalogue import GIFT_CARD_CATEGORY_ID
from shoplake_datagen.dirt_keys import is_reserved
from shoplake_datagen.orders import CURRENCIES

__all__ = ["ShopFacts", "read_facts"]

_USUAL_RATES = {"EUR": 1_000_000, "USD": 915_000, "GBP": 1_168_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFacts:
    """The shop as a load finds it.

    Attributes:
        product_ids: Ascending.
        product_cents: Their prices, in cents of the store's currency.
        gift_card_ids: The products that are vouchers.
        category_ids: Categories that have products.
        newest_customer_id: Greatest key.
        newest_order_id: Greatest key.
        newest_address_id: Greatest key.
        rates: Millionths of the store's currency for one unit, of each of CURRENCIES.

    """

    product_ids: tuple[int, ...]
    product_cents: tuple[int, ...]
    gift_card_ids: frozenset[int]
    category_ids: tuple[int, ...]
    newest_customer_id: int
    newest_order_id: int
    newest_address_id: int
    rates: tuple[int, ...]

    def customer_id(self, rng: np.random.Generator) -> int:
        """A customer at random; may be gone by now."""
        return int(rng.integers(1, self.newest_customer_id + 1))

    def free_customer_id(self, rng: np.random.Generator) -> int:
        """A customer that no planted fault stands on."""
        return _not_reserved(self.customer_id(rng))

    def free_product_id(self, rng: np.random.Generator) -> int:
        """A product that no planted fault stands on."""
        return _not_reserved(self.product_ids[int(rng.integers(0, len(self.product_ids)))])


def _not_reserved(key: int) -> int:
    return key - 1 if is_reserved(key) else key


def read_facts(connection: "Connection[Any]", schema: str) -> ShopFacts:
    """The facts of the shop in `schema`, which becomes the connection's own database.

    Raises:
        ConfigError: There is no seeded shop.

    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM information_schema.tables"
            " WHERE table_schema = %s AND table_name IN ('products', 'customers', 'orders', 'addresses')",
            (schema,),
        )
        there = cursor.fetchone()
        if there and there[0] == 4:
            connection.select_db(schema)
            cursor.execute(
                "SELECT product_id, CAST(price * 100 AS SIGNED), category_id FROM products ORDER BY product_id"
            )
            products = list(cursor.fetchall())
            newest = []
            for table, key in (("customers", "customer_id"), ("orders", "order_id"), ("addresses", "address_id")):
                cursor.execute(f"SELECT COALESCE(MAX({key}), 0) FROM {table}")
                row = cursor.fetchone()
                newest.append(int(row[0]) if row else 0)
            rates = dict(_USUAL_RATES)
            cursor.execute(
                "SELECT currency, CAST(exchange_rate * 1000000 AS SIGNED) FROM orders"
                " WHERE order_id > %s AND exchange_rate > 0 ORDER BY order_id",
                (newest[1] - 500,),
            )
            rates |= {str(currency).upper(): int(rate) for currency, rate in cursor.fetchall()}
            if products and all(newest):
                return ShopFacts(
                    product_ids=tuple(int(row[0]) for row in products),
                    product_cents=tuple(int(row[1]) for row in products),
                    gift_card_ids=frozenset(int(row[0]) for row in products if row[2] == GIFT_CARD_CATEGORY_ID),
                    category_ids=tuple(sorted({int(row[2]) for row in products})),
                    newest_customer_id=newest[0],
                    newest_order_id=newest[1],
                    newest_address_id=newest[2],
                    rates=tuple(rates[currency] for currency in CURRENCIES),
                )
    raise ConfigError(
        f'schema "{schema}" holds no shop to put a load on',
        hint="seed it first: hatch run datagen:seed --orders 20000",
        schema=schema,
    )
