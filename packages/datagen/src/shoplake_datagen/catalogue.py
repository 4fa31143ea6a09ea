"""What the shop sells: categories, products and the stock of each warehouse."""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shoplake_datagen.arrivals import MICROSECONDS_A_DAY
from shoplake_datagen.rows import Column, Form, TableRows, escaped
from shoplake_datagen.streams import stream
from shoplake_datagen.vocabulary import Vocabulary

__all__ = [
    "GIFT_CARD_CATEGORY_ID",
    "WAREHOUSES",
    "Catalogue",
    "category_rows",
    "draw_catalogue",
    "inventory_rows",
    "product_title",
    "warehouse_of",
]

WAREHOUSES = 3
_OVERSOLD_SHARE = 0.02
_Integers = NDArray[np.int64]

# parent -> child categories with the product noun and the middle price in cents
_TREE: dict[str, tuple[tuple[str, str, int], ...]] = {
    "Kitchen": (("Cookware", "Pan", 5_900), ("Tableware", "Bowl", 1_900), ("Coffee", "Kettle", 4_900)),
    "Living": (("Lighting", "Lamp", 7_900), ("Textiles", "Throw", 3_900), ("Furniture", "Shelf", 14_900)),
    "Garden": (("Tools", "Spade", 2_900), ("Plants", "Planter", 2_400), ("Outdoor", "Lantern", 3_400)),
    "Clothing": (("Tops", "Shirt", 2_900), ("Outerwear", "Jacket", 9_900), ("Shoes", "Sneaker", 7_900)),
    "Books & paper": (("Notebooks", "Notebook", 900), ("Prints", "Poster", 1_400)),
    "Gift cards": (("Vouchers", "Gift card", 5_000),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Products as arrays; product number n has the id n + 1.

    Attributes:
        category_id: Of each product.
        price: Cents of the store's currency, now.
        former_price: The same before `price_changed_at`.
        price_changed_at: Microseconds.
        popularity: Cumulative share of sales up to and with each product.
        is_gift_card: Whether it is a voucher.

    """

    category_id: _Integers
    price: _Integers
    former_price: _Integers
    price_changed_at: _Integers
    popularity: NDArray[np.float64]
    is_gift_card: NDArray[np.bool_]
    rows: TableRows


def _categories() -> list[tuple[int, str, str, int]]:
    """(parent id or 0, name, noun or "", middle price) in the order of their ids, from 1."""
    categories: list[tuple[int, str, str, int]] = [(0, name, "", 0) for name in _TREE]
    for parent, children in enumerate(_TREE.values(), start=1):
        categories += [(parent, *child) for child in children]
    return categories


GIFT_CARD_CATEGORY_ID = next(n for n, (_, name, *_) in enumerate(_categories(), start=1) if name == "Vouchers")


def category_rows(start: int) -> TableRows:
    """Two levels of categories, last changed at `start`."""
    categories = _categories()
    parents = np.array([parent for parent, *_ in categories], dtype=np.int64)
    numbers = np.arange(len(categories), dtype=np.int64)
    return TableRows(
        name="categories",
        columns=(
            Column(name="category_id", form=Form.INTEGER, values=numbers + 1),
            Column(name="parent_id", form=Form.INTEGER, values=parents, nulls=parents == 0),
            Column(name="name", form=Form.POOL, values=numbers, pool=[escaped(name) for _, name, *_ in categories]),
            Column(name="updated_at", form=Form.TIMESTAMP, values=np.full(len(categories), start, dtype=np.int64)),
        ),
    )


def product_title(word: str, noun: str, number: int) -> str:
    """The title of a product, such as "Nordic Lamp 12"; unique by its number."""
    return f"{word} {noun} {number}"


def warehouse_of(order_id: _Integers | int) -> _Integers:
    """The warehouse that ships that order."""
    return np.asarray(np.asarray(order_id) % WAREHOUSES + 1, dtype=np.int64)


def draw_catalogue(seed: int, count: int, vocabulary: Vocabulary, *, start: int, end: int) -> Catalogue:
    """`count` products, of which few sell much (Zipf), all older than the history's `start`."""
    rng = stream(seed, "products")
    leaves = [(i + 1, noun, price) for i, (parent, _, noun, price) in enumerate(_categories()) if parent]
    leaf = np.concatenate(
        [np.arange(min(len(leaves), count)), rng.integers(0, len(leaves), max(0, count - len(leaves)))]
    )
    middle = np.array([price for _, _, price in leaves])[leaf]
    # Prices end in 0, 5 or 9 and lie around the category's middle.
    price = np.maximum(100, (middle * np.exp(rng.normal(0, 0.45, count))).astype(np.int64) // 10 * 10)
    price = price + np.array([0, 5, 9, 9])[rng.integers(0, 4, count)] - 10 * (rng.random(count) < 0.1)
    price = np.maximum(price, 95)
    former = np.maximum(95, price * rng.integers(80, 116, count) // 100)
    unchanged = rng.random(count) < 0.6
    changed_at = rng.integers(start, end, count)
    rank = rng.permutation(count)
    weight = 1 / (rank + 2.0) ** 0.9
    created = start - rng.integers(1, 900 * MICROSECONDS_A_DAY, count)
    words = rng.integers(0, len(vocabulary.product_words), count).tolist()
    colours = rng.integers(0, 6, count).tolist()
    renamed = (rng.random(count) < 0.03).tolist()
    titles, attributes, skus = [], [], []
    for number, (leaf_number, word) in enumerate(zip(leaf.tolist(), words, strict=True)):
        category_id, noun, _ = leaves[leaf_number]
        title = product_title(vocabulary.product_words[word], noun, number + 1)
        facts: dict[str, object] = {"colour": ("black", "white", "red", "blue", "grün", "oak")[colours[number]]}
        if renamed[number]:
            facts["formerly"] = f"{noun} {number + 1}"
        titles.append(escaped(title))
        attributes.append(escaped(json.dumps(facts, ensure_ascii=False)))
        skus.append(f"SKU{category_id:02d}-{number + 1:06d}"[:12].encode())
    numbers = np.arange(count, dtype=np.int64)
    heavy = rng.integers(50, 12_000, count)
    category_id = np.array([leaves[number][0] for number in leaf.tolist()], dtype=np.int64)
    tags = (b"", b"new", b"sale", b"gift", b"bulky", b"new,gift", b"sale,bulky", b"new,sale,gift")
    rows = TableRows(
        name="products",
        columns=(
            Column(name="product_id", form=Form.INTEGER, values=numbers + 1),
            Column(name="category_id", form=Form.INTEGER, values=category_id),
            Column(name="sku", form=Form.POOL, values=numbers, pool=skus),
            Column(name="title", form=Form.POOL, values=numbers, pool=titles),
            Column(name="price", form=Form.CENTS, values=price),
            Column(name="currency", form=Form.POOL, values=np.zeros(count, dtype=np.int64), pool=(b"EUR",)),
            Column(name="attributes", form=Form.POOL, values=numbers, nulls=rng.random(count) < 0.1, pool=attributes),
            Column(
                name="tags", form=Form.POOL, values=rng.integers(0, 8, count), nulls=rng.random(count) < 0.05, pool=tags
            ),
            Column(name="is_active", form=Form.BIT, values=(rng.random(count) < 0.95).astype(np.int64)),
            Column(name="weight_grams", form=Form.INTEGER, values=heavy, nulls=rng.random(count) < 0.08),
            Column(name="created_at", form=Form.TIMESTAMP, values=created),
            Column(name="updated_at", form=Form.TIMESTAMP, values=np.where(unchanged, created, changed_at)),
        ),
    )
    return Catalogue(
        category_id=category_id,
        price=price,
        former_price=np.where(unchanged, price, former),
        price_changed_at=changed_at,
        popularity=np.cumsum(weight) / weight.sum(),
        is_gift_card=category_id == GIFT_CARD_CATEGORY_ID,
        rows=rows,
    )


def inventory_rows(seed: int, committed: NDArray[np.int64], *, end: int) -> TableRows:
    """Stock of every product and warehouse; some is oversold.

    Args:
        seed: Of the whole shop.
        committed: Pieces promised to open orders, product x warehouse.
        end: The reference time, in microseconds.

    """
    rng = stream(seed, "inventory")
    products = committed.shape[0]
    count = products * WAREHOUSES
    promised = committed.reshape(-1)
    on_hand = promised + np.exp(rng.normal(3.6, 1.0, count)).astype(np.int64)
    on_hand = np.where(rng.random(count) < _OVERSOLD_SHARE, -rng.integers(1, 12, count), on_hand)
    numbers = np.arange(count, dtype=np.int64)
    return TableRows(
        name="inventory_levels",
        columns=(
            Column(name="product_id", form=Form.INTEGER, values=numbers // WAREHOUSES + 1),
            Column(name="warehouse_id", form=Form.INTEGER, values=numbers % WAREHOUSES + 1),
            Column(name="on_hand", form=Form.INTEGER, values=on_hand),
            Column(name="committed", form=Form.INTEGER, values=promised),
            Column(
                name="updated_at", form=Form.TIMESTAMP, values=end - rng.integers(1, 30 * MICROSECONDS_A_DAY, count)
            ),
        ),
    )
