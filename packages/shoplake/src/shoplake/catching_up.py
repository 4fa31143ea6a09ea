"""Bronze caught up with MySQL: loads complete, and a marker row committed now has arrived."""

import secrets
from datetime import timedelta
from typing import Any

from shoplake_mysql.connections import connect
from shoplake_mysql.marker import commit_marker, ensure_marker_table

from shoplake.bronze_wait_aws import marker_key_at, newest_marker_file, wait_for_marker
from shoplake.laptop import Laptop
from shoplake.narration import StepTalk

__all__ = ["LOAD_TIMEOUT_SECONDS", "catch_up_bronze", "commit_and_wait_for_marker"]

LOAD_TIMEOUT_SECONDS = 3600.0
_MARKER_TIMEOUT_SECONDS = 300.0


def commit_and_wait_for_marker(laptop: Laptop) -> float:
    """Seconds waited: bronze now holds every change that was committed before this was called.

    Raises:
        ReplicationStoppedError: Replication has stopped.
        ResourceError: It lags too far.

    """
    bucket = laptop.names.bronze_bucket
    # a run a few minutes apart for years leaves very many marker files: only the last day's are listed
    since = marker_key_at(laptop.clock.now() - timedelta(days=1))
    after = newest_marker_file(laptop.s3, bucket, since=since)
    token = secrets.token_hex(8)
    connection = connect(laptop.mysql)
    try:
        commit_marker(connection, token)
    finally:
        connection.close()

    def check() -> None:
        laptop.replicator.check()

    return wait_for_marker(
        laptop.s3,
        bucket,
        token,
        after=after,
        timeout_seconds=_MARKER_TIMEOUT_SECONDS,
        clock=laptop.clock,
        check_replication=check,
    )


def catch_up_bronze(laptop: Laptop, talk: StepTalk) -> dict[str, Any]:
    """Rows read so far, position and seconds waited, once bronze is caught up; starts replication where it does not run."""
    connection = connect(laptop.mysql)
    try:
        ensure_marker_table(connection)
    finally:
        connection.close()
    laptop.start_replicator()
    laptop.replicator.wait_until_loaded(
        timeout_seconds=LOAD_TIMEOUT_SECONDS, on_rows=lambda rows: talk.note(f"{rows:,} rows so far")
    )
    waited_seconds = commit_and_wait_for_marker(laptop)
    status = laptop.replicator.check()
    return {"rows_seen": status.rows_seen, "position": status.position, "waited_seconds": round(waited_seconds, 2)}
