"""The batch log of an Iceberg table, from its metadata alone: no engine, one Glue call and one object.

docs/data-format.md names the properties; https://iceberg.apache.org/spec/#table-metadata-fields the metadata.
"""

import gzip
import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from shoplake_core.errors import DataError

__all__ = ["TableBatch", "object_at", "table_batches"]


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
    content = object_at(s3, location)
    metadata = json.loads(gzip.decompress(content) if location.endswith(".gz.metadata.json") else content)
    snapshots = {snapshot["snapshot-id"]: snapshot for snapshot in metadata.get("snapshots", ())}
    snapshot = current = snapshots.get(metadata.get("current-snapshot-id"))
    batches = []
    while snapshot is not None:
        properties = snapshot.get("summary", {})
        if "shoplake.batch" in properties:
            batches.append(TableBatch(int(properties["shoplake.batch"]), properties))
        snapshot = snapshots.get(snapshot.get("parent-snapshot-id"))
    if current is not None and not batches:
        raise DataError(
            f"table {database}.{table} has snapshots and none of them carries shoplake.batch",
            hint=f"rebuild it: somebody else wrote {table}",
        )
    return batches
