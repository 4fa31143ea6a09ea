"""Transactions on customers and their addresses, those that are hard for change capture among them: changed keys, REPLACE,
upserts, deletes and the erasure of a person.
"""

from typing import Any

from shoplake_datagen.dirt_keys import is_reserved
from shoplake_datagen.live.session import Change
from shoplake_datagen.live.worker import Worker
from shoplake_datagen.people import ADDRESS_ID_BASE, EMAIL_DOMAINS, address_line

__all__ = [
    "delete_address",
    "erase_customer",
    "move_house",
    "renumber_address",
    "replace_address",
    "update_customer",
    "upsert_address",
]


def _home(worker: Worker, country: str) -> tuple[str, str, str]:
    """(line, city, postcode) somewhere in that country."""
    places = worker.vocabulary.countries
    place = next((p for p in places if p.country == country.upper()), places[0])
    street = place.streets[worker.pick(len(place.streets))]
    return (
        address_line(place.country, street, 1 + worker.pick(199)),
        place.cities[worker.pick(len(place.cities))],
        place.postcodes[worker.pick(len(place.postcodes))],
    )


def _locked_address(worker: Worker) -> tuple[int, int, str, str] | None:
    """(address, customer, kind, country) of an address without planted fault, locked."""
    span = worker.facts.newest_address_id - ADDRESS_ID_BASE
    start = ADDRESS_ID_BASE + 1 + worker.pick(max(1, span))
    found = worker.session.rows(
        "SELECT address_id FROM addresses WHERE address_id >= %s ORDER BY address_id LIMIT 2", (start,)
    )
    free = [int(row[0]) for row in found if not is_reserved(int(row[0]))]
    if not free:
        return None
    sql = "SELECT customer_id, kind, country FROM addresses WHERE address_id = %s FOR UPDATE"
    locked = worker.session.rows(sql, (free[0],))
    return (free[0], int(locked[0][0]), str(locked[0][1]), str(locked[0][2])) if locked else None


def move_house(worker: Worker) -> bool:
    """A customer moves within the country."""
    found = _locked_address(worker)
    if found is None:
        return False
    address_id, _, _, country = found
    sql = "UPDATE addresses SET line1 = %s, city = %s, postcode = %s WHERE address_id = %s"
    worker.session.change("addresses", Change.UPDATE, sql, (*_home(worker, country), address_id))
    return True


def _address_values(
    worker: Worker, address_id: int | None, customer_id: int, kind: str, country: str
) -> tuple[Any, ...]:
    return (address_id, customer_id, kind, *_home(worker, country), country)


_ADDRESS_COLUMNS = "(address_id, customer_id, kind, line1, city, postcode, country)"


def upsert_address(worker: Worker) -> bool:
    """INSERT ... ON DUPLICATE KEY UPDATE: half the time the address is there, half the time it is new."""
    found = _locked_address(worker)
    if found is None:
        return False
    address_id, customer_id, kind, country = found
    key = address_id if worker.chance(0.5) else None
    values = _address_values(worker, key, customer_id, kind, country)
    worker.session.upsert(
        "addresses",
        f"INSERT INTO addresses {_ADDRESS_COLUMNS} VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON DUPLICATE KEY UPDATE line1 = %s, city = %s, postcode = %s",
        (*values, *values[3:6]),
    )
    return True


def replace_address(worker: Worker) -> bool:
    """REPLACE of a row that is there: the server deletes and inserts, or updates, as it likes."""
    found = _locked_address(worker)
    if found is None:
        return False
    values = _address_values(worker, *found)
    worker.session.upsert(
        "addresses", f"REPLACE INTO addresses {_ADDRESS_COLUMNS} VALUES (%s, %s, %s, %s, %s, %s, %s)", values
    )
    return True


def renumber_address(worker: Worker) -> bool:
    """The primary key of an address changes, into the range that is kept free for it."""
    found = _locked_address(worker)
    if found is None:
        return False
    address_id = found[0]
    target = address_id - ADDRESS_ID_BASE
    if is_reserved(target) or worker.session.rows(
        "SELECT 1 FROM addresses WHERE address_id = %s FOR UPDATE", (target,)
    ):
        return False
    sql = "UPDATE addresses SET address_id = %s WHERE address_id = %s"
    worker.session.change("addresses", Change.UPDATE, sql, (target, address_id))
    return True


def delete_address(worker: Worker) -> bool:
    """An address goes."""
    found = _locked_address(worker)
    if found is None:
        return False
    worker.session.change("addresses", Change.DELETE, "DELETE FROM addresses WHERE address_id = %s", (found[0],))
    return True


def update_customer(worker: Worker) -> bool:
    """A customer changes phone number, consent or e-mail address."""
    customer_id = worker.facts.free_customer_id(worker.rng)
    column, value = (
        ("phone", f"+49 {200_000_000 + worker.pick(700_000_000)}"),
        ("marketing_opt_in", None),
        ("email", f"new.{worker.unique}@{EMAIL_DOMAINS[worker.pick(len(EMAIL_DOMAINS))]}"),
    )[worker.pick(3)]
    if value is None:
        sql = "UPDATE customers SET marketing_opt_in = 1 - marketing_opt_in WHERE customer_id = %s"
        worker.session.change("customers", Change.UPDATE, sql, (customer_id,))
    else:
        sql = f"UPDATE customers SET {column} = %s WHERE customer_id = %s"
        worker.session.change("customers", Change.UPDATE, sql, (value, customer_id))
    return True


def erase_customer(worker: Worker) -> bool:
    """A person asks to be forgotten: all that names them becomes NULL, in the notes of their orders too."""
    customer_id = worker.facts.free_customer_id(worker.rng)
    worker.session.change(
        "customers",
        Change.UPDATE,
        "UPDATE customers SET email = NULL, full_name = NULL, phone = NULL, birth_date = NULL, loyalty_since = NULL,"
        " marketing_opt_in = 0 WHERE customer_id = %s",
        (customer_id,),
    )
    addresses = worker.session.rows(
        "SELECT address_id FROM addresses WHERE customer_id = %s ORDER BY address_id FOR UPDATE", (customer_id,)
    )
    for (address_id,) in addresses:
        if not is_reserved(int(address_id)):
            sql = "UPDATE addresses SET line1 = NULL, postcode = NULL WHERE address_id = %s"
            worker.session.change("addresses", Change.UPDATE, sql, (address_id,))
    orders = worker.session.rows(
        "SELECT order_id FROM orders WHERE customer_id = %s AND note IS NOT NULL ORDER BY order_id FOR UPDATE",
        (customer_id,),
    )
    for (order_id,) in orders:
        if not is_reserved(int(order_id)):
            worker.session.change(
                "orders", Change.UPDATE, "UPDATE orders SET note = NULL WHERE order_id = %s", (order_id,)
            )
    return True
