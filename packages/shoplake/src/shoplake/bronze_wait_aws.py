"""Waits until bronze holds a marker row: then every change committed before it is there too."""

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow.parquet as pq
from shoplake_core.bronze import table_prefix
from shoplake_core.clock import Clock
from shoplake_core.errors import ResourceError
from shoplake_core.names import MARKER_SCHEMA, MARKER_TABLE

__all__ = ["marker_key_at", "newest_marker_file", "wait_for_marker"]

_POLL_SECONDS = 0.2


def _marker_files(s3: Any, bucket: str, after: str) -> list[str]:
    prefix = table_prefix(MARKER_SCHEMA, MARKER_TABLE)
    start = {"StartAfter": after} if after else {}
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **start)
    return [entry["Key"] for page in pages for entry in page.get("Contents", []) if entry["Size"] > 0]


def marker_key_at(moment: datetime) -> str:
    """A key of the marker table that sorts before all change files written from `moment` on: their names are times, UTC."""
    return f"{table_prefix(MARKER_SCHEMA, MARKER_TABLE)}{moment:%Y%m%d-%H%M%S}"


def newest_marker_file(s3: Any, bucket: str, *, since: str = "") -> str:
    """Key of the newest change file of the marker table, `since` where there is none after it: where a later wait may begin."""
    keys = [key for key in _marker_files(s3, bucket, since) if "/LOAD" not in key]
    return max(keys, default=since)


def _tokens(s3: Any, bucket: str, key: str) -> set[str]:
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return {str(token) for token in pq.read_table(io.BytesIO(body), columns=["token"]).column("token").to_pylist()}


def wait_for_marker(
    s3: Any,
    bucket: str,
    token: str,
    *,
    after: str,
    timeout_seconds: float,
    clock: Clock,
    check_replication: Callable[[], None],
) -> float:
    """Seconds waited until a file of the marker table holds `token`.

    Args:
        s3: A boto3 S3 client.
        bucket: The bronze bucket.
        token: What the marker row holds.
        after: A key from `newest_marker_file`, taken before the marker was committed.
        timeout_seconds: How long to wait.
        clock: Waits between looks.
        check_replication: Raises where replication has stopped, so that nobody waits for the dead.

    Raises:
        ResourceError: The time is up.

    """
    begun = clock.monotonic_seconds()
    seen: set[str] = set()
    while True:
        for key in _marker_files(s3, bucket, after):
            if key not in seen:
                seen.add(key)
                if token in _tokens(s3, bucket, key):
                    return clock.monotonic_seconds() - begun
        check_replication()
        if clock.monotonic_seconds() - begun > timeout_seconds:
            raise ResourceError(
                f"bronze does not hold marker {token} after {timeout_seconds:g} s: replication lags or hangs",
                hint="shoplake status shows its position; its log lies in the state folder",
                token=token,
            )
        clock.sleep(_POLL_SECONDS)
