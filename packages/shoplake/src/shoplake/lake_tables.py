"""The tables of bronze, silver and gold as the lake knows them: from listings, the catalogue and Iceberg's metadata alone.

Rows are counted by Iceberg's own summary, which is exact here: every table is copy-on-write, so no delete file stands beside
its data. https://iceberg.apache.org/spec/#snapshots
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from shoplake_console.data_port import BatchEntry
from shoplake_core.bronze import is_load_file, table_prefix
from shoplake_functions.iceberg_batches import iceberg_metadata, snapshots_newest_first

__all__ = ["BronzeFiles", "LakeReader", "LakeTable"]

_AT_ONCE = 8
_MOST_PAGES = 20  # of a thousand objects each
_MISSING = frozenset({"EntityNotFoundException", "NoSuchBucket", "NoSuchKey", "404"})
_MOST_BATCHES = 30


@dataclass(frozen=True, slots=True)
class LakeTable:
    """An Iceberg table as it is now: its rows (None for a summary that does not tell) and its newest batches, newest first."""

    rows: int | None
    batches: tuple[BatchEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BronzeFiles:
    """What bronze holds of one table.

    Attributes:
        files: How many files; the ones counted where `is_more`.
        loads: How many of them are of full loads.
        size_bytes: Of all.
        newest_at: When the newest was written, in UTC; None for none.
        is_more: Whether there are more than were counted.

    """

    files: int
    loads: int
    size_bytes: int
    newest_at: datetime | None
    is_more: bool


@dataclass
class LakeReader:
    """Reads one environment's lake.

    Attributes:
        glue: A boto3 Glue client.
        s3: A boto3 S3 client.

    """

    glue: Any
    s3: Any
    _known: dict[str, LakeTable] = field(default_factory=dict)  # metadata files are never written twice

    def tables(self, database: str) -> dict[str, LakeTable]:
        """Name -> Iceberg table, of a Glue database; none where the database is not there (yet)."""
        places: dict[str, str] = {}
        more: dict[str, str] = {}
        try:
            while True:
                page = self.glue.get_tables(DatabaseName=database, **more)
                for table in page["TableList"]:
                    place = table.get("Parameters", {}).get("metadata_location", "")
                    if place:
                        places[table["Name"]] = place
                if not page.get("NextToken"):
                    break
                more = {"NextToken": page["NextToken"]}
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise
            return {}
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="lake") as pool:
            return dict(zip(places, pool.map(self._table, places.values()), strict=True))

    def _table(self, place: str) -> LakeTable:
        if place not in self._known:
            self._known[place] = table_of_metadata(iceberg_metadata(self.s3, place))
        return self._known[place]

    def bronze(self, bucket: str, schema: str, table: str) -> BronzeFiles:
        """The files of one source table; nothing where the bucket is not there (yet)."""
        files = loads = size = 0
        newest: datetime | None = None
        more: dict[str, str] = {}
        is_more = False
        for _ in range(_MOST_PAGES):
            try:
                page = self.s3.list_objects_v2(Bucket=bucket, Prefix=table_prefix(schema, table), **more)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _MISSING:
                    raise
                break
            for item in page.get("Contents", ()):
                files += 1
                loads += is_load_file(item["Key"].rpartition("/")[2])
                size += item["Size"]
                newest = max(newest or item["LastModified"], item["LastModified"])
            is_more = bool(page.get("NextContinuationToken"))
            if not is_more:
                break
            more = {"ContinuationToken": page["NextContinuationToken"]}
        return BronzeFiles(files=files, loads=loads, size_bytes=size, newest_at=newest, is_more=is_more)


def table_of_metadata(metadata: Mapping[str, Any]) -> LakeTable:
    """The table of an Iceberg metadata file. Pure."""
    snapshots = list(snapshots_newest_first(metadata))
    written = [snapshot for snapshot in snapshots if "shoplake.batch" in snapshot.get("summary", {})]
    return LakeTable(
        rows=_rows(snapshots[0]) if snapshots else 0,
        batches=tuple(_batch(snapshot) for snapshot in written[:_MOST_BATCHES]),
    )


def _batch(snapshot: Mapping[str, Any]) -> BatchEntry:
    summary = snapshot["summary"]
    return BatchEntry(
        number=int(summary["shoplake.batch"]),
        run_id=summary.get("shoplake.run", ""),
        at=datetime.fromtimestamp(snapshot["timestamp-ms"] / 1000, tz=UTC),
        rows=_rows(snapshot),
        is_full=summary.get("shoplake.full") == "true",
    )


def _rows(snapshot: Mapping[str, Any]) -> int | None:
    summary = snapshot.get("summary", {})
    if int(summary.get("total-delete-files", 0)):
        return None
    return int(summary["total-records"]) if "total-records" in summary else None
