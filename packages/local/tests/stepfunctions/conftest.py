import json
import time
from datetime import UTC, datetime

import pytest
from botocore.validate import ParamValidator
from shoplake_core.clock import SkipClock
from shoplake_local.models import service_model
from shoplake_local.stepfunctions.engine import Engine
from shoplake_local.stepfunctions.faults import StateError
from shoplake_local.stepfunctions.service import StepFunctionsService
from shoplake_local.stepfunctions.waiting import SkippingWaiter
from shoplake_local.validation import findings

START = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
ACCOUNT, REGION = "000000000000", "eu-central-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/shoplake-test-state-machine"
LAMBDA = "arn:aws:states:::lambda:invoke"
GLUE = "arn:aws:states:::glue:startJobRun.sync"


class Tasks:
    """A small real task runner: functions by name, and jobs that take so many looks."""

    def __init__(self):
        self.functions, self.calls, self.cancelled, self.jobs = {}, [], [], 0
        self.looks, self.job_fault = 2, None

    def call(self, resource, arguments, *, role_arn):
        self.calls.append(arguments)
        return self.functions[arguments["FunctionName"]](arguments.get("Payload"))

    def submit(self, resource, arguments, *, role_arn):
        self.jobs += 1
        return {"JobName": arguments["JobName"], "JobRunId": f"jr_{self.jobs}"}

    def poll(self, resource, job, *, role_arn):
        self.looks -= 1
        if self.looks > 0:
            return None
        if self.job_fault is not None:
            raise StateError("States.TaskFailed", self.job_fault)
        return {**job, "JobRunState": "SUCCEEDED"}

    def cancel(self, resource, job, *, role_arn):
        self.cancelled.append(job)


class Machine:
    """The service as a caller sees it, every request and answer held against botocore's model."""

    def __init__(self, path, tasks, *, clock, waiter):
        self.tasks, self.clock = tasks, clock
        engine = Engine(path, tasks, clock=clock, region=REGION, waiter=waiter, jitter=lambda: 0.5)
        self.service = StepFunctionsService(path, tasks, account=ACCOUNT, region=REGION, clock=clock, engine=engine)

    def call(self, operation, **parameters):
        model = service_model("stepfunctions").operation_model(operation)
        assert findings(model, parameters) == ()
        answer = self.service.call(operation, parameters)
        report = ParamValidator().validate(answer, model.output_shape)
        assert not report.has_errors(), report.generate_report()
        return answer

    def create(self, states, *, start=None, name="m", **members):
        definition = {"QueryLanguage": "JSONata", "StartAt": start or next(iter(states)), "States": states, **members}
        return self.call("CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=ROLE)[
            "stateMachineArn"
        ]

    def start(self, machine, given=None, **more):
        return self.call("StartExecution", stateMachineArn=machine, input=json.dumps(given or {}), **more)[
            "executionArn"
        ]

    def ended(self, execution):
        return self.until(execution, lambda found: found["status"] != "RUNNING")

    def until(self, execution, test):
        for _ in range(2000):
            found = self.call("DescribeExecution", executionArn=execution)
            if test(found):
                return found
            time.sleep(0.005)
        raise AssertionError(f"nothing came of it: {found}; {self.types(execution)}")

    def run(self, states, given=None, **members):
        found = self.ended(self.start(self.create(states, **members), given))
        return (
            json.loads(found["output"]) if found["status"] == "SUCCEEDED" else (found.get("error"), found.get("cause"))
        )

    def events(self, execution):
        return self.call("GetExecutionHistory", executionArn=execution, maxResults=1000)["events"]

    def types(self, execution):
        return [event["type"] for event in self.events(execution)]


@pytest.fixture
def tasks():
    return Tasks()


@pytest.fixture
def clock():
    return SkipClock(START)


@pytest.fixture
def machine(tmp_path, tasks, clock):
    made = Machine(tmp_path / "sfn.sqlite", tasks, clock=clock, waiter=SkippingWaiter(clock))
    yield made
    made.service.close()
