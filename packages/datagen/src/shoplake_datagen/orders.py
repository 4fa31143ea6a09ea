"""Orders and their lines: what was bought, for how much, and how far each order has come by the reference time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shoplake_datagen.arrivals import MICROSECONDS_A_DAY, StoreCalendar
from shoplake_datagen.catalogue import Catalogue
from shoplake_datagen.dirt_keys import is_reserved
from shoplake_datagen.money import STORE_RATE, OrderAmounts, in_currency, order_amounts
from shoplake_datagen.rows import Column, Form, TableRows, escaped
from shoplake_datagen.streams import stream
from shoplake_datagen.vocabulary import Vocabulary

__all__ = [
    "CANCELLED",
    "CHANNELS",
    "CURRENCIES",
    "DELIVERED",
    "PAID",
    "PENDING",
    "SHIPPED",
    "STATUSES",
    "Sales",
    "draw_sales",
    "item_rows",
    "order_rows",
]

STATUSES = ("pending", "paid", "shipped", "delivered", "cancelled")
PENDING, PAID, SHIPPED, DELIVERED, CANCELLED = range(5)
CHANNELS = ("web", "app", "store", "marketplace")
CURRENCIES = ("EUR", "USD", "GBP")
_STORE_CHANNEL = 2
_MIDDLE_RATES = (1_000_000, 915_000, 1_168_000)  # millionths of a euro for one unit, in the order of CURRENCIES
_LINE_COUNTS = np.array([0.42, 0.27, 0.15, 0.08, 0.05, 0.03])
_QUANTITIES = np.array([0.72, 0.18, 0.05, 0.03, 0.02])
_Integers = NDArray[np.int64]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """Orders and lines as arrays; order number n has the id n + 1."""

    placed_at: _Integers
    customer: _Integers
    status: _Integers
    status_at: _Integers
    channel: _Integers
    currency: _Integers
    rate: _Integers
    place: _Integers
    is_test: _Flags
    amounts: OrderAmounts
    order_of_line: _Integers
    line_no: _Integers
    product: _Integers
    quantity: _Integers
    unit_price: _Integers
    line_gross: _Integers
    is_gift_card: _Flags

    @property
    def is_open(self) -> _Flags:
        """Orders whose pieces are promised and not yet gone."""
        return np.asarray((self.status == PENDING) | (self.status == PAID))


def _choice(rng: np.random.Generator, weights: NDArray[np.float64], count: int) -> _Integers:
    cumulative = np.cumsum(weights)
    return np.asarray(np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right"), dtype=np.int64)


def _exchange_rates(seed: int, days: int) -> _Integers:
    """Millionths of the store's currency, currency x day: a slow random walk."""
    steps = stream(seed, "exchange rates").normal(0, 0.003, (len(CURRENCIES), days))
    steps[0] = 0.0
    walk = np.exp(np.clip(np.cumsum(steps, axis=1), -0.15, 0.15))
    return np.asarray(np.rint(np.array(_MIDDLE_RATES)[:, None] * walk), dtype=np.int64)


def _statuses(seed: int, placed_at: _Integers, channel: _Integers, end: int) -> tuple[_Integers, _Integers]:
    """(status, when it was reached) of each order."""
    rng = stream(seed, "statuses")
    count = len(placed_at)
    age_days = (end - placed_at) / MICROSECONDS_A_DAY
    ship_days, carry_days = rng.gamma(2.0, 0.6, count), rng.gamma(2.5, 1.0, count)
    pay_days = np.where(rng.random(count) < 0.93, rng.exponential(0.003, count), rng.gamma(2.0, 2.0, count))
    pay_days = np.where(rng.random(count) < 0.006, np.inf, pay_days)
    in_store = channel == _STORE_CHANNEL
    steps = np.stack([pay_days, np.where(in_store, 0.0, ship_days), np.where(in_store, 0.0, carry_days)])
    reached = np.cumsum(steps, axis=0)
    status = (reached <= age_days).sum(axis=0)  # PENDING to DELIVERED
    cancel_days = rng.exponential(0.7, count)
    # Only what has not been sent can be cancelled.
    cancelled = (rng.random(count) < 0.05) & ~in_store & (cancel_days < age_days) & (cancel_days < reached[1])
    after_days = np.where(
        status == PENDING, 0.0, np.take_along_axis(reached, np.maximum(status - 1, 0)[None], axis=0)[0]
    )
    after_days = np.where(cancelled, cancel_days, np.where(np.isfinite(after_days), after_days, 0.0))
    at = placed_at + (after_days * MICROSECONDS_A_DAY).astype(np.int64)
    return np.where(cancelled, CANCELLED, status), np.minimum(at, end - 1)


