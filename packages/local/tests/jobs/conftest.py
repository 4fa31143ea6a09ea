"""A Glue service with jobs on the real object store, behind a front that the jobs could call."""

import io
import os
import time
import uuid
import zipfile
from datetime import timedelta

import pytest
from botocore.validate import ParamValidator
from shoplake_core.clock import SystemClock
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_engines.object_store_aws import create_buckets
from shoplake_local.glue.service import GlueService
from shoplake_local.jobs.glue_runtime import GlueRuntime
from shoplake_local.jobs.job_process import Endpoints
from shoplake_local.models import service_model
from shoplake_local.service import ServiceError
from shoplake_local.validation import findings

ACTIVE = {"STARTING", "RUNNING", "STOPPING"}


class MovableClock(SystemClock):
    """The machine's clock, which a test may put forward."""

    def __init__(self):
        self.ahead = timedelta()

    def now(self):
        return super().now() + self.ahead


def opened(folder, front, object_store, clock):
    """The service on that folder."""
    endpoints = Endpoints(
        front=front,
        object_store=object_store,
        account=LOCAL_ACCOUNT,
        credentials_of=lambda _role: (front.access_key_id, front.secret_access_key),
    )
    runtime = GlueRuntime(folder / "runtime", endpoints, inherited={"PATH": os.environ["PATH"]}, clock=clock)
    return GlueService(folder / "glue.sqlite", account=LOCAL_ACCOUNT, region=front.region, clock=clock, runtime=runtime)


class Glue:
    """The service as the front calls it: requests and answers held against AWS's model."""

    def __init__(self, aws, folder):
        self.aws = aws
        self.folder = folder
        self.clock = MovableClock()
        self.bucket = f"jobs-{uuid.uuid4().hex[:10]}"
        self.s3 = aws.client("s3")
        create_buckets(aws.object_store, [self.bucket])
        self.service = None
        self.open()

    def open(self):
        self.service = opened(self.folder, self.aws.endpoint, self.aws.object_store, self.clock)

    def call(self, operation, **parameters):
        model = service_model("glue").operation_model(operation)
        assert findings(model, parameters) == ()
        answer = self._answer(operation, parameters, {"NotImplemented", *(s.name for s in model.error_shapes)})
        report = ParamValidator().validate(answer, model.output_shape)
        assert not report.has_errors(), report.generate_report()
        return answer

    def _answer(self, operation, parameters, known_errors):
        try:
            return self.service.call(operation, parameters)
        except ServiceError as error:
            if error.code not in known_errors:
                pytest.fail(f"AWS's {operation} never answers {error.code}")
            raise

    def put(self, key, body):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def put_wheel(self, key, **modules):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, text in modules.items():
                archive.writestr(f"{name}/__init__.py", text)
        return self.put(key, buffer.getvalue())

    def job(self, script, **changes):
        """The parameters of CreateJob for that script."""
        name = changes.pop("Name", f"job-{uuid.uuid4().hex[:10]}")
        return {
            "Name": name,
            "Role": f"arn:aws:iam::{LOCAL_ACCOUNT}:role/jobs",
            "Command": {"Name": "glueetl", "ScriptLocation": self.put(f"{name}.py", script), "PythonVersion": "3"},
            "GlueVersion": "5.1",
            "WorkerType": "G.1X",
            "NumberOfWorkers": 2,
        } | changes

    def started(self, script, **changes):
        """(job, run id) of a job that was created and started."""
        job = self.job(script, **changes)
        self.call("CreateJob", **job)
        return job["Name"], self.call("StartJobRun", JobName=job["Name"])["JobRunId"]

    def run(self, name, run_id):
        return self.call("GetJobRun", JobName=name, RunId=run_id)["JobRun"]

    def until(self, name, run_id, wanted=lambda run: run["JobRunState"] not in ACTIVE):
        until = time.monotonic() + 20
        while time.monotonic() < until:
            run = self.run(name, run_id)
            if wanted(run):
                return run
            time.sleep(0.05)
        pytest.fail(f"the run stays {run}")

    def has(self, key):
        return key in {item["Key"] for item in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", ())}

    def wait_for(self, key):
        until = time.monotonic() + 20
        while not self.has(key):
            assert time.monotonic() < until, f"{key} does not come"
            time.sleep(0.05)


@pytest.fixture
def glue(local_aws, tmp_path):
    made = Glue(local_aws, tmp_path)
    yield made
    made.service.close()
