"""Transactions that sell: an order with its lines, payment and stock, by a customer or a guest."""

from decimal import Decimal

import numpy as np

from shoplake_datagen.catalogue import warehouse_of
from shoplake_datagen.live.faults import plant_fault
from shoplake_datagen.live.session import Change
from shoplake_datagen.live.worker import Worker
from shoplake_datagen.money import in_currency, order_amounts
from shoplake_datagen.orders import CHANNELS, CURRENCIES
from shoplake_datagen.people import EMAIL_DOMAINS, address_line, email_address

__all__ = ["guest_checkout", "insert_order", "new_order", "regretted_order", "second_thoughts"]


def _money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def insert_order(worker: Worker, customer_id: int, country: str) -> int:
    """Insert an order with one to four lines, its payment and its promise of stock; its id."""
    session, facts, rng = worker.session, worker.facts, worker.rng
    place = next((p for p in worker.vocabulary.countries if p.country == country), worker.vocabulary.countries[0])
    currency = CURRENCIES.index(place.currency)
    rate = facts.rates[currency]
    lines = 1 + min(worker.pick(4), worker.pick(4))
    # Few products sell much; ascending ids, so that two orders lock their stock in the same order.
    products = np.unique((len(facts.product_ids) * rng.random(lines) ** 2.5).astype(np.int64))
    quantity = 1 + (rng.random(len(products)) < 0.25).astype(np.int64)
    cents = in_currency(np.array(facts.product_cents, dtype=np.int64)[products], np.array(rate))
    percent = (0, 0, 0, 0, 10, 20)[worker.pick(6)]
    amounts = order_amounts(
        np.zeros(len(products), dtype=np.int64),
        cents * quantity,
        discount_percent=np.array([percent]),
        tax_basis_points=np.array([place.tax_basis_points]),
        shipping_cents=np.array([place.shipping_cents]),
    )
    paid = worker.chance(0.7)
    order_id = session.insert(
        "orders",
        {
            "customer_id": customer_id,
            "status": "paid" if paid else "pending",
            "channel": CHANNELS[(0, 0, 0, 1, 1, 3)[worker.pick(6)]],
            "currency": place.currency,
            "exchange_rate": Decimal(rate).scaleb(-6),
            "subtotal": _money(int(amounts.subtotal[0])),
            "discount": _money(int(amounts.discount[0])),
            "tax": _money(int(amounts.tax[0])),
            "shipping": _money(int(amounts.shipping[0])),
            "total": _money(int(amounts.total[0])),
            "ship_country": place.country,
            "is_test": int(worker.chance(0.005)),
            "note": worker.vocabulary.notes[worker.pick(len(worker.vocabulary.notes))] if worker.chance(0.06) else None,
        },
    )
    session.newest_order_id = max(session.newest_order_id, order_id)
    for number, product in enumerate(products.tolist()):
        line = {
            "order_id": order_id,
            "line_no": number + 1,
            "product_id": facts.product_ids[product],
            "quantity": int(quantity[number]),
            "unit_price": _money(int(cents[number])),
            "discount": _money(int(amounts.line_discount[number])),
            "is_gift_card": int(facts.product_ids[product] in facts.gift_card_ids),
        }
        session.insert("order_items", line)
    method = ("card", "card", "paypal", "invoice")[worker.pick(4)]
    sql = (
        "INSERT INTO payments (order_id, method, status, amount, currency, paid_at)"
        f" VALUES (%s, %s, %s, %s, %s, {'CURRENT_TIMESTAMP(6)' if paid else 'NULL'})"
    )
    status = "captured" if paid else "authorized"
    session.change(
        "payments", Change.INSERT, sql, (order_id, method, status, _money(int(amounts.total[0])), place.currency)
    )
    warehouse = int(warehouse_of(order_id))
    for number, product in enumerate(products.tolist()):
        session.change(
            "inventory_levels",
            Change.UPDATE,
            "UPDATE inventory_levels SET committed = committed + %s WHERE product_id = %s AND warehouse_id = %s",
            (int(quantity[number]), facts.product_ids[product], warehouse),
        )
    plant_fault(worker, "orders", "order_id", order_id)
    return order_id


def _known_customer(worker: Worker) -> tuple[int, str]:
    """A customer that is still there, locked in share mode, so that nobody deletes it meanwhile, with its country."""
    for _ in range(5):
        customer_id = worker.facts.customer_id(worker.rng)
        found = worker.session.rows(
            "SELECT country FROM customers WHERE customer_id = %s LOCK IN SHARE MODE", (customer_id,)
        )
        if found:
            return customer_id, str(found[0][0]).upper()
    found = worker.session.rows("SELECT customer_id, country FROM customers ORDER BY customer_id LIMIT 1")
    return int(found[0][0]), str(found[0][1]).upper()


def new_order(worker: Worker) -> bool:
    """A known customer orders."""
    insert_order(worker, *_known_customer(worker))
    return True


def guest_checkout(worker: Worker) -> bool:
    """Somebody orders without an account: customer, address and order in one transaction."""
    session = worker.session
    place = worker.vocabulary.countries[worker.pick(len(worker.vocabulary.countries))]
    first = place.first_names[worker.pick(len(place.first_names))]
    last = place.last_names[worker.pick(len(place.last_names))]
    customer_id = session.insert(
        "customers",
        {
            "email": email_address(first, last, worker.unique, EMAIL_DOMAINS[worker.pick(len(EMAIL_DOMAINS))]),
            "full_name": f"{first} {last}",
            "phone": f"{place.phone_prefix} {200_000_000 + worker.pick(700_000_000)}",
            "country": place.country,
            "marketing_opt_in": 0,
            "is_guest": 1,
        },
    )
    plant_fault(worker, "customers", "customer_id", customer_id)
    street = place.streets[worker.pick(len(place.streets))]
    session.insert(
        "addresses",
        {
            "customer_id": customer_id,
            "kind": "shipping",
            "line1": address_line(place.country, street, 1 + worker.pick(199)),
            "city": place.cities[worker.pick(len(place.cities))],
            "postcode": place.postcodes[worker.pick(len(place.postcodes))],
            "country": place.country,
        },
    )
    insert_order(worker, customer_id, place.country)
    return True


def second_thoughts(worker: Worker) -> bool:
    """An order, then a change of mind: stock is taken, given back by a savepoint, and the order is kept."""
    order_id = insert_order(worker, *_known_customer(worker))
    worker.session.savepoint()
    product_id = worker.facts.product_ids[worker.pick(len(worker.facts.product_ids))]
    worker.session.change(
        "inventory_levels",
        Change.UPDATE,
        "UPDATE inventory_levels SET on_hand = on_hand - 1 WHERE product_id = %s AND warehouse_id = %s",
        (product_id, int(warehouse_of(order_id))),
    )
    worker.session.rollback_to_savepoint()
    return True


def regretted_order(worker: Worker) -> bool:
    """An order that is rolled back: nothing of it may ever be seen."""
    insert_order(worker, *_known_customer(worker))
    worker.session.rollback()
    return True
