"""Faults that the live load plants, on reserved keys only, as the seed does."""

from shoplake_datagen.dirt import fault_of
from shoplake_datagen.dirt_keys import is_reserved
from shoplake_datagen.ledger import LedgerEntry
from shoplake_datagen.live.session import Change
from shoplake_datagen.live.worker import Worker

__all__ = ["plant_fault"]


def plant_fault(worker: Worker, table: str, key_column: str, key: int) -> None:
    """Put the fault whose turn it is into the row just inserted, where its key is a reserved one."""
    if not worker.dirt or not is_reserved(key):
        return
    session, fault = worker.session, fault_of(table, key)
    source = key - 1 if fault.kind == "duplicate_email" else key
    found = session.rows(f"SELECT {fault.column} FROM {table} WHERE {key_column} = %s", (source,))
    if not found or (fault.kind == "duplicate_email" and not found[0][0]):
        return
    planted, outcome = fault.make("" if found[0][0] is None else str(found[0][0]))
    sql = f"UPDATE {table} SET {fault.column} = %s WHERE {key_column} = %s"
    session.change(table, Change.UPDATE, sql, (planted, key))
    session.planted(
        LedgerEntry(
            table=table, key={key_column: key}, column=fault.column, kind=fault.kind, planted=planted, **outcome
        )
    )
