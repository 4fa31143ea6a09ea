"""S3 buckets: versioned, encrypted with our key, closed to the public, TLS only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws, error_code, or_none
from shoplake_infra.diff import Change, touches
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource
from shoplake_infra.tags import foreign_tags, tag_list, tag_mapping

__all__ = ["HANDLER", "BucketHandler", "LifecycleRule", "bucket"]

_DELETED_AT_ONCE = 1000  # keys that one DeleteObjects takes
_CLOSED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleRule:
    """What is deleted by itself under a prefix: current objects, replaced ones, unfinished uploads; None keeps them."""

    name: str
    prefix: str = ""
    expire_days: int | None = None
    replaced_days: int | None = None
    unfinished_days: int | None = None


def bucket(
    name: str,
    *,
    key: Resource,
    tags: Mapping[str, str],
    lifecycle: tuple[LifecycleRule, ...] = (),
    holds_data: bool = True,
    tls_only: bool = True,
) -> Resource:
    """A bucket whose objects are encrypted with `key`; `tls_only` is False for a server on loopback without TLS."""
    return Resource(
        kind="bucket",
        name=name,
        tags=tags,
        holds_data=holds_data,
        properties={
            "versioning": True,
            "kms_key": Ref(key, "arn"),
            "public_access_blocked": True,
            "policy": _tls_only(name) if tls_only else {},
            "lifecycle": {rule.name: _rule_properties(rule) for rule in lifecycle},
        },
    )


def _rule_properties(rule: LifecycleRule) -> dict[str, Any]:
    days = {
        "expire_days": rule.expire_days,
        "replaced_days": rule.replaced_days,
        "unfinished_days": rule.unfinished_days,
    }
    return {"prefix": rule.prefix, "enabled": True} | {name: count for name, count in days.items() if count is not None}


def _tls_only(name: str) -> dict[str, Any]:
    arn = f"arn:aws:s3:::{name}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


def _rule_to_aws(name: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    aws_rule: dict[str, Any] = {"ID": name, "Filter": {"Prefix": rule["prefix"]}, "Status": "Enabled"}
    if "expire_days" in rule:
        aws_rule["Expiration"] = {"Days": rule["expire_days"]}
    if "replaced_days" in rule:
        aws_rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["replaced_days"]}
    if "unfinished_days" in rule:
        aws_rule["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": rule["unfinished_days"]}
    return aws_rule


def _rule_from_aws(rule: Mapping[str, Any]) -> dict[str, Any]:
    known = {"ID", "Filter", "Status", "Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"}
    days = {
        "expire_days": rule.get("Expiration", {}).get("Days"),
        "replaced_days": rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
        "unfinished_days": rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
    }
    found = {"prefix": rule.get("Filter", {}).get("Prefix", ""), "enabled": rule["Status"] == "Enabled"}
    others = {name: value for name, value in rule.items() if name not in known}  # a hand-made addition shows
    return found | others | {name: count for name, count in days.items() if count is not None}


class BucketHandler(Handler):
    """All calls for buckets."""

    kind = "bucket"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The bucket as it is; a bucket of the name in somebody else's account stops the plan."""
        s3, name = aws.client("s3"), resource.name
        try:
            if or_none(s3.head_bucket, {"404", "NoSuchBucket"}, Bucket=name) is None:
                return None
        except ClientError as error:
            if error_code(error) == "403":
                raise ResourceError(
                    f"{resource.address} exists and may not be read: it belongs to another account, or rights lack",
                    hint="check the account and the rights s3:ListBucket and s3:GetBucket*",
                    address=resource.address,
                ) from error
            raise
        tags = or_none(s3.get_bucket_tagging, {"NoSuchTagSet"}, Bucket=name) or {"TagSet": []}
        return Observed(
            properties={
                "versioning": s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled",
                "kms_key": _kms_key(s3, name),
                "public_access_blocked": _public_access_blocked(s3, name),
                "policy": _policy(s3, name),
                "lifecycle": _lifecycle(s3, name),
            },
            tags=tag_mapping(tags["TagSet"]),
            attributes={"arn": f"arn:aws:s3:::{name}", "name": name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """Create it with its tags, then set all properties."""
        s3, name = aws.client("s3"), resource.name
        tags = tag_list(resource.tags)
        place: dict[str, Any] = {"Tags": tags}
        if aws.region != "us-east-1":  # which must not be named
            place["LocationConstraint"] = aws.region
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=place)
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})  # S3 servers other than AWS's leave them out above
        self._write(aws, resource, tuple(resource.properties))

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Set what differs."""
        if touches(changes, "tags"):
            tags = foreign_tags(resource.tags, observed.tags) | dict(resource.tags)
            aws.client("s3").put_bucket_tagging(Bucket=resource.name, Tagging={"TagSet": tag_list(tags)})
        self._write(aws, resource, tuple(name for name in resource.properties if touches(changes, name)))

    def _write(self, aws: Aws, resource: Resource, names: tuple[str, ...]) -> None:
        s3, bucket_name, wanted = aws.client("s3"), resource.name, resource.properties
        if "public_access_blocked" in names:
            s3.put_public_access_block(
                Bucket=bucket_name,
                PublicAccessBlockConfiguration=dict.fromkeys(_CLOSED, wanted["public_access_blocked"]),
            )
        if "policy" in names and not wanted["policy"]:
            or_none(s3.delete_bucket_policy, {"NoSuchBucketPolicy"}, Bucket=bucket_name)
        elif "policy" in names:
            s3.put_bucket_policy(Bucket=bucket_name, Policy=_document(wanted["policy"]))
        if "kms_key" in names:
            rule = {
                "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": wanted["kms_key"]},
                "BucketKeyEnabled": True,  # one KMS call a while, not one an object
            }
            s3.put_bucket_encryption(Bucket=bucket_name, ServerSideEncryptionConfiguration={"Rules": [rule]})
        if "versioning" in names:
            status = "Enabled" if wanted["versioning"] else "Suspended"
            s3.put_bucket_versioning(Bucket=bucket_name, VersioningConfiguration={"Status": status})
        if "lifecycle" in names:
            rules = [_rule_to_aws(name, rule) for name, rule in sorted(wanted["lifecycle"].items())]
            if rules:
                s3.put_bucket_lifecycle_configuration(Bucket=bucket_name, LifecycleConfiguration={"Rules": rules})
            else:
                s3.delete_bucket_lifecycle(Bucket=bucket_name)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Delete it with every version of every object."""
        s3 = aws.client("s3")
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=resource.name):
            for upload in page.get("Uploads", []):
                s3.abort_multipart_upload(Bucket=resource.name, Key=upload["Key"], UploadId=upload["UploadId"])
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=resource.name, PaginationConfig={"PageSize": _DELETED_AT_ONCE}
        )
        for page in pages:
            entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
            if not objects:
                continue
            answer = s3.delete_objects(Bucket=resource.name, Delete={"Objects": objects, "Quiet": True})
            if answer.get("Errors"):
                first = answer["Errors"][0]
                raise ResourceError(
                    f"{resource.address}: {len(answer['Errors'])} objects cannot be deleted, such as "
                    f"{first.get('Key')}: {first.get('Message')}",
                    hint="remove what protects them, then destroy again",
                    address=resource.address,
                )
        s3.delete_bucket(Bucket=resource.name)


