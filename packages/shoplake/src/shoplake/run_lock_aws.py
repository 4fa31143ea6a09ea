"""One run at a time: a lock object put with `If-None-Match: *`, whose owner is a run. A lock whose run ended is taken over.

A list of running runs alone would be a race: two that look at the same moment both see none.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError
from shoplake_core.errors import ConflictError

__all__ = ["run_lock"]

_KEY = "locks/run.json"
_PRECONDITION_FAILED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


def _put(s3: Any, bucket: str, owner: dict[str, Any], **condition: str) -> str | None:
    """The lock's ETag, None where the condition does not hold."""
    try:
        answer = s3.put_object(Bucket=bucket, Key=_KEY, Body=json.dumps(owner).encode(), **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] in _PRECONDITION_FAILED:
            return None
        raise
    return str(answer["ETag"])


@contextmanager
def run_lock(
    s3: Any, bucket: str, owner: dict[str, Any], *, is_running: Callable[[dict[str, Any]], bool]
) -> Iterator[None]:
    """Hold the lock of the environment while the block runs.

    Args:
        s3: A boto3 S3 client.
        bucket: The artifacts bucket.
        owner: JSON that tells this run from every other (`run_id`, and what `is_running` needs).
        is_running: Whether the run that an existing lock names still runs.

    Raises:
        ConflictError: Another run holds the lock.

    """
    etag = _put(s3, bucket, owner, IfNoneMatch="*")
    if etag is None:
        answer = s3.get_object(Bucket=bucket, Key=_KEY)
        holder = json.loads(answer["Body"].read())
        if holder.get("run_id") and is_running(holder):
            raise ConflictError(
                f"run {holder['run_id']} is at work (process {holder.get('pid')}), and one run at a time is allowed",
                hint="wait for it to end: shoplake status",
                holder=holder,
            )
        etag = _put(s3, bucket, owner, IfMatch=answer["ETag"])
        if etag is None:
            raise ConflictError("another run took the lock at the same moment", hint="shoplake status", holder=holder)
    try:
        yield
    finally:
        # Released by emptying, on condition that it is still ours: a delete has no such condition.
        _put(s3, bucket, {}, IfMatch=etag)
