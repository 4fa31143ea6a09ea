"""AWS played by moto in this process, and a record of every call that writes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.loaders import create_loader
from moto import mock_aws
from shoplake_core.clock import SkipClock
from shoplake_core.endpoints import AwsEndpoint
from shoplake_infra.aws import Aws

_MODELS = create_loader()  # read once, not once a session: EC2's alone takes a second
REGION = "eu-central-1"
ACCOUNT = "123456789012"
_READS = ("Describe", "Get", "List", "Head")


class Calls:
    """Every writing call in order; `fail_at` makes one of them fail, before it is sent or after it was done."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.fail_at: int | None = None
        self.after = False

    def reset(self, *, fail_at: int | None = None, after: bool = False) -> None:
        self.writes.clear()
        self.fail_at = fail_at
        self.after = after

    def before(self, model: Any, **_: Any) -> None:
        if not model.name.startswith(_READS):
            self.writes.append(f"{model.service_model.service_name}:{model.name}")
            self._fail(model, now=not self.after)

    def answered(self, model: Any, http_response: Any, **_: Any) -> None:
        if model.name == "CreateBucket" and http_response.status_code == 200:
            _tag_with_creation()
        if not model.name.startswith(_READS):
            self._fail(model, now=self.after)

    def _fail(self, model: Any, *, now: bool) -> None:
        if now and self.fail_at == len(self.writes):
            self.fail_at = None
            raise EndpointConnectionError(endpoint_url=f"killed at {model.name}")


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def aws(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)  # whatever the environment of the tests says
    with mock_aws():
        endpoint = AwsEndpoint(url=None, region=REGION, access_key_id="AKIDTEST", secret_access_key="test")
        aws = Aws(endpoint, clock=SkipClock(datetime(2026, 11, 25, tzinfo=UTC)))
        aws.session._session.register_component("data_loader", _MODELS)
        aws.session.events.register("before-call.*.*", calls.before)
        aws.session.events.register("after-call.*.*", calls.answered)
        aws.session.events.register("before-parameter-build.s3.CreateBucket", _remember_tags)
        yield aws


_bucket_tags: dict[str, Any] = {}


def _remember_tags(params: dict[str, Any], **_: Any) -> None:
    _bucket_tags.update(name=params["Bucket"], tags=params["CreateBucketConfiguration"].get("Tags"))


def _tag_with_creation() -> None:
    """AWS tags a bucket in the call that creates it; moto 5.2.5 leaves these tags out."""
    if _bucket_tags["tags"]:
        s3 = boto3.client("s3", region_name=REGION, aws_access_key_id="AKIDTEST", aws_secret_access_key="test")
        s3.put_bucket_tagging(Bucket=_bucket_tags["name"], Tagging={"TagSet": _bucket_tags["tags"]})


@pytest.fixture
def tags() -> dict[str, str]:
    return {"Project": "shop", "Environment": "dev", "ManagedBy": "shoplake"}
