"""The table mappings and S3 settings that Shoplake asks of AWS DMS and of its own replicator alike."""

from collections.abc import Iterable
from typing import Any

from shoplake_core.names import MARKER_SCHEMA, MARKER_TABLE

from shoplake_replication.table_mappings import HeaderColumn

__all__ = ["standard_s3_settings", "standard_table_mappings"]

_HEADER_COLUMNS = (
    ("_sequence", HeaderColumn.SEQUENCE, 50),
    ("_stream_position", HeaderColumn.STREAM_POSITION, 128),
)


def standard_table_mappings(schema: str, tables: Iterable[str] = (), *, marker: bool = True) -> dict[str, Any]:
    """DMS table mappings that capture those tables with our header columns, and the marker table.

    Args:
        schema: MySQL schema.
        tables: Its tables; none for all.
        marker: Whether `shoplake.marker` is captured.

    """
    wanted = [(schema, table) for table in (sorted(tables) or ["%"])]
    if marker:
        wanted.append((MARKER_SCHEMA, MARKER_TABLE))
    rules: list[dict[str, Any]] = [
        {
            "rule-type": "selection",
            "rule-id": str(number),
            "rule-name": f"include-{name}-{table}".replace("%", "all"),
            "object-locator": {"schema-name": name, "table-name": table},
            "rule-action": "include",
            "filters": [],
        }
        for number, (name, table) in enumerate(wanted, start=1)
    ]
    for name, column, length in _HEADER_COLUMNS:
        rules.append(
            {
                "rule-type": "transformation",
                "rule-id": str(len(rules) + 1),
                "rule-name": f"add{name.replace('_', '-')}",
                "rule-target": "column",
                "object-locator": {"schema-name": "%", "table-name": "%"},
                "rule-action": "add-column",
                "value": name,
                "expression": column.value,
                "data-type": {"type": "string", "length": length},
            }
        )
    return {"rules": rules}


def standard_s3_settings(*, flush_interval_seconds: float = 60, minimum_file_kilobytes: int = 32_000) -> dict[str, Any]:
    """DMS S3 settings that write bronze as docs/data-format.md has it.

    Args:
        flush_interval_seconds: DMS takes whole seconds only, our replicator fractions too.
        minimum_file_kilobytes: Files are also cut when they hold so much.

    """
    whole = int(flush_interval_seconds)
    return {
        "DataFormat": "parquet",
        "ParquetVersion": "parquet-1-0",
        "CompressionType": "NONE",
        "EncodingType": "rle-dictionary",
        "EnableStatistics": True,
        "RowGroupLength": 10_000,
        "TimestampColumnName": "_committed_at",
        "UseTaskStartTimeForFullLoadTimestamp": True,
        "IncludeOpForFullLoad": True,
        "CdcMaxBatchInterval": whole if whole == flush_interval_seconds else flush_interval_seconds,
        "CdcMinFileSize": minimum_file_kilobytes,
        "CdcInsertsOnly": False,
        "CdcInsertsAndUpdates": False,
        "DatePartitionEnabled": False,
    }
