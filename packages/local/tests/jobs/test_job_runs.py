"""Job runs are processes: what they are given, how they end, and that a killed front finds them again."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import timedelta

import psutil
import pytest
from shoplake_engines.private_files import read_json
from shoplake_local.service import ServiceError

REPORT = """
import json, os, sys, boto3
import {module}
bucket, key = sys.argv[sys.argv.index("--out") + 1].removeprefix("s3://").split("/", 1)
found = {{"argv": sys.argv[1:], "answer": {module}.ANSWER, "file": {module}.__file__,
         "environment": {{k: v for k, v in os.environ.items() if k.startswith("AWS_")}}}}
boto3.client("glue").get_databases()
boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(found))
"""
SLEEPER = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"


def test_a_run_has_its_wheels_arguments_credentials_and_endpoints(glue):
    wheel = glue.put_wheel("wheels/shoplake_thing-1-py3-none-any.whl", shoplake_thing="ANSWER = 42")
    out = f"s3://{glue.bucket}/out.json"
    defaults = {"--extra-py-files": wheel, "--out": out, "--word": "default", "--fixed": "job's"}
    job = glue.job(REPORT.format(module="shoplake_thing"), DefaultArguments=defaults)
    glue.call("CreateJob", **job)
    run_id = glue.call("StartJobRun", JobName=job["Name"], Arguments={"--word": "run's"})["JobRunId"]
    run = glue.until(job["Name"], run_id)
    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    assert run["Arguments"] == {"--word": "run's"}
    assert run["CompletedOn"] >= run["StartedOn"]
    found = json.loads(glue.s3.get_object(Bucket=glue.bucket, Key="out.json")["Body"].read())
    assert found["answer"] == 42
    assert found["argv"][:2] == ["--JOB_NAME", job["Name"]]
    assert found["argv"][found["argv"].index("--word") + 1] == "run's"
    assert found["environment"]["AWS_ENDPOINT_URL_S3"] == glue.aws.object_store.url
    assert found["environment"]["AWS_ENDPOINT_URL"] == glue.aws.endpoint.url


@pytest.mark.parametrize("statement", ["import shoplake_core.names", "from shoplake_local import service"])
def test_this_machines_shoplake_is_not_there_for_a_job(glue, statement):
    """Without its wheel a job fails here as it would on AWS."""
    run = glue.until(*glue.started(statement))
    assert run["JobRunState"] == "FAILED"
    assert "ModuleNotFoundError: No module named 'shoplake_" in run["ErrorMessage"]


def test_processes_that_a_job_starts_are_guarded_too(glue):
    script = (
        "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', 'import shoplake_core']).returncode)"
    )
    run = glue.until(*glue.started(script))
    assert "ModuleNotFoundError" in run["ErrorMessage"]


def test_the_last_lines_of_a_failed_run_are_its_error(glue):
    run = glue.until(*glue.started("print('first'); raise ValueError('no such order')"))
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].endswith("ValueError: no such order")
    assert "ended with code 1" in run["ErrorMessage"]


def test_a_missing_script_fails_the_run(glue):
    job = glue.job("")
    job["Command"]["ScriptLocation"] = f"s3://{glue.bucket}/absent.py"
    glue.call("CreateJob", **job)
    run = glue.until(job["Name"], glue.call("StartJobRun", JobName=job["Name"])["JobRunId"])
    assert run["JobRunState"] == "FAILED"
    assert "absent.py cannot be read" in run["ErrorMessage"]


def test_one_run_at_a_time_and_a_stopped_one_leaves_no_process(glue):
    name, run_id = glue.started(SLEEPER)
    process = psutil.Process(_running_pid(glue, name, run_id))
    with pytest.raises(ServiceError) as error:
        glue.call("StartJobRun", JobName=name)
    assert error.value.code == "ConcurrentRunsExceededException"
    family = _family(process)
    answer = glue.call("BatchStopJobRun", JobName=name, JobRunIds=[run_id, "jr_absent"])
    assert answer["SuccessfulSubmissions"] == [{"JobName": name, "JobRunId": run_id}]
    assert [each["ErrorDetail"]["ErrorCode"] for each in answer["Errors"]] == ["EntityNotFoundException"]
    assert glue.until(name, run_id)["JobRunState"] == "STOPPED"
    assert [member for member in family if member.is_running() and member.status() != "zombie"] == []


def test_a_run_beyond_its_timeout_is_ended(glue):
    name, run_id = glue.started(SLEEPER, Timeout=1)
    _running_pid(glue, name, run_id)
    glue.clock.ahead = timedelta(seconds=62)
    run = glue.until(name, run_id)
    assert run["JobRunState"] == "TIMEOUT"
    assert "1 minutes" in run["ErrorMessage"]


def test_a_failed_run_is_tried_again_as_often_as_the_job_says(glue):
    name, run_id = glue.started("raise SystemExit(3)", MaxRetries=1)
    assert glue.until(name, run_id)["JobRunState"] == "FAILED"
    again = f"{run_id}_attempt_1"
    until = time.monotonic() + 10
    while len(glue.call("GetJobRuns", JobName=name)["JobRuns"]) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    run = glue.until(name, again)
    assert (run["JobRunState"], run["Attempt"], run["PreviousRunId"]) == ("FAILED", 1, run_id)
    assert len(glue.call("GetJobRuns", JobName=name)["JobRuns"]) == 2


KILLED_FRONT = """
import json, os, signal, sys, time
from pathlib import Path
from shoplake_core.clock import SystemClock
from shoplake_core.endpoints import AwsEndpoint
from shoplake_local.glue.service import GlueService
from shoplake_local.jobs.glue_runtime import GlueRuntime
from shoplake_local.jobs.job_process import Endpoints
told = json.loads(sys.stdin.read())
folder, clock, front = Path(told["folder"]), SystemClock(), AwsEndpoint(**told["front"])
store, keys = AwsEndpoint(**told["object_store"]), (front.access_key_id, front.secret_access_key)
endpoints = Endpoints(front=front, object_store=store, account="000000000000", credentials_of=lambda _: keys)
runtime = GlueRuntime(folder / "runtime", endpoints, inherited={}, clock=clock)
service = GlueService(folder / "glue.sqlite", account="000000000000", region=front.region, clock=clock, runtime=runtime)
names = told["names"]
runs = [(name, service.call("StartJobRun", {"JobName": name})["JobRunId"]) for name in names]
while any(service.call("GetJobRun", {"JobName": n, "RunId": r})["JobRun"]["JobRunState"] != "RUNNING" for n, r in runs):
    time.sleep(0.05)
