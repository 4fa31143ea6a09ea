"""The book of stock movements, kept by whoever changes what lies in a warehouse, in the same transaction."""

from shoplake_datagen.live.worker import Worker

__all__ = ["record_movement"]


def record_movement(worker: Worker, product_id: int, warehouse_id: int, kind: str, quantity: int) -> None:
    """One row of `stock_movements`; `quantity` is negative for what leaves."""
    movement = {"product_id": product_id, "warehouse_id": warehouse_id, "kind": kind, "quantity": quantity}
    worker.session.insert("stock_movements", movement)
