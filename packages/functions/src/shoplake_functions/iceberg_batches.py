"""The batch log of an Iceberg table, from its metadata alone: no engine, one Glue call and one object.

docs/data-format.md names the properties; https://iceberg.apache.org/spec/#table-metadata-fields the metadata.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from shoplake_core.errors import DataError

__all__ = ["TableBatch", "iceberg_metadata", "object_at", "snapshots_newest_first", "table_batches"]


@dataclass(frozen=True, slots=True)
class TableBatch:
    """One commit of a run on a table: its number, and the properties of its snapshot."""

    number: int
    properties: dict[str, str]


def object_at(s3: Any, url: str) -> bytes:
    """The bytes of the object at an `s3://` URL."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def iceberg_metadata(s3: Any, location: str) -> dict[str, Any]:
    """The table metadata file that the catalogue's `metadata_location` names."""
    content = object_at(s3, location)
    metadata: dict[str, Any] = json.loads(
        gzip.decompress(content) if location.endswith(".gz.metadata.json") else content
    )
    return metadata


def snapshots_newest_first(metadata: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The current snapshot and its parents, as far as they are kept; none of an empty table."""
    snapshots = {snapshot["snapshot-id"]: snapshot for snapshot in metadata.get("snapshots", ())}
    snapshot = snapshots.get(metadata.get("current-snapshot-id"))
    while snapshot is not None:
        yield snapshot
        snapshot = snapshots.get(snapshot.get("parent-snapshot-id"))


def table_batches(glue: Any, s3: Any, *, database: str, table: str) -> list[TableBatch]:
    """The table's batches, newest first; none where the catalogue has no such table, or no run has written it.

    Args:
        glue: A boto3 Glue client.
        s3: A boto3 S3 client.
        database: Glue database.
        table: Its table.

    Raises:
        DataError: The table is no Iceberg table, or has snapshots and no batch.

    """
    try:
        found = glue.get_table(DatabaseName=database, Name=table)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "EntityNotFoundException":
            return []
        raise
    location = found.get("Parameters", {}).get("metadata_location", "")
    if not location:
        raise DataError(f"{database}.{table} is no Iceberg table", hint="drop it and run again: somebody else made it")
    snapshots = list(snapshots_newest_first(iceberg_metadata(s3, location)))
    summaries = [snapshot.get("summary", {}) for snapshot in snapshots]
    batches = [TableBatch(int(one["shoplake.batch"]), one) for one in summaries if "shoplake.batch" in one]
    if snapshots and not batches:
        raise DataError(
            f"table {database}.{table} has snapshots and none of them carries shoplake.batch",
            hint=f"rebuild it: somebody else wrote {table}",
        )
    return batches
