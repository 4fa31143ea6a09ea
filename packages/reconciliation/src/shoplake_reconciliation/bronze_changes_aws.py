"""What bronze holds beyond what silver has consumed."""

import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
from shoplake_core.bronze import (
    OPERATION_COLUMN,
    EpochRecord,
    epoch_prefix,
    epoch_record_from_json,
    is_load_file,
    table_prefix,
)
from shoplake_core.errors import DataError

from shoplake_reconciliation.objects_aws import ObjectStore
from shoplake_reconciliation.silver_side_aws import Consumed

__all__ = ["read_epoch_records", "read_unconsumed_changes", "read_unconsumed_load"]

_FILE_TIME = "%Y%m%d-%H%M%S"
_FILE_TIME_CHARACTERS = 15
_KEPT = timedelta(days=1)  # the consumed record names every file back to one day before its watermark


def read_epoch_records(objects: ObjectStore, bucket: str, schema: str, table: str) -> list[EpochRecord]:
    """The table's complete loads, oldest first."""
    prefix = epoch_prefix(schema, table)
    texts = [objects.content(bucket, item.key).decode() for item in objects.listed(bucket, prefix)]
    records = [epoch_record_from_json(text) for text in texts if json.loads(text).get("complete")]
    return sorted(records, key=lambda record: record.epoch)


def _earliest_name(watermark: str) -> str:
    """The name that one day before the watermark would have; "" where there is no watermark."""
    if not watermark:
        return ""
    written = datetime.strptime(watermark[:_FILE_TIME_CHARACTERS], _FILE_TIME).replace(tzinfo=UTC)
    return (written - _KEPT).strftime(_FILE_TIME)


def _read(objects: ObjectStore, bucket: str, key: str) -> pa.Table:
    table = pq.read_table(io.BytesIO(objects.content(bucket, key)))
    if OPERATION_COLUMN not in table.column_names:
        table = table.add_column(0, OPERATION_COLUMN, pa.repeat(pa.scalar("I"), table.num_rows))
    return table


def read_unconsumed_changes(
    objects: ObjectStore, bucket: str, schema: str, table: str, consumed: Consumed
) -> Iterator[pa.Table]:
    """The change files that silver has not read, one table each, in the order of their names."""
    prefix = table_prefix(schema, table)
    earliest = _earliest_name(consumed.watermark)
    for item in objects.listed(bucket, prefix, after=prefix + earliest):
        if is_load_file(item.name):
            break  # keys are listed in order: change files begin with a digit, and none follows
        if not item.size_bytes or not item.name.endswith(".parquet"):
            continue
        taken = consumed.files.get(item.name)
        if taken is None:
            yield _read(objects, bucket, item.key)
        elif taken.strip('"') != item.etag:
            raise DataError(
                f"s3://{bucket}/{item.key} was changed after silver took it (ETag {taken}, now {item.etag})",
                hint=f"bronze is never edited: restore the object, or reload {schema}.{table}",
                table=table,
                file=item.name,
            )


def read_unconsumed_load(
    objects: ObjectStore, bucket: str, records: Sequence[EpochRecord], consumed: Consumed
) -> Iterator[pa.Table]:
    """The files of the newest complete load, where silver has not read it: it replaces every older one."""
    if not records or records[-1].epoch in consumed.epochs:
        return
    record = records[-1]
    prefix = table_prefix(record.schema, record.table)
    found = {item.name: item.etag for item in objects.listed(bucket, prefix) if is_load_file(item.name)}
    for file in record.files:
        if found.get(file.name) != file.etag.strip('"'):
            raise DataError(
                f"s3://{bucket}/{prefix}{file.name} is missing or not the file that epoch {record.epoch} recorded",
                hint=f"reload {record.schema}.{record.table}",
                table=record.table,
                file=file.name,
            )
        yield _read(objects, bucket, prefix + file.name)
