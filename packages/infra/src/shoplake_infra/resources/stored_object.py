"""S3 objects of ours under a key that holds their content's hash: a changed content is another object.

So nothing is overwritten while a job or function reads it, and what refers to the object changes with it. Superseded
objects stay until their bucket goes: an execution that is redriven weeks later finds the code that it was started with.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shoplake_core.errors import ConfigError

from shoplake_infra.aws import Aws, or_none
from shoplake_infra.diff import Change
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource

__all__ = ["HANDLER", "StoredObject", "StoredObjectHandler", "content_key", "stored_object"]

_SHA256, _TAGS = "sha256", "shoplake-tags"  # metadata: it comes with HeadObject and is written with the content


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject(Resource):
    """An object, and where its content is taken from when it is created: the plan holds the hash alone."""

    source: Path | Callable[[], bytes] = field(compare=False, repr=False)

    @property
    def bucket(self) -> str:
        """Its bucket's name."""
        return self.name.partition("/")[0]

    @property
    def key(self) -> str:
        """Its key."""
        return self.name.partition("/")[2]

    @property
    def url(self) -> str:
        """Its `s3://` URL."""
        return f"s3://{self.name}"

    @property
    def sha256_base64(self) -> str:
        """SHA-256 of its content as Lambda's `CodeSha256` and S3 write it."""
        return _as_base64(self.properties["sha256"])


def _as_base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def content_key(what: str, *, sha256: str, name: str) -> str:
    """The key of content: `code/<what>/<sha256>/<name>`, so that a wheel keeps the file name that pip reads."""
    return f"code/{what}/{sha256}/{name}"


def stored_object(
    bucket: Resource, key: str, *, source: Path | Callable[[], bytes], sha256: str, tags: Mapping[str, str]
) -> StoredObject:
    """An object in `bucket`.

    Args:
        bucket: A bucket of ours.
        key: Holds `sha256`; `content_key` makes one.
        source: A file, or what makes the content; asked only where the object is not there.
        sha256: Of the content, as hex.
        tags: Ours.

    Raises:
        ConfigError: The key does not hold the hash.

    """
    if sha256 not in key.split("/"):
        raise ConfigError(
            f'the key "{key}" does not hold its content\'s SHA-256 {sha256}', hint="make it with content_key"
        )
    return StoredObject(
        kind="object",
        name=f"{bucket.name}/{key}",
        tags=tags,
        properties={"bucket": Ref(bucket, "name"), "key": key, "sha256": sha256},
        source=source,
    )


class StoredObjectHandler(Handler):
    """All calls for objects."""

    kind = "object"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The object by HeadObject; one that somebody else wrote there has no hash of ours."""
        name, key, _, _ = _place(resource)
        answer = or_none(
            aws.client("s3").head_object, {"404", "NotFound", "NoSuchKey", "NoSuchBucket"}, Bucket=name, Key=key
        )
        if answer is None:
            return None
        metadata = answer.get("Metadata", {})
        sha256 = metadata.get(_SHA256, "")
        wanted = resource.properties["sha256"]
        return Observed(
            properties={"bucket": resource.properties["bucket"], "key": key, "sha256": sha256},
            tags=json.loads(metadata.get(_TAGS, "{}")),
            attributes={"bucket": name, "key": key, "url": f"s3://{name}/{key}", "sha256": _as_base64(wanted)},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """Write it; S3 refuses a content that is not of the hash."""
        name, key, source, sha256 = _place(resource)
        described: dict[str, Any] = {
            "Bucket": name,
            "Key": key,
            "ChecksumAlgorithm": "SHA256",
            "ChecksumSHA256": _as_base64(sha256),
            "Metadata": {_SHA256: sha256, _TAGS: json.dumps(dict(resource.tags), sort_keys=True)},
        }
        s3 = aws.client("s3")
        if not isinstance(source, Path):
            content = source()
            _refuse_other_content(resource, hashlib.sha256(content).hexdigest(), sha256)
            s3.put_object(Body=content, **described)
            return
        try:
            with source.open("rb") as file:
                _refuse_other_content(resource, hashlib.file_digest(file, "sha256").hexdigest(), sha256)
                file.seek(0)
                s3.put_object(Body=file, **described)
        except OSError as error:
            raise ConfigError(
                f"{resource.address}: its file {source} cannot be read: {error}", hint="make the plan again"
            ) from error

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:  # noqa: ARG002 - the port's signature
        """Write it again: content and tags are one."""
        self.create(aws, resource)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it; the bucket's rule for replaced objects ends its versions."""
        name, key, _, _ = _place(resource)
        aws.client("s3").delete_object(Bucket=name, Key=key)


def _place(resource: Resource) -> tuple[str, str, Path | Callable[[], bytes], str]:
    if not isinstance(resource, StoredObject):
        raise ConfigError(f"{resource.address} has no content", hint="make it with stored_object")
    return resource.bucket, resource.key, resource.source, resource.properties["sha256"]


def _refuse_other_content(resource: Resource, found: str, wanted: str) -> None:
    if found != wanted:
        raise ConfigError(
            f"{resource.address}: its content has SHA-256 {found}, planned was {wanted}",
            hint="it was changed since; make the plan again",
        )


HANDLER = StoredObjectHandler()
