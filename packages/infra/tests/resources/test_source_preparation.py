"""The preparation of a new source, by small functions on the local AWS; the whole way is in test_apply_on_local.py."""

import base64
import hashlib
import io
import zipfile
from dataclasses import replace

import pytest
from shoplake_core.errors import ResourceError
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_infra.applying import apply
from shoplake_infra.planning import plan, plan_destroy
from shoplake_infra.resource import Ref
from shoplake_infra.resources.bucket import bucket
from shoplake_infra.resources.function import Code, function
from shoplake_infra.resources.kms_key import kms_key
from shoplake_infra.resources.role import role
from shoplake_infra.resources.secret import hex_secret
from shoplake_infra.resources.source_preparation import PreparedSource, source_preparation

NAME = "shoplake-prep-source"
TAGS = {"Project": "shop", "Environment": "prep", "ManagedBy": "shoplake"}
SOURCE = """
from pathlib import Path

class {error}(Exception):
    pass

def prepare_source(event, context):
    if {fails}:
        raise {error}("binlog_format is MIXED")
    if event["action"] != "ask":
        Path(__file__).with_name(event["action"]).touch()
    prepared, withdrawn = (Path(__file__).with_name(action).exists() for action in ("prepare", "withdraw"))
    return {{"has_user": prepared and not withdrawn, "missing": []}}
"""


@pytest.fixture
def desired(on_local):
    key = kms_key("shoplake-prep", account=LOCAL_ACCOUNT, description="", tags=TAGS)
    code = bucket("shoplake-prep-code", key=key, tags=TAGS, lifecycle=(), tls_only=False)
    actor = role("shoplake-prep-actor", services=("lambda.amazonaws.com",), statements=(), tags=TAGS)
    secret = hex_secret("shoplake/prep/source", size_bytes=8, description="", key=key, tags=TAGS)
    around = (key, code, actor, secret)
    apply(plan(around, on_local), on_local)

    def made(fails, error="SourceError"):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr(zipfile.ZipInfo("handlers.py"), SOURCE.format(fails=fails, error=error))
        sha256 = base64.b64encode(hashlib.sha256(data.getvalue()).digest()).decode()
        on_local.client("s3").put_object(Bucket=code.name, Key=sha256, Body=data.getvalue())
        invoked = function(
            "shoplake-prep-prepare-source",
            code=Code(bucket=code.name, key=sha256, sha256=sha256, handler="handlers.prepare_source"),
            role=actor,
            variables={},
            tags=TAGS,
        )
        preparation = source_preparation(
            NAME,
            function=invoked,
            instance=secret,  # stands for a server, of which only the administrator's secret is asked
            secret=secret,
            wanted=PreparedSource(schema="shop", binlog_retention_hours=72, simulated_shop=False),
            tags=TAGS,
        )
        known = {**preparation.properties, "administrator_secret": Ref(secret, "arn")}
        return (*around, invoked, replace(preparation, properties=known))

    return made


def changes(resources, aws):
    return [f"{change.action} {change.resource.kind}" for change in plan(resources, aws).changes]


def test_a_function_that_cannot_prepare_ends_the_apply_with_its_reason_and_does_not_hold_up_a_destroy(
    on_local, desired
):
    failing = desired(fails=True)
    assert changes(failing, on_local) == ["+ function", "+ source_preparation"]
    with pytest.raises(ResourceError, match=r"source_preparation .* failed: SourceError: binlog_format is MIXED"):
        apply(plan(failing, on_local), on_local)
    assert changes(failing, on_local) == ["+ source_preparation"]
    left = {change.resource.kind for change in plan_destroy(failing, on_local, delete_data=True).changes}
    assert "source_preparation" not in left
    working = desired(fails=False)
    apply(plan(working, on_local), on_local)
    assert changes(working, on_local) == []
    cannot_withdraw = desired(fails='event["action"] == "withdraw"')
    for _ in range(2):  # new code knows nothing of what the old one prepared
        apply(plan(cannot_withdraw, on_local), on_local)
    with pytest.raises(ResourceError, match="failed: SourceError"):
        apply(plan_destroy(cannot_withdraw, on_local, delete_data=True), on_local)
    apply(plan(working, on_local), on_local)
    assert changes(working, on_local) == []
    apply(plan_destroy(working, on_local, delete_data=True), on_local)


def test_a_refusal_that_may_pass_is_asked_again_for_a_minute(on_local, desired, monkeypatch):
    monkeypatch.setattr("shoplake_infra.resources.source_preparation._SECONDS", 0.3)
    begun = on_local.clock.monotonic_seconds()
    with pytest.raises(ResourceError, match="failed: CredentialError: binlog_format"):
        apply(plan(desired(fails=True, error="CredentialError"), on_local), on_local)
    assert on_local.clock.monotonic_seconds() - begun > 0.3
