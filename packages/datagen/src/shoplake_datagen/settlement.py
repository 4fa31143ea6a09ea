"""Payments and refunds: who paid how, what failed, what came back and when."""

import numpy as np
from numpy.typing import NDArray

from shoplake_datagen.arrivals import MICROSECONDS_A_DAY
from shoplake_datagen.money import refund_amount
from shoplake_datagen.orders import CANCELLED, CURRENCIES, DELIVERED, PENDING, Sales
from shoplake_datagen.rows import Column, Form, TableRows, escaped
from shoplake_datagen.streams import stream
from shoplake_datagen.vocabulary import Vocabulary

__all__ = ["METHODS", "PAYMENT_STATUSES", "payment_rows", "refund_rows"]

METHODS = ("card", "paypal", "invoice", "gift_card")
PAYMENT_STATUSES = ("authorized", "captured", "failed", "refunded")
_AUTHORIZED, _CAPTURED, _FAILED, _REFUNDED = range(4)
_INVOICE, _GIFT_CARD = 2, 3
_RETURN_SHARE = 0.07
_LONGEST_RETURN_DAYS = 90.0
_Integers = NDArray[np.int64]


def payment_rows(seed: int, sales: Sales) -> TableRows:
    """The rows of `payments`: what is captured sums to the order's total, unless the order is pending or cancelled."""
    rng = stream(seed, "payments")
    count = len(sales.placed_at)
    method = np.array([0, 1, _INVOICE])[np.minimum(rng.integers(0, 10, count) // 4, 2)]
    total = sales.amounts.total
    pending, cancelled = sales.status == PENDING, sales.status == CANCELLED
    never_paid = cancelled & (rng.random(count) < 0.4)
    status = np.where(pending, _AUTHORIZED, np.where(never_paid, _FAILED, np.where(cancelled, _REFUNDED, _CAPTURED)))
    status = np.where(pending & (method != _INVOICE) & (rng.random(count) < 0.5), _FAILED, status)
    paid_after = rng.integers(1_000_000, 240_000_000, count)
    paid_at = np.minimum(sales.placed_at + paid_after, sales.status_at)
    settled = (status == _CAPTURED) | (status == _REFUNDED)
    by_gift_card = settled & (rng.random(count) < 0.05) & (total > 0)
    gift_share = np.where(rng.random(count) < 0.3, 100, rng.integers(10, 90, count))
    gift = np.where(by_gift_card, np.maximum(total * gift_share // 100, 1), 0)
    failed_before = settled & (rng.random(count) < 0.03)
    everyone = np.arange(count)
    main = everyone[(total - gift > 0) | ~by_gift_card]
    parts = (
        # order, step within the order, method, status, amount
        (
            everyone[failed_before],
            0,
            method[failed_before],
            np.full(failed_before.sum(), _FAILED),
            total[failed_before],
        ),
        (everyone[by_gift_card], 1, np.full(by_gift_card.sum(), _GIFT_CARD), status[by_gift_card], gift[by_gift_card]),
        (main, 2, method[main], status[main], (total - gift)[main]),
    )
    order = np.concatenate([part[0] for part in parts])
    step = np.concatenate([np.full(len(part[0]), part[1]) for part in parts])
    in_order = np.lexsort((step, order))
    order = order[in_order]
    methods, statuses, amounts = (np.concatenate([part[n] for part in parts])[in_order] for n in (2, 3, 4))
    unpaid = (statuses == _AUTHORIZED) | (statuses == _FAILED)
    return TableRows(
        name="payments",
        columns=(
            Column(name="payment_id", form=Form.INTEGER, values=np.arange(1, len(order) + 1, dtype=np.int64)),
            Column(name="order_id", form=Form.INTEGER, values=order + 1),
            Column(name="method", form=Form.POOL, values=methods, pool=[name.encode() for name in METHODS]),
            Column(name="status", form=Form.POOL, values=statuses, pool=[name.encode() for name in PAYMENT_STATUSES]),
            Column(name="amount", form=Form.CENTS, values=amounts),
            Column(
                name="currency",
                form=Form.POOL,
                values=sales.currency[order],
                pool=[name.encode() for name in CURRENCIES],
            ),
            Column(name="paid_at", form=Form.TIMESTAMP, values=paid_at[order], nulls=unpaid),
            Column(
                name="updated_at",
                form=Form.TIMESTAMP,
                values=np.where(statuses == _REFUNDED, sales.status_at[order], paid_at[order]),
            ),
        ),
    )


def refund_rows(seed: int, sales: Sales, vocabulary: Vocabulary, *, end: int) -> TableRows:
    """The rows of `refunds`: returned lines of delivered orders, days to months after the sale, never above their value."""
    rng = stream(seed, "refunds")
    lines = len(sales.order_of_line)
    returned = (sales.status[sales.order_of_line] == DELIVERED) & (rng.random(lines) < _RETURN_SHARE)
    line = np.flatnonzero(returned & (sales.unit_price > 0))
    order = sales.order_of_line[line]
    days = np.minimum(rng.gamma(1.6, 9.0, len(line)), _LONGEST_RETURN_DAYS)
    at = sales.status_at[order] + MICROSECONDS_A_DAY // 24 + (days * MICROSECONDS_A_DAY).astype(np.int64)
    known = at < end
    line, order, at = line[known], order[known], at[known]
    in_time = np.argsort(at, kind="stable")
    line, order, at = line[in_time], order[in_time], at[in_time]
    quantity = sales.quantity[line]
    pieces = np.where(rng.random(len(line)) < 0.7, quantity, 1 + (rng.random(len(line)) * quantity).astype(np.int64))
    amount = refund_amount(
        sales.line_gross[line], sales.amounts.line_discount[line], quantity=quantity, returned=pieces
    )
    reasons = [escaped(reason) for reason in vocabulary.return_reasons]
    return TableRows(
        name="refunds",
        columns=(
            Column(name="refund_id", form=Form.INTEGER, values=np.arange(1, len(line) + 1, dtype=np.int64)),
            Column(name="order_id", form=Form.INTEGER, values=order + 1),
            Column(name="line_no", form=Form.INTEGER, values=sales.line_no[line]),
            Column(name="quantity", form=Form.INTEGER, values=pieces),
            Column(name="amount", form=Form.CENTS, values=amount),
            Column(
                name="reason",
                form=Form.POOL,
                values=rng.integers(0, len(reasons), len(line)),
                nulls=rng.random(len(line)) < 0.2,
                pool=reasons,
            ),
            Column(name="refunded_at", form=Form.TIMESTAMP, values=at),
            Column(name="updated_at", form=Form.TIMESTAMP, values=at),
        ),
    )
