"""A source reading as bytes and back: the side that runs near MySQL (a Lambda in the VPC) puts them into an object.

One Arrow IPC stream of each table's keys and digests, of its refused keys, and one JSON head, in a zip.
"""

import io
import json
import zipfile
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from shoplake_reconciliation.findings import number_text
from shoplake_reconciliation.key_ranges import KeyRanges, RangeNumbers, TableSide
from shoplake_reconciliation.source_side import SourceReading, SourceTable

__all__ = ["source_reading_from_bytes", "source_reading_to_bytes"]

_HEAD = "reading.json"
_DIGEST = "_digest"
_SCHEMA_VERSION = 1


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _table(content: bytes) -> pa.Table:
    with pa.ipc.open_stream(content) as reader:
        return reader.read_all()


def _numbers_json(numbers: RangeNumbers) -> dict[str, Any]:
    return {
        "rows": numbers.rows,
        "digest": numbers.digest,
        "column_digests": dict(numbers.column_digests),
        "sums": {name: number_text(value) for name, value in numbers.sums.items()},
    }


def _numbers(data: dict[str, Any]) -> RangeNumbers:
    sums = {name: Decimal(text) for name, text in data["sums"].items()}
    return RangeNumbers(data["rows"], data["digest"], data["column_digests"], sums)


def source_reading_to_bytes(reading: SourceReading) -> bytes:
    """The reading as one zip: keys, digests, counts and sums, no other value."""
    tables: dict[str, Any] = {}
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, source in reading.tables.items():
            side, ranges = source.side, source.ranges
            archive.writestr(f"{name}.keys", _stream(side.keys.append_column(_DIGEST, pa.array(side.digests))))
            archive.writestr(f"{name}.refused", _stream(side.refused))
            tables[name] = {
                "column": ranges.column,
                "cuts": list(ranges.cuts),
                "checked": list(ranges.checked),
                "numbers": [_numbers_json(numbers) for numbers in side.numbers],
            }
        head = {
            "schema_version": _SCHEMA_VERSION,
            "position": reading.position,
            "taken_at": reading.taken_at.isoformat(),
            "lineage": reading.lineage,
            "tables": tables,
        }
        archive.writestr(_HEAD, json.dumps(head))
    return sink.getvalue()


def source_reading_from_bytes(content: bytes) -> SourceReading:
    """The reading that `source_reading_to_bytes` wrote."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        head = json.loads(archive.read(_HEAD))
        tables = {}
        for name, data in head["tables"].items():
            keys = _table(archive.read(f"{name}.keys"))
            digests = keys[_DIGEST].to_numpy().astype(np.uint64)
            side = TableSide(
                keys.drop_columns([_DIGEST]),
                digests,
                tuple(_numbers(numbers) for numbers in data["numbers"]),
                _table(archive.read(f"{name}.refused")),
            )
            ranges = KeyRanges(data["column"], tuple(data["cuts"]), tuple(data["checked"]))
            tables[name] = SourceTable(ranges, side)
    return SourceReading(head["position"], datetime.fromisoformat(head["taken_at"]), head["lineage"], tables)