def draw_sales(
    seed: int,
    vocabulary: Vocabulary,
    catalogue: Catalogue,
    calendar: StoreCalendar,
    *,
    placed_at: _Integers,
    customer: _Integers,
    customer_place: _Integers,
) -> Sales:
    """The orders placed at those moments by those customers, with their lines and exact amounts."""
    rng = stream(seed, "orders")
    count = len(placed_at)
    places = vocabulary.countries
    place = customer_place[customer]
    moved = rng.random(count) < 0.02  # sent to a country that is not the buyer's
    place = np.where(moved, rng.integers(0, len(places), count), place)
    channel = _choice(rng, np.array([0.55, 0.28, 0.07, 0.10]), count)
    currency = np.array([CURRENCIES.index(p.currency) for p in places])[place]
    day = calendar.wall_clock(placed_at) // MICROSECONDS_A_DAY
    first_day = int(day.min()) if count else 0
    rates = _exchange_rates(seed, int(day.max()) - first_day + 1 if count else 1)
    rate = rates[currency, day - first_day]
    status, status_at = _statuses(seed, placed_at, channel, calendar.end)

    lines = _choice(rng, _LINE_COUNTS, count) + 1
    order_of_line = np.repeat(np.arange(count), lines)
    line_no = np.arange(len(order_of_line)) - np.repeat(np.cumsum(lines) - lines, lines) + 1
    products = len(catalogue.price)
    product = np.minimum(np.searchsorted(catalogue.popularity, rng.random(len(order_of_line))), products - 1)
    quantity = _choice(rng, _QUANTITIES, len(order_of_line)) + 1
    was = placed_at[order_of_line] < catalogue.price_changed_at[product]
    store_cents = np.where(was, catalogue.former_price[product], catalogue.price[product])
    unit_price = in_currency(store_cents, rate[order_of_line]) * 100  # ten-thousandths
    # A quarter of a cent in the unit price, sold in fours: right only for those who keep all four decimals.
    by_the_four = rng.random(len(unit_price)) < 0.01
    unit_price = np.where(by_the_four, unit_price + rng.integers(1, 4, len(unit_price)) * 25, unit_price)
    quantity = np.where(by_the_four, 4 * rng.integers(1, 4, len(unit_price)), quantity)
    free = (line_no > 1) & (rng.random(len(unit_price)) < 0.01)
    unit_price = np.where(free, 0, unit_price)
    line_gross = unit_price * quantity // 100
    percent = np.array([0, 5, 10, 15, 20, 30])[_choice(rng, np.array([0.74, 0.07, 0.09, 0.05, 0.04, 0.01]), count)]
    amounts = order_amounts(
        order_of_line,
        line_gross,
        discount_percent=percent,
        tax_basis_points=np.array([p.tax_basis_points for p in places])[place],
        shipping_cents=np.where(channel == _STORE_CHANNEL, 0, np.array([p.shipping_cents for p in places])[place]),
    )
    return Sales(
        placed_at=placed_at,
        customer=customer,
        status=status,
        status_at=status_at,
        channel=channel,
        currency=currency,
        rate=np.where(currency == 0, STORE_RATE, rate),
        place=place,
        is_test=rng.random(count) < 0.005,
        amounts=amounts,
        order_of_line=order_of_line,
        line_no=line_no,
        product=product,
        quantity=quantity,
        unit_price=unit_price,
        line_gross=line_gross,
        is_gift_card=catalogue.is_gift_card[product],
    )


