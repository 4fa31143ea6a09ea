"""Waiting for a marker in bronze, on a real object store."""

import io
from datetime import UTC, datetime

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shoplake.bronze_wait_aws import marker_key_at, newest_marker_file, wait_for_marker
from shoplake_core.clock import SkipClock
from shoplake_core.errors import ResourceError


@pytest.fixture
def s3(object_store):
    endpoint = object_store.endpoint
    return boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
    )


@pytest.fixture
def bucket(s3, request):
    name = f"marker-{abs(hash(request.node.name)) % 10**8}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    return name


def put_markers(s3, bucket, name, *tokens):
    buffer = io.BytesIO()
    pq.write_table(pa.table({"Op": ["I"] * len(tokens), "token": list(tokens)}), buffer)
    s3.put_object(Bucket=bucket, Key=f"shoplake/marker/{name}", Body=buffer.getvalue())


def wait(s3, bucket, token, after="", check=lambda: None):
    clock = SkipClock(datetime(2026, 1, 1, tzinfo=UTC))
    return wait_for_marker(s3, bucket, token, after=after, timeout_seconds=60, clock=clock, check_replication=check)


def test_a_marker_that_is_there_is_found_at_once(s3, bucket):
    put_markers(s3, bucket, "20260101-000000000.parquet", "a", "b")
    assert wait(s3, bucket, "b") == 0


def test_a_marker_that_comes_later_is_waited_for(s3, bucket):
    put_markers(s3, bucket, "20260101-000000000.parquet", "a")
    after = newest_marker_file(s3, bucket)
    looks = iter(range(10))

    def replication_goes_on():
        if next(looks) == 3:
            put_markers(s3, bucket, "20260101-000001000.parquet", "b")

    assert wait(s3, bucket, "b", after, replication_goes_on) > 0


def test_a_marker_committed_before_the_first_load_is_found_in_the_load_file(s3, bucket):
    put_markers(s3, bucket, "LOAD00000001.parquet", "a")
    assert newest_marker_file(s3, bucket) == ""
    assert wait(s3, bucket, "a") == 0


def test_marker_files_of_earlier_days_are_not_looked_at_again(s3, bucket):
    put_markers(s3, bucket, "20260101-000000000.parquet", "a")
    since = marker_key_at(datetime(2026, 1, 3, tzinfo=UTC))
    assert newest_marker_file(s3, bucket, since=since) == since
    put_markers(s3, bucket, "20260103-000000000.parquet", "b")
    assert newest_marker_file(s3, bucket, since=since).endswith("20260103-000000000.parquet")
    assert wait(s3, bucket, "b", since) == 0


def test_the_wait_ends_in_an_error_that_says_where_to_look(s3, bucket):
    with pytest.raises(ResourceError, match="shoplake status"):
        wait(s3, bucket, "never")


def test_nobody_waits_for_a_dead_replicator(s3, bucket):
    def dead():
        raise ResourceError("the replicator ended")

    with pytest.raises(ResourceError, match="the replicator ended"):
        wait(s3, bucket, "never", check=dead)
