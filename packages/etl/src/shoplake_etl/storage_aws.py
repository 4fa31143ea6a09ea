"""S3 as the object port."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.errors import ResourceError

from shoplake_etl.objects import ObjectInfo

__all__ = ["S3Objects", "s3_objects"]

_POOL_CONNECTIONS = 48


def _split(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.netloc, parts.path.lstrip("/")


def _refused(doing: str, url: str, error: Exception) -> ResourceError:
    return ResourceError(
        f"cannot {doing} {url}: {error}", hint="check that the bucket is there and that this role may use it", url=url
    )


class S3Objects:
    """Objects of S3, or of any store that speaks its protocol."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def objects(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
        """Every object under URL `prefix` whose name is after `start_after`, by name, page by page."""
        bucket, key = _split(prefix)
        start = {"StartAfter": key + start_after} if start_after else {}
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key, **start)
        try:
            for page in pages:
                for item in page.get("Contents", ()):
                    yield ObjectInfo(
                        url=f"s3://{bucket}/{item['Key']}",
                        name=item["Key"][len(key) :],
                        etag=item["ETag"].strip('"'),
                        size_bytes=item["Size"],
                        modified_at=item["LastModified"],
                    )
        except (BotoCoreError, ClientError) as error:
            raise _refused("list", prefix, error) from error

    def read(self, url: str) -> bytes:
        """The whole object."""
        bucket, key = _split(url)
        try:
            return bytes(self._client.get_object(Bucket=bucket, Key=key)["Body"].read())
        except (BotoCoreError, ClientError) as error:
            raise _refused("read", url, error) from error

    def read_tail(self, url: str, length_bytes: int) -> bytes:
        """The object's last bytes, or all of it where it is shorter."""
        bucket, key = _split(url)
        try:
            answer = self._client.get_object(Bucket=bucket, Key=key, Range=f"bytes=-{length_bytes}")
            return bytes(answer["Body"].read())
        except (BotoCoreError, ClientError) as error:
            raise _refused("read", url, error) from error

    def write(self, url: str, content: bytes) -> None:
        """Put the object."""
        bucket, key = _split(url)
        try:
            self._client.put_object(Bucket=bucket, Key=key, Body=content)
        except (BotoCoreError, ClientError) as error:
            raise _refused("write", url, error) from error


def s3_objects(endpoint: AwsEndpoint | None) -> S3Objects:
    """S3 at that endpoint; None for AWS with the role's own credentials."""
    config = Config(s3={"addressing_style": "path"} if endpoint else {}, max_pool_connections=_POOL_CONNECTIONS)
    if endpoint is None:
        return S3Objects(boto3.client("s3", config=config))
    return S3Objects(
        boto3.client(
            "s3",
            endpoint_url=endpoint.url,
            region_name=endpoint.region,
            aws_access_key_id=endpoint.access_key_id,
            aws_secret_access_key=endpoint.secret_access_key,
            config=config,
        )
    )