def _document(policy: Mapping[str, Any]) -> str:
    return json.dumps(policy, sort_keys=True)


def _kms_key(s3: Any, name: str) -> str:
    answer = or_none(s3.get_bucket_encryption, {"ServerSideEncryptionConfigurationNotFoundError"}, Bucket=name)
    if answer is None:
        return ""
    default = answer["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    return str(default.get("KMSMasterKeyID", ""))


def _public_access_blocked(s3: Any, name: str) -> bool:
    answer = or_none(s3.get_public_access_block, {"NoSuchPublicAccessBlockConfiguration"}, Bucket=name)
    return answer is not None and all(answer["PublicAccessBlockConfiguration"].get(what) for what in _CLOSED)


def _policy(s3: Any, name: str) -> dict[str, Any]:
    answer = or_none(s3.get_bucket_policy, {"NoSuchBucketPolicy"}, Bucket=name)
    policy: dict[str, Any] = json.loads(answer["Policy"]) if answer else {}
    return policy


def _lifecycle(s3: Any, name: str) -> dict[str, Any]:
    answer = or_none(s3.get_bucket_lifecycle_configuration, {"NoSuchLifecycleConfiguration"}, Bucket=name)
    return {rule["ID"]: _rule_from_aws(rule) for rule in (answer or {"Rules": []})["Rules"]}


HANDLER = BucketHandler()
