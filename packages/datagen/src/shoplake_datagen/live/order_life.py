"""Transactions on orders that exist: payment, dispatch, delivery, cancellation, refunds and deletion.

A candidate is looked for without a lock and looked at again under one, so that two loads do not scan each other's locks.
"""

from decimal import Decimal
from typing import Any

from shoplake_datagen.catalogue import warehouse_of
from shoplake_datagen.dirt_keys import RESERVED_REMAINDER, RESERVED_STRIDE
from shoplake_datagen.live.movements import record_movement
from shoplake_datagen.live.session import Change
from shoplake_datagen.live.worker import Worker

__all__ = ["advance_order", "cancel_order", "delete_order", "refund_line"]

_RECENT_ORDERS = 2_000  # candidates are looked for among so many of the newest
_NOW = "CURRENT_TIMESTAMP(6)"


def _locked_order(worker: Worker, *statuses: str) -> tuple[int, str] | None:
    """(order id, status) of a recent order in one of those states, locked; None where none was found."""
    session = worker.session
    newest = max(session.newest_order_id, worker.facts.newest_order_id)
    start = newest - worker.pick(min(newest, _RECENT_ORDERS))
    places = ", ".join(["%s"] * len(statuses))
    found = session.rows(
        f"SELECT order_id FROM orders WHERE order_id >= %s AND status IN ({places})"
        f" AND order_id %% {RESERVED_STRIDE} <> {RESERVED_REMAINDER} ORDER BY order_id LIMIT 1",
        (start, *statuses),
    )
    if not found:
        return None
    order_id = int(found[0][0])
    locked = session.rows("SELECT status FROM orders WHERE order_id = %s FOR UPDATE", (order_id,))
    return (order_id, str(locked[0][0])) if locked and locked[0][0] in statuses else None


def _move_stock(worker: Worker, order_id: int, *, on_hand: int, committed: int) -> None:
    """Add the order's pieces, times the factors given, to what lies in its warehouse and what is promised."""
    items = worker.session.rows(
        "SELECT product_id, SUM(quantity) FROM order_items WHERE order_id = %s GROUP BY product_id ORDER BY product_id",
        (order_id,),
    )
    for product_id, quantity in items:
        worker.session.change(
            "inventory_levels",
            Change.UPDATE,
            "UPDATE inventory_levels SET on_hand = on_hand + %s, committed = committed + %s"
            " WHERE product_id = %s AND warehouse_id = %s",
            (on_hand * int(quantity), committed * int(quantity), product_id, int(warehouse_of(order_id))),
        )
        if on_hand and quantity:
            record_movement(worker, product_id, int(warehouse_of(order_id)), "shipment", on_hand * int(quantity))


def _set_status(worker: Worker, order_id: int, status: str) -> None:
    cancelled = f", cancelled_at = {_NOW}" if status == "cancelled" else ""
    sql = f"UPDATE orders SET status = %s{cancelled} WHERE order_id = %s"
    worker.session.change("orders", Change.UPDATE, sql, (status, order_id))


def advance_order(worker: Worker) -> bool:
    """The next step of an open order: paid, sent or delivered."""
    found = _locked_order(worker, "pending", "paid", "shipped")
    if found is None:
        return False
    order_id, status = found
    if status == "pending":
        payments = worker.session.rows(
            "SELECT payment_id FROM payments WHERE order_id = %s AND status = 'authorized' FOR UPDATE", (order_id,)
        )
        if payments:
            sql = f"UPDATE payments SET status = 'captured', paid_at = {_NOW} WHERE payment_id = %s"
            worker.session.change("payments", Change.UPDATE, sql, (payments[0][0],))
        else:  # the first attempt failed: a second one, of the whole total
            sql = (
                "INSERT INTO payments (order_id, method, status, amount, currency, paid_at)"
                f" SELECT order_id, 'card', 'captured', total, currency, {_NOW} FROM orders WHERE order_id = %s"
            )
            worker.session.change("payments", Change.INSERT, sql, (order_id,))
        _set_status(worker, order_id, "paid")
    elif status == "paid":
        _move_stock(worker, order_id, on_hand=-1, committed=-1)
        _set_status(worker, order_id, "shipped")
    else:
        _set_status(worker, order_id, "delivered")
    return True


def cancel_order(worker: Worker) -> bool:
    """An order that was not sent is cancelled; what was paid goes back."""
    found = _locked_order(worker, "pending", "paid")
    if found is None:
        return False
    order_id, _ = found
    sql = (
        "UPDATE payments SET status = IF(status = 'captured', 'refunded', 'failed')"
        " WHERE order_id = %s AND status IN ('captured', 'authorized')"
    )
    worker.session.change("payments", Change.UPDATE, sql, (order_id,))
    _move_stock(worker, order_id, on_hand=0, committed=-1)
    _set_status(worker, order_id, "cancelled")
    return True


def refund_line(worker: Worker) -> bool:
    """A line of a delivered order that was not refunded yet comes back, whole or in part."""
    found = _locked_order(worker, "delivered")
    if found is None:
        return False
    order_id, _ = found
    lines = worker.session.rows(
        "SELECT line_no, product_id, quantity, CAST(unit_price * quantity * 100 AS SIGNED),"
        " CAST(discount * 100 AS SIGNED) FROM order_items i WHERE order_id = %s AND unit_price > 0 AND quantity > 0"
        " AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.order_id = i.order_id AND r.line_no = i.line_no)"
        " ORDER BY line_no",
        (order_id,),
    )
    if not lines:
        return False
    line_no, product_id, quantity, gross, discount = (int(value) for value in lines[worker.pick(len(lines))])
    returned = 1 + worker.pick(quantity)
    reasons = worker.vocabulary.return_reasons
    worker.session.insert(
        "refunds",
        {
            "order_id": order_id,
            "line_no": line_no,
            "quantity": returned,
            "amount": Decimal((gross - discount) * returned // quantity).scaleb(-2),
            "reason": reasons[worker.pick(len(reasons))] if worker.chance(0.8) else None,
        },
    )
    worker.session.change(
        "inventory_levels",
        Change.UPDATE,
        "UPDATE inventory_levels SET on_hand = on_hand + %s WHERE product_id = %s AND warehouse_id = %s",
        (returned, product_id, int(warehouse_of(order_id))),
    )
    record_movement(worker, product_id, int(warehouse_of(order_id)), "return", returned)
    return True


def delete_order(worker: Worker) -> bool:
    """A cancelled or delivered order goes, children first: the schema has no cascades."""
    found = _locked_order(worker, "cancelled", "delivered")
    if found is None:
        return False
    arguments: tuple[Any, ...] = (found[0],)
    for table in ("refunds", "payments", "order_items", "orders"):
        worker.session.change(table, Change.DELETE, f"DELETE FROM {table} WHERE order_id = %s", arguments)
    return True
