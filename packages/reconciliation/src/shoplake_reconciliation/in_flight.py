"""What silver will hold once it has consumed every change up to the cut: its rows now, and the changes in flight.

A key that differs between MySQL and silver is right only if these changes explain it exactly. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from shoplake_core.bronze import OPERATION_COLUMN, EpochRecord
from shoplake_core.contracts import TableContract
from shoplake_core.masking import MaskingKey

from shoplake_reconciliation.arrow import as_arrow, pc
from shoplake_reconciliation.change_order import ChangeOrder, change_orders, newest_rows
from shoplake_reconciliation.contract_rules import cleaned
from shoplake_reconciliation.key_matching import key_codes

__all__ = ["QUARANTINED", "PredictedTable", "StoredTable", "predicted", "quarantined_keys"]

QUARANTINED = "quarantined"
_SEQUENCE, _COMMITTED_AT = "_sequence", "_committed_at"


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A silver table and its tombstones as they stand.

    Attributes:
        rows: The contract's columns, `_sequence` and `_committed_at`.
        tombstones: Key columns, `reason`, `_sequence`, `_committed_at`.
        consumed_epochs: Epochs that silver has read whole.

    """

    rows: pa.Table
    tombstones: pa.Table
    consumed_epochs: frozenset[str]


@dataclass(frozen=True, slots=True)
class PredictedTable:
    """Silver at the cut.

    Attributes:
        rows: The contract's columns.
        refused: Keys in quarantine.
        keys_in_flight: How many keys a change in flight concerns.

    """

    rows: pa.Table
    refused: pa.Table
    keys_in_flight: int


def _orders(table: pa.Table, records: Sequence[EpochRecord]) -> ChangeOrder:
    return change_orders(table[_SEQUENCE], table[_COMMITTED_AT], records)


def _joined(left: ChangeOrder, right: ChangeOrder) -> ChangeOrder:
    return ChangeOrder(np.concatenate((left.epoch, right.epoch)), np.concatenate((left.sequence, right.sequence)))


def quarantined_keys(stored: StoredTable, key: tuple[str, ...], records: Sequence[EpochRecord]) -> pa.Table:
    """Keys whose newest tombstone says `quarantined` and that silver has no row for."""
    names = list(key)
    tombstones = stored.tombstones
    row_codes, codes = key_codes(stored.rows.select(names), tombstones.select(names))
    newest = newest_rows(codes, _orders(tombstones, records))
    newest = newest[~np.isin(codes[newest], row_codes)]
    reasons = np.array(tombstones["reason"].to_pylist(), object)
    return tombstones.select(names).take(as_arrow(newest[reasons[newest] == QUARANTINED]))


def predicted(
    stored: StoredTable,
    changes: pa.Table,
    contract: TableContract,
    records: Sequence[EpochRecord],
    masking_key: MaskingKey,
) -> PredictedTable:
    """Silver once it has consumed `changes`.

    Args:
        stored: Silver as it stands.
        changes: Bronze rows that silver has not consumed, of changes up to the cut and of loads whose record exists.
        contract: The table's contract.
        records: The table's epoch records, oldest first.
        masking_key: The masking key.

    """
    names = list(contract.key)
    columns = list(contract.column_names)
    quarantine = quarantined_keys(stored, contract.key, records)
    ghosts = np.zeros(stored.rows.num_rows, bool)
    loads = [index for index, record in enumerate(records) if record.epoch not in stored.consumed_epochs]
    if loads and stored.rows.num_rows:  # a load that silver has not read takes away whatever it did not bring
        ghosts = _orders(stored.rows, records).epoch < loads[-1]
    if loads:
        quarantine = _still_quarantined(stored, quarantine, contract.key, records, loads[-1])
    if not changes.num_rows:
        return PredictedTable(stored.rows.select(columns).filter(as_arrow(~ghosts)), quarantine, int(ghosts.sum()))

    result = cleaned(changes, contract, masking_key)
    change_keys = result.rows.select(names)
    order = _orders(changes, records)
    if loads:  # what belongs to an epoch before that load is replaced by it
        current = np.flatnonzero(order.epoch >= loads[-1])
        changes, change_keys, order = (
            changes.take(as_arrow(current)),
            change_keys.take(as_arrow(current)),
            order.take(current),
        )
    else:
        current = np.arange(changes.num_rows)
    row_codes, tombstone_codes, change_codes, quarantine_codes = key_codes(
        stored.rows.select(names), stored.tombstones.select(names), change_keys, quarantine
    )
    newest = newest_rows(change_codes, order)
    newest = newest[~_older(newest, change_codes, order, row_codes, stored.rows, records, or_equal=True)]
    newest = newest[~_older(newest, change_codes, order, tombstone_codes, stored.tombstones, records, or_equal=False)]

    concerned = change_codes[newest]
    operations = np.array(pc.fill_null(changes[OPERATION_COLUMN], "I").to_pylist(), object)[newest]
    is_present = operations != "D"
    refused = result.refused[current[newest]]
    kept = stored.rows.select(columns).filter(as_arrow(~(ghosts | np.isin(row_codes, concerned))))
    brought = result.rows.take(as_arrow(current[newest][is_present & ~refused]))
    quarantine = quarantine.filter(as_arrow(~np.isin(quarantine_codes, concerned)))
    entering = result.rows.select(names).take(as_arrow(current[newest][is_present & refused]))
    gone = int((ghosts & ~np.isin(row_codes, concerned)).sum())
    return PredictedTable(
        pa.concat_tables([kept, brought]), pa.concat_tables([quarantine, entering]), len(newest) + gone
    )


def _still_quarantined(
    stored: StoredTable, quarantine: pa.Table, key: tuple[str, ...], records: Sequence[EpochRecord], load: int
) -> pa.Table:
    """The keys in quarantine that a load does not take away: those quarantined by something newer than it."""
    tombstones = stored.tombstones
    recent = tombstones.filter(as_arrow(_orders(tombstones, records).epoch >= load)).select(list(key))
    codes, recent_codes = key_codes(quarantine, recent)
    return quarantine.filter(as_arrow(np.isin(codes, recent_codes)))


def _older(
    candidates: np.ndarray,
    codes: np.ndarray,
    order: ChangeOrder,
    other_codes: np.ndarray,
    others: pa.Table,
    records: Sequence[EpochRecord],
    *,
    or_equal: bool,
) -> np.ndarray:
    """Per candidate, whether the other table holds its key with a newer (or equal) order: it came again, late."""
    concerned = np.flatnonzero(np.isin(other_codes, codes[candidates]))
    some = others.select([_SEQUENCE, _COMMITTED_AT]).take(as_arrow(concerned))
    some_codes, some_order = other_codes[concerned], _orders(some, records)
    newest = newest_rows(some_codes, some_order)
    some_codes, some_order = some_codes[newest], some_order.take(newest)
    place = np.searchsorted(some_codes, codes[candidates])
    result = np.zeros(len(candidates), bool)
    known = np.flatnonzero(np.isin(codes[candidates], some_codes))
    mine, theirs = order.take(candidates[known]), some_order.take(place[known])
    result[known] = ~mine.newer_than(theirs) if or_equal else theirs.newer_than(mine)
    return result
