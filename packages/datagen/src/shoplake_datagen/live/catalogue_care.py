"""Transactions on the catalogue: prices, titles, stock and new products."""

import json
from decimal import Decimal
from hashlib import blake2b

from shoplake_datagen.catalogue import WAREHOUSES, product_title
from shoplake_datagen.live.faults import plant_fault
from shoplake_datagen.live.movements import record_movement
from shoplake_datagen.live.session import Change
from shoplake_datagen.live.worker import Worker

__all__ = ["change_category_prices", "change_price", "launch_product", "rename_product", "restock"]


def change_price(worker: Worker) -> bool:
    """One product costs up to a tenth more or less."""
    factor = Decimal(90 + worker.pick(21)).scaleb(-2)
    sql = "UPDATE products SET price = GREATEST(0.95, ROUND(price * %s, 2)) WHERE product_id = %s"
    product_id = worker.facts.product_ids[worker.pick(len(worker.facts.product_ids))]
    worker.session.change("products", Change.UPDATE, sql, (factor, product_id))
    return True


def change_category_prices(worker: Worker) -> bool:
    """Every product of a category costs a little more or less: many rows in one statement."""
    factor = Decimal(97 + worker.pick(8)).scaleb(-2)
    category_id = worker.facts.category_ids[worker.pick(len(worker.facts.category_ids))]
    sql = "UPDATE products SET price = GREATEST(0.95, ROUND(price * %s, 2)) WHERE category_id = %s ORDER BY product_id"
    worker.session.change("products", Change.UPDATE, sql, (factor, category_id))
    return True


def rename_product(worker: Worker) -> bool:
    """A product gets another first word: "Nordic Lamp 12" becomes "Velvet Lamp 12"."""
    words = worker.vocabulary.product_words
    sql = "UPDATE products SET title = CONCAT(%s, SUBSTRING(title, LOCATE(' ', title))) WHERE product_id = %s"
    product_id = worker.facts.free_product_id(worker.rng)
    worker.session.change("products", Change.UPDATE, sql, (words[worker.pick(len(words))], product_id))
    return True


def restock(worker: Worker) -> bool:
    """A delivery arrives: INSERT ... ON DUPLICATE KEY UPDATE, as stock systems do."""
    product_id = worker.facts.product_ids[worker.pick(len(worker.facts.product_ids))]
    pieces = 5 + worker.pick(60)
    warehouse_id = 1 + worker.pick(WAREHOUSES)
    worker.session.upsert(
        "inventory_levels",
        "INSERT INTO inventory_levels (product_id, warehouse_id, on_hand, committed) VALUES (%s, %s, %s, 0)"
        " ON DUPLICATE KEY UPDATE on_hand = on_hand + %s",
        (product_id, warehouse_id, pieces, pieces),
    )
    record_movement(worker, product_id, warehouse_id, "receipt", pieces)
    return True


def launch_product(worker: Worker) -> bool:
    """A new product with its stock in every warehouse."""
    session, words = worker.session, worker.vocabulary.product_words
    category_id = worker.facts.category_ids[worker.pick(len(worker.facts.category_ids))]
    facts = json.dumps({"colour": "red", "launched": True})
    # IGNORE: two loads with one seed at the same time would otherwise trip over each other's SKU.
    inserted = session.change(
        "products",
        Change.INSERT,
        "INSERT IGNORE INTO products (category_id, sku, title, price, currency, attributes, tags, is_active, weight_grams)"
        " VALUES (%s, %s, %s, %s, 'EUR', %s, 'new', 1, %s)",
        (
            category_id,
            f"N{blake2b(worker.unique.encode(), digest_size=6).hexdigest()[:11].upper()}",
            product_title(words[worker.pick(len(words))], "Novelty", worker.pick(10_000)),
            Decimal(900 + worker.pick(9_000)).scaleb(-2),
            facts,
            100 + worker.pick(4_000),
        ),
    )
    if not inserted:
        return False
    product_id = int(session.rows("SELECT LAST_INSERT_ID()")[0][0])
    for warehouse in range(1, WAREHOUSES + 1):
        stock = {"product_id": product_id, "warehouse_id": warehouse, "on_hand": worker.pick(40), "committed": 0}
        session.insert("inventory_levels", stock)
        record_movement(worker, product_id, warehouse, "opening", stock["on_hand"])
    plant_fault(worker, "products", "product_id", product_id)
    return True
