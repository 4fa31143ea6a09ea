"""How stock came to lie where it lies: openings, deliveries, shipments and returns that sum to what is on hand.

Deliveries come in even portions while the shop grows, so some products are oversold on the way, as in a real shop.
"""

import numpy as np
from numpy.typing import NDArray

from shoplake_datagen.catalogue import WAREHOUSES, warehouse_of
from shoplake_datagen.orders import DELIVERED, SHIPPED, Sales
from shoplake_datagen.rows import Column, Form, TableRows
from shoplake_datagen.streams import stream

__all__ = ["MOVEMENT_KINDS", "movement_rows"]

MOVEMENT_KINDS = ("opening", "receipt", "shipment", "return", "correction")
_OPENING, _RECEIPT, _SHIPMENT, _RETURN, _CORRECTION = range(5)
_DELIVERIES = 6
_Integers = NDArray[np.int64]
_Part = tuple[_Integers, int, _Integers, _Integers]  # place, kind, signed pieces, moment


def _shipments(sales: Sales) -> _Part:
    status = sales.status[sales.order_of_line]
    line = np.flatnonzero((status == SHIPPED) | (status == DELIVERED))
    order = sales.order_of_line[line]
    placed, reached = sales.placed_at[order], sales.status_at[order]
    sent = np.where(status[line] == DELIVERED, placed + (reached - placed) * 2 // 5, reached)
    return _places(sales.product[line], order + 1), _SHIPMENT, -sales.quantity[line], sent


def _returns(sales: Sales, refunds: TableRows) -> _Part:
    order_id = refunds.column("order_id").values
    first_line = np.searchsorted(sales.order_of_line, order_id - 1)
    product = sales.product[first_line + refunds.column("line_no").values - 1]
    return (
        _places(product, order_id),
        _RETURN,
        refunds.column("quantity").values,
        refunds.column("refunded_at").values,
    )


def _places(product: _Integers, order_id: _Integers) -> _Integers:
    return np.asarray(product * WAREHOUSES + warehouse_of(order_id) - 1, dtype=np.int64)


def movement_rows(
    seed: int, sales: Sales, refunds: TableRows, inventory: TableRows, *, start: int, end: int
) -> TableRows:
    """The rows of `stock_movements`: of each product and warehouse they sum to its `on_hand`.

    Args:
        seed: Of the whole shop.
        sales: Orders; what was sent has left its warehouse.
        refunds: What came back.
        inventory: The rows of `inventory_levels`, product by product and warehouse by warehouse.
        start: First microsecond of the history.
        end: The reference time.

    """
    rng = stream(seed, "stock movements")
    on_hand = inventory.column("on_hand").values
    places = np.arange(len(on_hand), dtype=np.int64)
    gone, back = _shipments(sales), _returns(sales, refunds)
    moved = np.zeros(len(on_hand), dtype=np.int64)
    for place, _, pieces, _ in (gone, back):
        np.add.at(moved, place, pieces)
    needed = on_hand - moved  # what openings and deliveries must have brought
    portion = np.maximum(needed, 0) // (_DELIVERIES + 1)
    parts: list[_Part] = [
        (places, _OPENING, np.maximum(needed, 0) - _DELIVERIES * portion, np.full(len(places), start))
    ]
    step = (end - start) // (_DELIVERIES + 1)
    for number in range(1, _DELIVERIES + 1):
        late = rng.integers(0, max(1, step // 2), len(places))
        parts.append((places, _RECEIPT, portion, start + number * step + late))
    counted = rng.integers(start, end, len(places))  # stock-taking found less than the books said
    parts += [(places, _CORRECTION, np.minimum(needed, 0), counted), gone, back]
    place, pieces, at = (np.concatenate([part[n] for part in parts]) for n in (0, 2, 3))
    kind = np.concatenate([np.full(len(part[0]), part[1], dtype=np.int64) for part in parts])
    kept = np.flatnonzero((pieces != 0) | (kind == _OPENING))
    order = kept[np.lexsort((kind[kept], place[kept], at[kept]))]
    place, pieces, at, kind = place[order], pieces[order], at[order], kind[order]
    return TableRows(
        name="stock_movements",
        columns=(
            Column(name="movement_id", form=Form.INTEGER, values=np.arange(1, len(order) + 1, dtype=np.int64)),
            Column(name="product_id", form=Form.INTEGER, values=place // WAREHOUSES + 1),
            Column(name="warehouse_id", form=Form.INTEGER, values=place % WAREHOUSES + 1),
            Column(name="kind", form=Form.POOL, values=kind, pool=[name.encode() for name in MOVEMENT_KINDS]),
            Column(name="quantity", form=Form.INTEGER, values=pieces),
            Column(name="moved_at", form=Form.TIMESTAMP, values=at),
            Column(name="updated_at", form=Form.TIMESTAMP, values=at),
        ),
    )
