"""Which transactions a shop sees and how often, as one table."""

from collections.abc import Callable

import numpy as np

from shoplake_datagen.live.catalogue_care import (
    change_category_prices,
    change_price,
    launch_product,
    rename_product,
    restock,
)
from shoplake_datagen.live.order_life import advance_order, cancel_order, delete_order, refund_line
from shoplake_datagen.live.people_care import (
    delete_address,
    erase_customer,
    move_house,
    renumber_address,
    replace_address,
    update_customer,
    upsert_address,
)
from shoplake_datagen.live.selling import guest_checkout, new_order, regretted_order, second_thoughts
from shoplake_datagen.live.worker import Worker

__all__ = ["TRANSACTIONS", "Transaction", "choose_transaction"]

# True where it did something; False where it found nothing to do it on.
Transaction = Callable[[Worker], bool]

# Kind -> (transaction, weight). New kinds go to the end: the choice of a seed depends on the order.
TRANSACTIONS: dict[str, tuple[Transaction, float]] = {
    "new_order": (new_order, 34.0),
    "guest_checkout": (guest_checkout, 6.0),
    "advance_order": (advance_order, 26.0),
    "cancel_order": (cancel_order, 2.5),
    "refund_line": (refund_line, 4.0),
    "delete_order": (delete_order, 1.0),
    "second_thoughts": (second_thoughts, 1.5),
    "regretted_order": (regretted_order, 2.0),
    "change_price": (change_price, 3.0),
    "change_category_prices": (change_category_prices, 0.5),
    "rename_product": (rename_product, 1.0),
    "restock": (restock, 4.0),
    "launch_product": (launch_product, 0.5),
    "move_house": (move_house, 3.0),
    "upsert_address": (upsert_address, 2.0),
    "replace_address": (replace_address, 1.5),
    "renumber_address": (renumber_address, 1.0),
    "delete_address": (delete_address, 1.0),
    "update_customer": (update_customer, 4.0),
    "erase_customer": (erase_customer, 0.5),
}
_KINDS = tuple(TRANSACTIONS)
_CUMULATIVE = np.cumsum([weight for _, weight in TRANSACTIONS.values()])


def choose_transaction(rng: np.random.Generator) -> str:
    """The name of one kind, drawn by weight."""
    return _KINDS[int(np.searchsorted(_CUMULATIVE, rng.random() * _CUMULATIVE[-1], side="right"))]
