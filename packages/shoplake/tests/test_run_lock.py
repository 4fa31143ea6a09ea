"""One run at a time, on a real object store."""

from contextlib import ExitStack

import boto3
import pytest
from shoplake.run_lock_aws import run_lock
from shoplake_core.errors import ConflictError


@pytest.fixture
def s3(object_store):
    endpoint = object_store.endpoint
    client = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
    )
    return client


@pytest.fixture
def bucket(s3, request):
    name = f"lock-{abs(hash(request.node.name)) % 10**8}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    return name


def test_a_second_run_is_refused_by_the_name_of_the_first(s3, bucket):
    with run_lock(s3, bucket, {"run_id": "one", "pid": 1}, is_running=lambda _: True):
        with pytest.raises(ConflictError, match="run one is at work"):
            with run_lock(s3, bucket, {"run_id": "two"}, is_running=lambda _: True):
                pytest.fail("two runs at once")


def test_the_lock_is_free_again_after_a_run_and_after_a_failure(s3, bucket):
    for number in range(3):
        with pytest.raises(ValueError, match="boom"):
            with run_lock(s3, bucket, {"run_id": str(number)}, is_running=lambda _: True):
                raise ValueError("boom")


def test_the_lock_of_a_dead_run_is_taken_over(s3, bucket):
    lock = run_lock(s3, bucket, {"run_id": "dead"}, is_running=lambda _: False)
    lock.__enter__()  # and never left: its process was killed
    with run_lock(s3, bucket, {"run_id": "next"}, is_running=lambda holder: holder["run_id"] != "dead"):
        with pytest.raises(ConflictError, match="run next"):
            with run_lock(s3, bucket, {"run_id": "third"}, is_running=lambda _: True):
                pytest.fail("two runs at once")


def test_of_two_that_take_over_the_same_dead_lock_one_wins(s3, bucket):
    with ExitStack() as killed:  # entered and never left while the test looks: their processes were killed
        killed.push(run_lock(s3, bucket, {"run_id": "dead"}, is_running=lambda _: False)).__enter__()
        rival = killed.push(run_lock(s3, bucket, {"run_id": "rival"}, is_running=lambda _: False))

        def rival_takes_it(_holder):
            rival.__enter__()
            return False

        with pytest.raises(ConflictError, match="same moment"):
            with run_lock(s3, bucket, {"run_id": "slow"}, is_running=rival_takes_it):
                pytest.fail("both won")
