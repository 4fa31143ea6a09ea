"""Two executions of the run's own machine over the real lock on a real object store: one is stopped and redriven."""

import json
import threading
import time
from datetime import UTC, datetime

import pytest
from shoplake_core.clock import SkipClock
from shoplake_core.errors import ShoplakeError
from shoplake_core.run_lock import RUN_LOCK_KEY
from shoplake_functions import handlers
from shoplake_functions.environment import FunctionEnvironment
from shoplake_functions.run_lock import LockState, Outcome, read_lock
from shoplake_local.stepfunctions.engine import Engine
from shoplake_local.stepfunctions.faults import StateError
from shoplake_local.stepfunctions.service import StepFunctionsService
from shoplake_local.stepfunctions.waiting import SkippingWaiter
from shoplake_orchestration.binding import bind, tokens_in
from shoplake_orchestration.run_machine import run_definition

RECONCILE = "Reconcile all layers"
ACCOUNT, REGION = "000000000000", "eu-central-1"


class Jobs:
    """Calls the run lock's own handler; a job runs until the test lets it end."""

    def __init__(self):
        self.started, self.ended, self.cancelled = [], threading.Event(), []

    def call(self, resource, arguments, *, role_arn):
        if resource.endswith("sns:publish"):
            return {"MessageId": "1"}
        assert arguments["FunctionName"] == "RunLockFunction", arguments
        try:
            return {"StatusCode": 200, "Payload": handlers.run_lock(arguments["Payload"], None)}
        except ShoplakeError as error:
            raise StateError(type(error).__name__, json.dumps({"errorMessage": str(error)})) from error

    def submit(self, resource, arguments, *, role_arn):
        self.started.append(arguments["Arguments"]["--execution_arn"])
        return {"JobName": arguments["JobName"], "JobRunId": str(len(self.started))}

    def poll(self, resource, job, *, role_arn):
        return {**job, "JobRunState": "SUCCEEDED"} if self.ended.wait(0.002) else None

    def cancel(self, resource, job, *, role_arn):
        self.cancelled.append(job["JobRunId"])


class Runs:
    """The machine, and what is asked of Step Functions about it."""

    def __init__(self, path, jobs):
        self.jobs, clock = jobs, SkipClock(datetime(2026, 11, 25, tzinfo=UTC))
        engine = Engine(path, jobs, clock=clock, region=REGION, waiter=SkippingWaiter(clock), jitter=lambda: 0.5)
        self.service = StepFunctionsService(path, jobs, account=ACCOUNT, region=REGION, clock=clock, engine=engine)
        text = run_definition()
        # retries pass in no time by this clock: a job must not time out meanwhile
        tokens = {name: "100000" if name.endswith("Seconds") else name for name in tokens_in(text)} | {
            "MostPolls": "20"
        }
        role = f"arn:aws:iam::{ACCOUNT}:role/run"
        made = self.call("CreateStateMachine", name="run", definition=bind(text, tokens), roleArn=role)
        self.machine = made["stateMachineArn"]

    def call(self, operation, **parameters):
        return self.service.call(operation, parameters)

    def describe_execution(self, **parameters):
        """As boto3's client, for the lock."""
        return self.call("DescribeExecution", **parameters)

    def begun(self):
        """An execution whose job runs."""
        before = len(self.jobs.started)
        given = json.dumps({"from": RECONCILE})
        arn = self.call("StartExecution", stateMachineArn=self.machine, input=given)["executionArn"]
        self._until(lambda: len(self.jobs.started) > before, arn)
        return arn

    def stopped(self, arn):
        self.call("StopExecution", executionArn=arn)
        assert self.ended(arn)["status"] == "ABORTED"

    def redriven(self, arn):
        self.call("RedriveExecution", executionArn=arn)
        return arn

    def ended(self, arn):
        self._until(lambda: self.describe_execution(executionArn=arn)["status"] != "RUNNING", arn)
        return self.describe_execution(executionArn=arn)

    def _until(self, test, arn):
        for _ in range(5000):
            if test():
                return
            time.sleep(0.002)
        raise AssertionError(self.describe_execution(executionArn=arn))


@pytest.fixture
def runs(tmp_path, names, s3, local_aws, monkeypatch):
    s3.delete_object(Bucket=names.artifacts_bucket, Key=RUN_LOCK_KEY)
    made = Runs(tmp_path / "sfn.sqlite", Jobs())
    clients = {"s3": s3, "stepfunctions": made, "redshift-data": local_aws.client("redshift-data")}
    monkeypatch.setattr(FunctionEnvironment, "client", lambda _self, service: clients[service])
    here = FunctionEnvironment(names, "s3://none/project.json")
    monkeypatch.setattr(handlers, "_environment", lambda: here)
    yield made
    made.jobs.ended.set()
    made.service.close()


def test_a_stopped_run_that_nobody_followed_is_redriven_and_ends_well(runs, names, s3):
    run = runs.begun()
    runs.stopped(run)
    runs.jobs.ended.set()
    found = runs.ended(runs.redriven(run))
    assert found["status"] == "SUCCEEDED"
    run_id = run.rpartition(":")[2]
    assert json.loads(found["output"]) == {"run_id": run_id, "new_files": 0, "warehouse": {"batches": 0, "rows": 0}}
    assert runs.jobs.started == [run, run]
    state, _ = read_lock(s3, names.artifacts_bucket)
    assert state == LockState(last_outcome=Outcome.SUCCEEDED, last_execution=run)


def test_a_stopped_run_that_is_redriven_beside_another_stops_and_leaves_it_unharmed(runs, names, s3):
    first = runs.begun()
    runs.stopped(first)
    second = runs.begun()
    for _ in range(2):
        refused = runs.ended(runs.redriven(first))
        assert (refused["status"], refused["error"]) == ("FAILED", "ConflictError")
        assert f"{second} is at work" in refused["cause"]
        assert "redrive this execution when it has ended" in refused["cause"]
    assert (runs.jobs.started, runs.jobs.cancelled) == ([first, second], ["1"])
    state, _ = read_lock(s3, names.artifacts_bucket)
    assert state == LockState(holder=second, last_outcome=Outcome.FAILED, last_execution=first)
    runs.jobs.ended.set()
    assert runs.ended(second)["status"] == "SUCCEEDED"
    assert runs.ended(runs.redriven(first))["status"] == "SUCCEEDED"
    assert runs.jobs.started == [first, second, first]
