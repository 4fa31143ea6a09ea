"""The bronze bucket: objects are put once and never replaced."""

import hashlib
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from shoplake_core.errors import CredentialError, ResourceError

from shoplake_replication.config import S3Target
from shoplake_replication.errors import BronzeUnreachableError, OverwriteError

__all__ = ["Bronze", "S3Bronze", "sha256_of"]

_ALREADY_THERE = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict"})
_SERVER_FAILED = 500
_REFUSED = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403"})


def _status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


class Bronze(Protocol):
    """What the replicator needs of the bucket. Keys are without the folder."""

    def put_file(self, key: str, path: Path, sha256: str) -> str:
        """The ETag of the object that now holds the file."""
        ...

    def put_text(self, key: str, text: str) -> str:
        """The ETag of the object that now holds the text."""
        ...

    def names(self, prefix: str) -> list[str]:
        """Last parts of the keys directly under a prefix, sorted."""
        ...


def sha256_of(path: Path) -> str:
    """Hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _md5_of(body: BufferedReader | bytes) -> str:
    new = partial(hashlib.md5, usedforsecurity=False)
    if isinstance(body, bytes):
        return new(body).hexdigest()
    body.seek(0)
    return hashlib.file_digest(body, new).hexdigest()


class S3Bronze:
    """Bronze in S3 or what speaks its protocol; credentials are the standard AWS variables."""

    def __init__(self, target: S3Target) -> None:
        self._bucket = target.bucket
        self._prefix = f"{target.folder}/" if target.folder else ""
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=target.endpoint_url,
            region_name=target.region,
            config=Config(
                retries={"mode": "standard", "max_attempts": 5},
                connect_timeout=10,
                read_timeout=120,
                s3={"addressing_style": "path"} if target.endpoint_url else {},
            ),
        )

    def _wrapped(self, error: ClientError | BotoCoreError, what: str) -> ResourceError | CredentialError:
        code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
        where = f"{what} s3://{self._bucket}/{self._prefix}"
        if code in _REFUSED:
            return CredentialError(f"{where}: {code}", hint="check AWS_ACCESS_KEY_ID and its rights on the bucket")
        if isinstance(error, NoCredentialsError | PartialCredentialsError):
            return CredentialError(f"{where}: {error}", hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        if isinstance(error, BotoCoreError) or _status_of(error) >= _SERVER_FAILED:
            return BronzeUnreachableError(f"{where}: {error}", hint="check that S3 answers; it is tried again")
        return ResourceError(f"{where}: {error}", hint="check that the bucket exists and answers")

    def put_file(self, key: str, path: Path, sha256: str) -> str:
        """The ETag of the object that holds the file; the same file again is fine, another one is an error.

        Raises:
            OverwriteError: The key holds other content.
            ResourceError: S3 failed.

        """
        with path.open("rb") as body:
            return self._put(key, body, sha256)

    def put_text(self, key: str, text: str) -> str:
        """The same for a text."""
        data = text.encode("utf-8")
        return self._put(key, data, hashlib.sha256(data).hexdigest())

    def _put(self, key: str, body: BufferedReader | bytes, sha256: str) -> str:
        name = f"{self._prefix}{key}"
        try:
            response = self._client.put_object(
                Bucket=self._bucket, Key=name, Body=body, IfNoneMatch="*", Metadata={"sha256": sha256}
            )
            return str(response["ETag"]).strip('"')
        except ClientError as error:
            if error.response.get("Error", {}).get("Code", "") not in _ALREADY_THERE:
                raise self._wrapped(error, f"cannot put {key} into") from error
        except BotoCoreError as error:
            raise self._wrapped(error, f"cannot put {key} into") from error
        return self._same_content(name, sha256, _md5_of(body))

    def _same_content(self, name: str, sha256: str, md5: str) -> str:
        """The ETag of the object that is there, where it holds that content.

        By the listing first: the role that DMS is documented to need may list and put, and not read. An ETag is the
        content's MD5 but for objects under a KMS key and of many parts; those are asked for what was put beside them.
        """
        if self._listed_etag(name) == md5:
            return md5
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=name)
        except (ClientError, BotoCoreError) as error:
            wrapped = self._wrapped(error, f"cannot read {name} in")
            if not isinstance(wrapped, CredentialError):
                raise wrapped from error
            raise self._other_content(name) from error
        if head["Metadata"].get("sha256") != sha256:
            raise self._other_content(name)
        return str(head["ETag"]).strip('"')

    def _listed_etag(self, name: str) -> str:
        try:
            page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=name, MaxKeys=1)
        except (ClientError, BotoCoreError) as error:
            raise self._wrapped(error, f"cannot list {name} in") from error
        return next((str(i["ETag"]).strip('"') for i in page.get("Contents", ()) if i["Key"] == name), "")

    def _other_content(self, name: str) -> OverwriteError:
        return OverwriteError(
            f"s3://{self._bucket}/{name} is there already, with other content",
            hint="another replicator writes to this folder: stop it, or give this one a folder of its own",
            key=name,
        )

    def names(self, prefix: str) -> list[str]:
        """Last parts of the keys directly under a prefix, sorted."""
        start = f"{self._prefix}{prefix}"
        found: list[str] = []
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=start, Delimiter="/"
            ):
                found += [item["Key"][len(start) :] for item in page.get("Contents", [])]
        except (ClientError, BotoCoreError) as error:
            raise self._wrapped(error, f"cannot list {prefix} in") from error
        return sorted(found)
