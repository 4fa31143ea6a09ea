"""Which customer places which order: first orders, guests and returning customers along the history."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shoplake_datagen.arrivals import MICROSECONDS_A_DAY
from shoplake_datagen.streams import stream

__all__ = ["Buyers", "draw_buyers"]

_GUEST_SHARE = 0.12
_FIRST_ORDER_SHARE = (0.6, 0.24)  # of the account holders' orders, at the history's start and end
_BROWSERS = 0.06  # accounts that never ordered, per customer
_Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyers:
    """The customers as numbers (id less one) and who placed each order.

    Attributes:
        customer: Customer number of each order.
        created_at: Microseconds, one a customer, ascending.
        is_guest: One a customer.

    """

    customer: _Integers
    created_at: _Integers
    is_guest: NDArray[np.bool_]


def draw_buyers(seed: int, placed_at: _Integers, *, end: int) -> Buyers:
    """The buyers of the orders placed at those moments (ascending)."""
    rng = stream(seed, "buyers")
    count = len(placed_at)
    guest = rng.random(count) < _GUEST_SHARE
    share = np.linspace(*_FIRST_ORDER_SHARE, count)
    first = ~guest & (rng.random(count) < share)
    if count:
        guest[0], first[0] = False, True
    returning = np.flatnonzero(~guest & ~first)
    account_order = np.flatnonzero(first)
    known = np.cumsum(first)[returning]  # accounts that exist by then
    draw = rng.random(len(returning))
    # Half come back soon after their first order, half are the loyal few of the early days.
    recent = known - 1 - (known * draw**2).astype(np.int64)
    loyal = (known * draw**1.8).astype(np.int64)
    account = np.where(rng.random(len(returning)) < 0.5, recent, loyal)
    makes_customer = np.flatnonzero(guest | first)
    lead = np.where(guest[makes_customer], 0.0, rng.exponential(1.5, len(makes_customer)))
    created = placed_at[makes_customer] - 60_000_000 - (lead * MICROSECONDS_A_DAY).astype(np.int64)
    browsers = int(len(makes_customer) * _BROWSERS)
    start = int(placed_at[0]) if count else end - 1
    created = np.concatenate([created, rng.integers(start, max(start + 1, end), browsers)])
    order = np.argsort(created, kind="stable")
    number_of = np.empty(len(created), dtype=np.int64)
    number_of[order] = np.arange(len(created))
    customer = np.full(count, -1, dtype=np.int64)
    customer[makes_customer] = number_of[: len(makes_customer)]
    customer[returning] = customer[account_order[account]]
    is_guest = np.concatenate([guest[makes_customer], np.zeros(browsers, dtype=np.bool_)])[order]
    return Buyers(customer=customer, created_at=created[order], is_guest=is_guest)
