"""Objects of S3 and the Glue catalogue, with endpoint and credentials as arguments."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg.catalog.glue import GlueCatalog
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.errors import DataError, ResourceError

__all__ = ["AwsTargets", "ObjectStore", "StoredObject"]

_MOST_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object of a listing."""

    key: str
    etag: str
    size_bytes: int

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rsplit("/", 1)[-1]


def _credentials(endpoint: AwsEndpoint) -> dict[str, Any]:
    """The arguments of a boto3 client; without an access key boto3's own chain of credentials decides."""
    arguments: dict[str, Any] = {"region_name": endpoint.region, "endpoint_url": endpoint.url}
    if endpoint.access_key_id:
        arguments |= {"aws_access_key_id": endpoint.access_key_id, "aws_secret_access_key": endpoint.secret_access_key}
    return arguments


@dataclass(frozen=True)
class ObjectStore:
    """The objects of one S3."""

    endpoint: AwsEndpoint

    @cached_property
    def _client(self) -> Any:
        config = Config(
            s3={"addressing_style": "path" if self.endpoint.url else "auto"},
            retries={"total_max_attempts": _MOST_ATTEMPTS, "mode": "standard"},
        )
        return boto3.client("s3", config=config, **_credentials(self.endpoint))

    def listed(self, bucket: str, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        """Objects under a prefix, in the order of their keys, those after `after` alone."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, StartAfter=after)
        try:
            for page in pages:
                for item in page.get("Contents", ()):
                    yield StoredObject(item["Key"], item["ETag"].strip('"'), item["Size"])
        except (BotoCoreError, ClientError) as error:
            raise ResourceError(
                f"cannot list s3://{bucket}/{prefix}: {error}", hint="check the bucket's name and rights"
            ) from error

    def content(self, bucket: str, key: str) -> bytes:
        """The bytes of one object."""
        try:
            body: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except (BotoCoreError, ClientError) as error:
            raise ResourceError(
                f"cannot read s3://{bucket}/{key}: {error}", hint="check the bucket's name and rights"
            ) from error
        return body

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """The object is there: a report, the one thing that a reconciliation writes."""
        try:
            self._client.put_object(Bucket=bucket, Key=key, Body=content)
        except (BotoCoreError, ClientError) as error:
            raise ResourceError(
                f"cannot write s3://{bucket}/{key}: {error}", hint="check the bucket's name and rights"
            ) from error

    def content_of_url(self, url: str, expected_sha256: str) -> bytes:
        """The bytes of the object at an `s3://` URL.

        Raises:
            DataError: They are not the ones that were recorded.

        """
        bucket, _, key = url.removeprefix("s3://").partition("/")
        body = self.content(bucket, key)
        if sha256(body).hexdigest() != expected_sha256:
            raise DataError(
                f"{url} is not the object that was recorded: its hash differs", hint="rebuild the table", url=url
            )
        return body


@dataclass(frozen=True)
class AwsTargets:
    """Where the catalogue and the objects are.

    Attributes:
        glue: The Glue Data Catalog.
        object_store: S3.

    """

    glue: AwsEndpoint
    object_store: AwsEndpoint

    @cached_property
    def objects(self) -> ObjectStore:
        """S3's objects."""
        return ObjectStore(self.object_store)

    @cached_property
    def catalog(self) -> GlueCatalog:
        """The catalogue, with Iceberg's own reader of S3."""
        properties: dict[str, Any] = {
            "s3.region": self.object_store.region,
            "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
        }
        if self.object_store.url:
            properties["s3.endpoint"] = self.object_store.url
        if self.object_store.access_key_id:
            properties["s3.access-key-id"] = self.object_store.access_key_id
            properties["s3.secret-access-key"] = self.object_store.secret_access_key
        config = Config(retries={"total_max_attempts": _MOST_ATTEMPTS, "mode": "standard"})
        return GlueCatalog(
            "shoplake", client=boto3.client("glue", config=config, **_credentials(self.glue)), **properties
        )
