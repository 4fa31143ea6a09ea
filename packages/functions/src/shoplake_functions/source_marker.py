"""A marker row committed now: once bronze holds it, bronze holds every change committed before it."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shoplake_core.bronze import is_load_file, table_prefix
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.names import MARKER_SCHEMA, MARKER_TABLE
from shoplake_mysql.connections import connect
from shoplake_mysql.marker import commit_marker, ensure_marker_table

__all__ = ["CommittedMarker", "commit_source_marker", "marker_files"]

# runs a few minutes apart for years leave very many marker files: only the last day's are listed
_WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CommittedMarker:
    """A committed marker.

    Attributes:
        token: What its row holds.
        after: Key after which the file that holds it will be listed.

    """

    token: str
    after: str


def marker_files(s3: Any, bucket: str, *, after: str) -> list[str]:
    """Keys of the marker table's change files after the key `after`, in order."""
    prefix = table_prefix(MARKER_SCHEMA, MARKER_TABLE)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, StartAfter=after or prefix)
    found = [entry["Key"] for page in pages for entry in page.get("Contents", ()) if entry["Size"] > 0]
    return [key for key in found if not is_load_file(key.removeprefix(prefix))]


def commit_source_marker(endpoint: MySqlEndpoint, *, s3: Any, bucket: str, now: datetime) -> CommittedMarker:
    """The marker that this call committed, in a table that is there afterwards.

    Args:
        endpoint: MySQL; its user may create the marker schema and write to its table.
        s3: A boto3 S3 client.
        bucket: The bronze bucket.
        now: The time, UTC.

    Raises:
        CredentialError, ResourceError: MySQL refused the login, or does not answer.

    """
    since = f"{table_prefix(MARKER_SCHEMA, MARKER_TABLE)}{now - _WINDOW:%Y%m%d-%H%M%S}"
    after = max(marker_files(s3, bucket, after=since), default=since)
    token = secrets.token_hex(8)
    connection = connect(endpoint)
    try:
        ensure_marker_table(connection)
        commit_marker(connection, token)
    finally:
        connection.close()
    return CommittedMarker(token, after)
