"""S3 calls on the object store: is it there, and are the buckets made."""

from collections.abc import Iterable
from typing import Any

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.errors import ResourceError

__all__ = ["S3_ERRORS", "bucket_is_open_to", "create_buckets", "list_bucket_names", "s3_client"]

S3_ERRORS: tuple[type[Exception], ...] = (BotoCoreError, ClientError)


def s3_client(endpoint: AwsEndpoint, *, timeout_seconds: float = 60.0, attempts: int = 3) -> Any:
    """A client for that endpoint; path-style addresses on our own object store, where no bucket has a host name."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        config=Config(
            s3={"addressing_style": "path"} if endpoint.url else None,
            connect_timeout=timeout_seconds,
            read_timeout=timeout_seconds,
            retries={"total_max_attempts": attempts, "mode": "standard"},
        ),
    )


def list_bucket_names(endpoint: AwsEndpoint, *, timeout_seconds: float = 60.0, attempts: int = 3) -> tuple[str, ...]:
    """The names of all buckets, asked in a real, signed call."""
    answer = s3_client(endpoint, timeout_seconds=timeout_seconds, attempts=attempts).list_buckets()
    return tuple(bucket["Name"] for bucket in answer.get("Buckets", ()))


def bucket_is_open_to(client: Any, name: str) -> bool:
    """Whether the client's caller may list that bucket, be it there or not.

    Raises:
        ClientError: Another refusal than of the caller.

    """
    try:
        client.list_objects_v2(Bucket=name, MaxKeys=1)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in {"AccessDenied", "InvalidAccessKeyId", "NoSuchBucket"}:
            raise
        return bool(code == "NoSuchBucket")
    return True


def create_buckets(endpoint: AwsEndpoint, names: Iterable[str]) -> tuple[str, ...]:
    """The names of those that were made now; the others were there.

    Raises:
        ResourceError: The object store refused.

    """
    client = s3_client(endpoint)
    made = []
    try:
        present = {bucket["Name"] for bucket in client.list_buckets().get("Buckets", ())}
        for name in names:
            if name in present:
                continue
            try:
                client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": endpoint.region})
            except ClientError as error:
                if error.response["Error"]["Code"] not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                    raise
                continue
            made.append(name)
    except S3_ERRORS as error:
        raise ResourceError(
            f"the buckets {', '.join(names)} cannot be made at {endpoint.url}: {error}", hint="is the object store up?"
        ) from error
    return tuple(made)