print(json.dumps(runs), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_front_that_was_killed_finds_its_runs(glue):
    """One goes on and succeeds, one goes on and fails, one was killed with the front."""
    wait = f"""import boto3, time
s3 = boto3.client("s3")
while not s3.list_objects_v2(Bucket="{glue.bucket}", Prefix="go").get("Contents"):
    time.sleep(0.1)
"""
    jobs = [glue.job(script) for script in (wait, f"{wait}raise SystemExit(4)", SLEEPER)]
    for job in jobs:
        glue.call("CreateJob", **job)
    glue.service.close()
    told = {
        "folder": str(glue.folder),
        "front": asdict(glue.aws.endpoint),
        "object_store": asdict(glue.aws.object_store),
        "names": [job["Name"] for job in jobs],
    }
    front = subprocess.run(
        [sys.executable, "-c", KILLED_FRONT], input=json.dumps(told), capture_output=True, text=True, check=False
    )
    assert front.returncode == -signal.SIGKILL, front.stderr
    going, failing, killed = json.loads(front.stdout)
    for member in _family(psutil.Process(read_json(_pid_file(glue, killed[1]))["pid"])):
        member.kill()
    glue.open()
    lost = glue.until(*killed)
    assert lost["JobRunState"] == "FAILED"
    assert "killed before it could say" in lost["ErrorMessage"]
    assert glue.run(*going)["JobRunState"] == "RUNNING"
    glue.put("go", b"")
    assert glue.until(*going)["JobRunState"] == "SUCCEEDED"
    assert "ended with code 4" in glue.until(*failing)["ErrorMessage"]


def test_an_orderly_end_of_the_front_ends_the_runs(glue):
    name, run_id = glue.started(SLEEPER)
    pid = _running_pid(glue, name, run_id)
    glue.service.close()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"
    glue.open()
    run = glue.run(name, run_id)
    assert run["JobRunState"] == "FAILED"
    assert "shut down" in run["ErrorMessage"]


def _pid_file(glue, run_id):
    return glue.folder / "runtime" / "runs" / run_id / "run.pid.json"


def _running_pid(glue, name, run_id):
    glue.until(name, run_id, lambda run: run["JobRunState"] == "RUNNING")
    return read_json(_pid_file(glue, run_id))["pid"]


def _family(process):
    until = time.monotonic() + 10
    while not process.children(recursive=True) and time.monotonic() < until:
        time.sleep(0.02)
    return [process, *process.children(recursive=True)]
