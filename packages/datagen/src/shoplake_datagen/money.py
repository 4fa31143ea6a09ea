"""Exact money: whole cents in, whole cents out, for many orders at once or for one. No floating point anywhere."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["STORE_RATE", "OrderAmounts", "in_currency", "order_amounts", "refund_amount"]

STORE_RATE = 1_000_000  # exchange rates are in millionths of the store's currency
_FREE_SHIPPING_CENTS = 6_000
_Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAmounts:
    """What orders cost, in cents of their currency.

    total = subtotal - discount + tax + shipping, and the lines' discounts sum to the order's.
    """

    subtotal: _Integers
    discount: _Integers
    tax: _Integers
    shipping: _Integers
    total: _Integers
    line_discount: _Integers


def in_currency(store_cents: _Integers, rate: _Integers) -> _Integers:
    """Cents of a currency worth `store_cents`, half up; `rate` is its worth in millionths of the store's."""
    return np.asarray((store_cents * STORE_RATE + rate // 2) // rate, dtype=np.int64)


def order_amounts(
    order_of_line: _Integers,
    line_gross: _Integers,
    *,
    discount_percent: _Integers,
    tax_basis_points: _Integers,
    shipping_cents: _Integers,
) -> OrderAmounts:
    """The amounts of every order and line.

    Args:
        order_of_line: Number of the order that the line belongs to, ascending; each order has a line.
        line_gross: Unit price x quantity, in cents.
        discount_percent: 0 to 50, one an order.
        tax_basis_points: Tax on the discounted goods, in hundredths of a percent, one an order.
        shipping_cents: One an order; waived where the discounted goods cost 60 or more.

    """
    orders = len(discount_percent)
    starts = np.searchsorted(order_of_line, np.arange(orders))
    subtotal = np.add.reduceat(line_gross, starts)
    discount = subtotal * discount_percent // 100
    share = line_gross * discount_percent[order_of_line] // 100
    # What rounding down left over goes to the order's dearest line: never more cents than it has lines.
    rest = discount - np.add.reduceat(share, starts)
    dearest_first = np.lexsort((-line_gross, order_of_line))
    line_discount = share.copy()
    line_discount[dearest_first[starts]] += rest
    goods = subtotal - discount
    tax = (goods * tax_basis_points + 5_000) // 10_000
    shipping = np.where(goods >= _FREE_SHIPPING_CENTS, 0, shipping_cents)
    return OrderAmounts(
        subtotal=subtotal,
        discount=discount,
        tax=tax,
        shipping=shipping,
        total=goods + tax + shipping,
        line_discount=line_discount,
    )


def refund_amount(
    line_gross: _Integers, line_discount: _Integers, *, quantity: _Integers, returned: _Integers
) -> _Integers:
    """Cents given back for `returned` of `quantity` pieces: never more than was paid for the line."""
    return np.asarray((line_gross - line_discount) * returned // quantity, dtype=np.int64)