def order_rows(seed: int, sales: Sales, vocabulary: Vocabulary) -> TableRows:
    """The rows of `orders`."""
    rng = stream(seed, "order notes")
    count = len(sales.placed_at)
    amounts = sales.amounts
    cancelled = sales.status == CANCELLED
    notes = [escaped(note) for note in vocabulary.notes]
    currencies = [currency.encode() for currency in CURRENCIES]
    return TableRows(
        name="orders",
        columns=(
            Column(name="order_id", form=Form.INTEGER, values=np.arange(1, count + 1, dtype=np.int64)),
            Column(name="customer_id", form=Form.INTEGER, values=sales.customer + 1),
            Column(name="status", form=Form.POOL, values=sales.status, pool=[s.encode() for s in STATUSES]),
            Column(name="channel", form=Form.POOL, values=sales.channel, pool=[c.encode() for c in CHANNELS]),
            Column(name="currency", form=Form.POOL, values=sales.currency, pool=currencies),
            Column(name="exchange_rate", form=Form.MILLIONTHS, values=sales.rate),
            Column(name="subtotal", form=Form.CENTS, values=amounts.subtotal),
            Column(name="discount", form=Form.CENTS, values=amounts.discount),
            Column(name="tax", form=Form.CENTS, values=amounts.tax),
            Column(name="shipping", form=Form.CENTS, values=amounts.shipping),
            Column(name="total", form=Form.CENTS, values=amounts.total),
            Column(
                name="ship_country",
                form=Form.POOL,
                values=sales.place,
                pool=[p.country.encode() for p in vocabulary.countries],
            ),
            Column(name="is_test", form=Form.INTEGER, values=sales.is_test.astype(np.int64)),
            Column(
                name="note",
                form=Form.POOL,
                values=rng.integers(0, len(notes), count),
                nulls=rng.random(count) > 0.06,
                pool=notes,
            ),
            Column(name="placed_at", form=Form.TIMESTAMP, values=sales.placed_at),
            Column(name="cancelled_at", form=Form.TIMESTAMP, values=sales.status_at, nulls=~cancelled),
            Column(name="updated_at", form=Form.TIMESTAMP, values=sales.status_at),
        ),
    )


def item_rows(sales: Sales, *, empty_line_every: int = 0) -> TableRows:
    """The rows of `order_items`.

    Args:
        sales: The orders.
        empty_line_every: Of the reserved orders each such one gets one more line, of quantity 0 (dirt that leaves
            every sum as it is); 0 for none.

    """
    order, line_no = sales.order_of_line, sales.line_no
    product, quantity, unit_price = sales.product, sales.quantity, sales.unit_price
    discount, is_gift_card = sales.amounts.line_discount, sales.is_gift_card.astype(np.int64)
    if empty_line_every:
        last = np.flatnonzero(np.append(order[1:] != order[:-1], True))
        last = last[is_reserved(order[last] + 1)][::empty_line_every]
        zeros = np.zeros(len(last), dtype=np.int64)
        order, line_no = np.append(order, order[last]), np.append(line_no, line_no[last] + 1)
        product, quantity = np.append(product, product[last]), np.append(quantity, zeros)
        unit_price, discount = np.append(unit_price, unit_price[last]), np.append(discount, zeros)
        is_gift_card = np.append(is_gift_card, is_gift_card[last])
    return TableRows(
        name="order_items",
        columns=(
            Column(name="order_id", form=Form.INTEGER, values=order + 1),
            Column(name="line_no", form=Form.INTEGER, values=line_no),
            Column(name="product_id", form=Form.INTEGER, values=product + 1),
            Column(name="quantity", form=Form.INTEGER, values=quantity),
            Column(name="unit_price", form=Form.TEN_THOUSANDTHS, values=unit_price),
            Column(name="discount", form=Form.CENTS, values=discount),
            Column(name="is_gift_card", form=Form.INTEGER, values=is_gift_card),
            Column(name="updated_at", form=Form.TIMESTAMP, values=sales.placed_at[order]),
        ),
    )
