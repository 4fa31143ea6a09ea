"""AWS played by moto in this process, and a record of every call that writes."""

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.loaders import create_loader
from moto import mock_aws
from shoplake_core.clock import SkipClock, SystemClock
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.names import JobName
from shoplake_infra.artifacts.stored_file import CodeArtifacts, stored_file
from shoplake_infra.aws import Aws
from shoplake_local.testing import LocalAws, local_aws, object_store, postgres_server  # noqa: F401

_MODELS = create_loader()  # read once, not once a session: EC2's alone takes a second
REGION = "eu-central-1"
ACCOUNT = "123456789012"
_READS = ("Describe", "Get", "List", "Head")


class Calls:
    """Every writing call in order, and each operation once; `fail_at` makes one of them fail, before it is sent or after it was done."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.operations: dict[str, Any] = {}
        self.fail_at: int | None = None
        self.after = False

    def reset(self, *, fail_at: int | None = None, after: bool = False) -> None:
        self.writes.clear()
        self.fail_at = fail_at
        self.after = after

    def before(self, model: Any, params: Any = None, **_: Any) -> None:
        self.operations[f"{model.service_model.service_name}:{model.name}"] = model
        if not model.name.startswith(_READS):
            if model.name == "Invoke" and b'"ask"' in params["body"]:
                return  # a question
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
    with mock_aws(config={"lambda": {"use_docker": False}}):  # a rotation calls its function
        endpoint = AwsEndpoint(url=None, region=REGION, access_key_id="AKIDTEST", secret_access_key="test")
        aws = Aws(endpoint, clock=SkipClock(datetime(2026, 11, 25, tzinfo=UTC)))
        aws.session._session.register_component("data_loader", _MODELS)
        aws.session.events.register("before-call.*.*", calls.before)
        aws.session.events.register("after-call.*.*", calls.answered)
        aws.session.events.register("before-parameter-build.s3.CreateBucket", _remember_tags)
        yield aws


class ShortWaits(SystemClock):
    """Waits are short where what is waited for is on this machine."""

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, 0.02))


@pytest.fixture
def on_local(local_aws: LocalAws, calls: Calls) -> Aws:  # noqa: F811
    """The local AWS: what moto does not play at all, or plays wrongly, runs there."""
    aws = Aws(local_aws.endpoint, clock=ShortWaits())
    aws.session._session.register_component("data_loader", _MODELS)
    aws.session.events.register("before-call.*.*", calls.before)
    return aws


@pytest.fixture(scope="module")
def leaves_no_warehouse(local_aws: LocalAws) -> Iterator[None]:  # noqa: F811
    """The local AWS is shared: where it has any namespace, a statement must name a workgroup, in tests of others, too."""
    yield
    redshift: Any = local_aws.client("redshift-serverless")
    kinds = (
        (redshift.list_workgroups, "workgroups", redshift.delete_workgroup, "workgroupName"),
        (redshift.list_namespaces, "namespaces", redshift.delete_namespace, "namespaceName"),
    )
    for list_all, key, delete, name in kinds:
        while left := list_all()[key]:
            for one in left:
                if one["status"] == "AVAILABLE":
                    delete(**{name: one[name]})
            SystemClock().sleep(0.1)


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


_FUNCTION = """
import os
from pathlib import Path

import boto3

_PREPARED = Path(__file__).with_name("prepared")

def prepare_source(event, context):
    if event["action"] == "prepare":
        _PREPARED.touch()
    if event["action"] == "withdraw":
        _PREPARED.unlink()
    return {"has_user": _PREPARED.exists(), "missing": []}

def run_lock(event, context):
    bucket, _, key = os.environ["SHOPLAKE_PROJECT"].removeprefix("s3://").partition("/")
    return {"project": boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode(), **event}
"""
_SCRIPT = """
import sys
import boto3
import core, etl

bucket, _, key = sys.argv[sys.argv.index("--project") + 1].removeprefix("s3://").partition("/")
assert boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == b"{}"
"""


def small_artifacts(folder: Path) -> CodeArtifacts:
    """Code of the right form that reads the project, as its role, and does nothing else."""

    def archive(name: str, member: str, content: str = "") -> Path:
        with zipfile.ZipFile(folder / name, "w") as file:
            file.writestr(zipfile.ZipInfo(member), content)
        return folder / name

    def text(name: str, content: str) -> Path:
        (folder / name).write_text(content)
        return folder / name

    core = stored_file(archive("core-1-py3-none-any.whl", "core.py"), what="wheel-core")
    etl = stored_file(archive("etl-1-py3-none-any.whl", "etl.py"), what="wheel-etl")
    scripts = {job: stored_file(text(f"{job}.py", f"# {job}\n{_SCRIPT}"), what=f"script-{job}") for job in JobName}
    return CodeArtifacts(
        function_zip=stored_file(
            archive("functions.zip", "shoplake_functions/handlers.py", _FUNCTION), what="functions"
        ),
        job_wheels=dict.fromkeys(JobName, (core, etl)),
        job_scripts=scripts,
        project_bundle=stored_file(text("project.json", "{}"), what="project"),
    )


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> CodeArtifacts:
    return small_artifacts(tmp_path_factory.mktemp("artifacts"))
