"""MySQL = silver + quarantine for one table, at the cut."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from shoplake_core.bronze import EpochRecord
from shoplake_core.masking import MaskingKey
from shoplake_core.names import ResourceNames

from shoplake_reconciliation.bronze_changes_aws import (
    read_epoch_records,
    read_unconsumed_changes,
    read_unconsumed_load,
)
from shoplake_reconciliation.comparison import compared, compared_quarantine
from shoplake_reconciliation.cut import EXACT, changes_up_to, cut_sequence
from shoplake_reconciliation.findings import Finding
from shoplake_reconciliation.in_flight import predicted
from shoplake_reconciliation.key_ranges import KeyRanges, TableSide, table_side
from shoplake_reconciliation.report import LayerNumbers
from shoplake_reconciliation.silver_side_aws import Consumed, SilverTable
from shoplake_reconciliation.source_side import SourceReading, SourceTable

__all__ = ["SilverProof", "proved_silver"]


@dataclass(frozen=True, slots=True)
class SilverProof:
    """How MySQL and silver compare.

    Attributes:
        findings: Every difference.
        keys_in_flight: Keys that changes between what silver consumed and the cut concern.
        keys_in_quarantine: Keys in quarantine at the cut, within the checked ranges.
        mysql: MySQL's numbers.
        silver: Silver's numbers as it stands.
        silver_at_cut: Silver's numbers once it has consumed the changes in flight.
        sequence: Greatest `_sequence` of the cut; "" on DMS.
        promise: What the choice of changes up to the cut rests on.

    """

    findings: list[Finding]
    keys_in_flight: int
    keys_in_quarantine: int
    mysql: LayerNumbers
    silver: LayerNumbers
    silver_at_cut: LayerNumbers
    sequence: str
    promise: str


@dataclass(frozen=True, slots=True)
class _Changes:
    rows: pa.Table
    sequence: str
    promise: str


def _in_flight(
    table: SilverTable,
    names: ResourceNames,
    schema: str,
    reading: SourceReading,
    records: Sequence[EpochRecord],
    consumed: Consumed,
) -> _Changes:
    """Every bronze row up to the cut that silver has not consumed."""
    objects, bucket, contract = table.targets.objects, names.bronze_bucket, table.contract
    sequence = cut_sequence(reading.position, reading.lineage, records)
    parts, promise = [], EXACT
    for file in read_unconsumed_changes(objects, bucket, schema, contract.source_name, consumed):
        rows, by = changes_up_to(file, sequence=sequence, position=reading.position, taken_at=reading.taken_at)
        promise = by if by != EXACT else promise
        parts.append(rows)
    parts.extend(read_unconsumed_load(objects, bucket, records, consumed))
    rows = pa.concat_tables(parts, promote_options="permissive") if parts else pa.table({})
    return _Changes(rows, sequence, promise)


def _layer(side: TableSide, batch: int | None = None) -> LayerNumbers:
    return LayerNumbers(side.rows, side.sums, batch=batch)


def proved_silver(
    table: SilverTable, names: ResourceNames, schema: str, reading: SourceReading, masking_key: MaskingKey
) -> SilverProof:
    """The comparison of one table of MySQL with silver and quarantine.

    Args:
        table: Silver, opened before the source was read.
        names: The environment's resources.
        schema: The MySQL schema.
        reading: MySQL at the cut; bronze holds every change up to it by now.
        masking_key: The masking key.

    """
    contract = table.contract
    source: SourceTable = reading.tables[contract.name]
    ranges: KeyRanges = source.ranges
    records = read_epoch_records(table.targets.objects, names.bronze_bucket, schema, contract.source_name)
    consumed = table.consumed()
    changes = _in_flight(table, names, schema, reading, records, consumed)
    with_order = bool(changes.rows.num_rows) or any(record.epoch not in consumed.epochs for record in records)
    stored = table.stored(with_order=with_order)
    after = predicted(stored, changes.rows, contract, records, masking_key)
    refused = ranges.within_checked(after.refused)
    at_cut = table_side(after.rows, refused, contract.key, ranges)
    unchanged = after.keys_in_flight == 0
    now = at_cut if unchanged else table_side(stored.rows.select(contract.column_names), refused, contract.key, ranges)
    findings = [
        *compared(contract.name, ("mysql", "silver"), ranges, source.side, at_cut),
        *compared_quarantine(contract.name, ranges, source.side, refused),
    ]
    batch = table.newest_batch()
    return SilverProof(
        findings=findings,
        keys_in_flight=after.keys_in_flight,
        keys_in_quarantine=refused.num_rows,
        mysql=LayerNumbers(source.rows, source.side.sums),
        silver=_layer(now, batch.number if batch else None),
        silver_at_cut=_layer(at_cut),
        sequence=changes.sequence,
        promise=changes.promise,
    )
