import hashlib

import pytest
from shoplake_core.errors import ConfigError, ResourceError
from shoplake_infra.applying import apply
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resources.bucket import bucket
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.stored_object import content_key, stored_object

BUCKET = "shoplake-dev-artifacts-123456789012-eu-central-1"


def desired(tags, content, source=None, sha256=None):
    key = kms_key("shoplake-dev", account="123456789012", description="d", tags=tags, services=())
    artifacts = bucket(BUCKET, key=key, tags=tags, tls_only=False)  # moto reads a policy without its conditions
    sha256 = sha256 or hashlib.sha256(content).hexdigest()
    where = content_key("functions", sha256=sha256, name="functions.zip")
    source = source or (lambda: content)
    return key, artifacts, stored_object(artifacts, where, source=source, sha256=sha256, tags=tags)


def signs(resources, aws):
    return [
        (str(c.action), c.resource.kind, [".".join(d.path) for d in c.changes]) for c in plan(resources, aws).changes
    ]


def test_it_is_written_once_with_its_hash_and_a_plan_holds_no_content(aws, calls, tags, tmp_path):
    file = tmp_path / "functions.zip"
    file.write_bytes(b"a zip")
    resources = desired(tags, b"a zip", source=file)
    first = plan(resources, aws)
    assert "a zip" not in str(first.as_json())
    assert str(tmp_path) not in str(first.as_json())
    apply(first, aws)
    calls.reset()
    assert signs(resources, aws) == []
    assert calls.writes == []
    stored = resources[-1]
    assert aws.client("s3").get_object(Bucket=stored.bucket, Key=stored.key)["Body"].read() == b"a zip"
    head = aws.client("s3").head_object(Bucket=stored.bucket, Key=stored.key, ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == stored.sha256_base64
    attributes = plan(resources, aws).attributes[stored.address]
    assert attributes == {
        "bucket": BUCKET,
        "key": stored.key,
        "url": stored.url,
        "sha256": stored.sha256_base64,
    }


def test_changed_content_is_another_object_and_the_old_one_stays(aws, tags):
    old = desired(tags, b"one")
    apply(plan(old, aws), aws)
    new = desired(tags, b"two")
    assert signs(new, aws) == [("+", "object", ["bucket", "key", "sha256", "tags"])]
    apply(plan(new, aws), aws)
    for resources, content in ((old, b"one"), (new, b"two")):
        where = {"Bucket": resources[-1].bucket, "Key": resources[-1].key}
        assert aws.client("s3").get_object(**where)["Body"].read() == content


def test_what_somebody_wrote_in_its_place_is_not_ours(aws, tags):
    resources = desired(tags, b"one")
    apply(plan(resources, aws), aws)
    aws.client("s3").put_object(Bucket=resources[-1].bucket, Key=resources[-1].key, Body=b"other")
    with pytest.raises(ResourceError, match="exists and is not ours"):
        plan(resources, aws)


def test_content_that_changed_after_the_plan_is_refused(aws, tags, tmp_path):
    file = tmp_path / "functions.zip"
    file.write_bytes(b"one")
    planned = plan(desired(tags, b"one", source=file), aws)
    file.write_bytes(b"two")
    with pytest.raises(ConfigError, match="it was changed since"):
        apply(planned, aws)
    file.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        apply(plan(desired(tags, b"one", source=file), aws), aws)
    with pytest.raises(ConfigError, match="planned was"):
        apply(plan(desired(tags, b"one", source=lambda: b"two"), aws), aws)


def test_a_key_without_the_hash_is_refused(tags):
    artifacts = desired(tags, b"one")[1]
    with pytest.raises(ConfigError, match="does not hold its content's SHA-256"):
        stored_object(artifacts, "code/functions.zip", source=lambda: b"", sha256="ab" * 32, tags=tags)


def test_a_destroy_takes_it(aws, tags):
    resources = desired(tags, b"one")
    apply(plan(resources, aws), aws)
    apply(plan_destroy(resources, aws), aws)
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=BUCKET)
