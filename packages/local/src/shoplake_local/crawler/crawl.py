"""One crawl of bronze: list what is new, read footers, write the Data Catalog."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.errors import ConflictError, ResourceError
from shoplake_engines.object_store_aws import s3_client

from shoplake_local.crawler.bronze_listing import Skipped, TableFiles, TableRoot, new_files, table_roots
from shoplake_local.crawler.columns import joined_columns
from shoplake_local.crawler.report import CrawledTable, CrawlReport, Outcome

__all__ = ["crawl"]

_READERS = 8
_TRIES = 5
_NEWEST_LOAD = "shoplake.newest-load"
_NEWEST_CHANGE = "shoplake.newest-change"
_FORMAT: Mapping[str, Any] = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "Compressed": False,
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}


def crawl(*, object_store: AwsEndpoint, aws: AwsEndpoint, bucket: str, database: str) -> CrawlReport:
    """What the crawl did: one catalogue table a table root, each with the union of its files' columns.

    A table that fails (a type change that no type can hold, a file that is no parquet) is reported and left as it was;
    the others are done.

    Raises:
        ResourceError: The bucket or the catalogue cannot be reached.

    """
    try:
        s3, glue = s3_client(object_store), _glue_client(aws)
        _make_database(glue, database)
        roots = table_roots(s3, bucket)
        files = _filesystem(object_store)
        skipped = Skipped()
        tables = []
        owners: dict[str, TableRoot] = {}
        for root in sorted(roots, key=lambda root: root.prefix):
            other = owners.setdefault(root.catalog_name, root)
            if other is not root:
                fault = f'"{root.prefix}" and "{other.prefix}" are one name to the catalogue'
                tables.append(_failed(root, bucket, 0, (fault,)))
                continue
            table, passed_over = _crawl_root(s3, glue, files, bucket, database, root)
            tables.append(table)
            skipped += passed_over
    except (BotoCoreError, ClientError) as error:
        raise ResourceError(
            f"bronze ({bucket}) cannot be crawled into {database}: {error}", hint="are the local servers up?"
        ) from error
    return CrawlReport(tuple(tables), skipped)


def _glue_client(aws: AwsEndpoint) -> Any:
    return boto3.session.Session().client(
        "glue",
        endpoint_url=aws.url,
        region_name=aws.region,
        aws_access_key_id=aws.access_key_id,
        aws_secret_access_key=aws.secret_access_key,
        config=Config(retries={"total_max_attempts": 3, "mode": "standard"}),
    )


def _filesystem(endpoint: AwsEndpoint) -> pafs.FileSystem:
    scheme, _, host = (endpoint.url or "https://s3.amazonaws.com").partition("://")
    return pafs.S3FileSystem(
        access_key=endpoint.access_key_id,
        secret_key=endpoint.secret_access_key,
        region=endpoint.region,
        endpoint_override=host,
        scheme="https" if scheme == "https" else "http",
    )


def _make_database(glue: Any, database: str) -> None:
    try:
        glue.create_database(DatabaseInput={"Name": database})
    except glue.exceptions.AlreadyExistsException:
        return


def _existing(glue: Any, database: str, name: str) -> dict[str, Any] | None:
    try:
        return dict(glue.get_table(DatabaseName=database, Name=name)["Table"])
    except glue.exceptions.EntityNotFoundException:
        return None


def _crawl_root(
    s3: Any, glue: Any, files: pafs.FileSystem, bucket: str, database: str, root: TableRoot
) -> tuple[CrawledTable, Skipped]:
    for _ in range(_TRIES):
        before = _existing(glue, database, root.catalog_name)
        if before is not None and before["StorageDescriptor"]["Location"] != _location(root, bucket):
            fault = f"the catalogue has this table at {before['StorageDescriptor']['Location']}"
            return _failed(root, bucket, 0, (fault,)), Skipped()
        parameters = before.get("Parameters", {}) if before else {}
        found = new_files(
            s3,
            bucket,
            root,
            newest_load=parameters.get(_NEWEST_LOAD, ""),
            newest_change=parameters.get(_NEWEST_CHANGE, ""),
        )
        if not found.names:
            return CrawledTable(root.catalog_name, _location(root, bucket), Outcome.UNCHANGED), found.skipped
        schemas, unreadable = _schemas(files, bucket, root, found)
        known = {c["Name"]: c["Type"] for c in before["StorageDescriptor"]["Columns"]} if before else {}
        union = joined_columns(known, schemas)
        faults = (*unreadable, *union.faults)
        if faults:
            return _failed(root, bucket, len(found.names), faults), found.skipped
        definition = _table_input(root, bucket, union.columns, found)
        if not _written(glue, database, definition, before):
            continue  # another crawl was faster: begin again from what it wrote
        changed = bool(union.added or union.widened)
        outcome = Outcome.CREATED if before is None else Outcome.UPDATED if changed else Outcome.UNCHANGED
        return (
            CrawledTable(
                root.catalog_name,
                _location(root, bucket),
                outcome,
                new_files=len(found.names),
                added_columns=union.added,
                widened_columns=union.widened,
            ),
            found.skipped,
        )
    raise ConflictError(
        f"catalogue table {database}.{root.catalog_name} was changed by somebody else {_TRIES} times",
        hint="end the other crawls and crawl again",
    )


def _schemas(
    files: pafs.FileSystem, bucket: str, root: TableRoot, found: TableFiles
) -> tuple[dict[str, pa.Schema], tuple[str, ...]]:
    """Schemas of the readable files, and a fault for each of the others."""

    def schema_of(name: str) -> pa.Schema | str:
        try:
            return pq.read_schema(f"{bucket}/{root.prefix}{name}", filesystem=files)
        except (pa.ArrowInvalid, OSError) as error:
            return f"{name} is no readable parquet file: {str(error).splitlines()[0]}"

    with ThreadPoolExecutor(_READERS) as pool:
        answers = dict(zip(found.names, pool.map(schema_of, found.names), strict=True))
    return (
        {name: answer for name, answer in answers.items() if isinstance(answer, pa.Schema)},
        tuple(answer for answer in answers.values() if isinstance(answer, str)),
    )


def _table_input(root: TableRoot, bucket: str, columns: Mapping[str, str], found: TableFiles) -> dict[str, Any]:
    return {
        "Name": root.catalog_name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "classification": "parquet",
            "typeOfData": "file",
            _NEWEST_LOAD: found.newest_load,
            _NEWEST_CHANGE: found.newest_change,
        },
        "PartitionKeys": [],
        "StorageDescriptor": dict(_FORMAT)
        | {
            "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
            "Location": _location(root, bucket),
        },
    }


def _written(glue: Any, database: str, definition: dict[str, Any], before: dict[str, Any] | None) -> bool:
    """Whether it was written; False where somebody else wrote in between."""
    if before is None:
        try:
            glue.create_table(DatabaseName=database, TableInput=definition)
        except glue.exceptions.AlreadyExistsException:
            return False
        return True
    try:
        glue.update_table(DatabaseName=database, TableInput=definition, VersionId=before["VersionId"], SkipArchive=True)
    except (glue.exceptions.ConcurrentModificationException, glue.exceptions.EntityNotFoundException):
        return False
    return True


def _location(root: TableRoot, bucket: str) -> str:
    return f"s3://{bucket}/{root.prefix}"


def _failed(root: TableRoot, bucket: str, files: int, faults: tuple[str, ...]) -> CrawledTable:
    return CrawledTable(root.catalog_name, _location(root, bucket), Outcome.FAILED, new_files=files, faults=faults)
