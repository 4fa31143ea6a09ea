"""Runs as they were recorded, with a hostile name wherever one may stand."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from shoplake_console.runs_port import RunEntry, RunFailure
from shoplake_core.errors import ConfigError

START = datetime(2026, 3, 29, tzinfo=UTC)
HOSTILE = "</script><img src=x onerror=alert(1)>\"'\u202e🛒"
PORT, TOKEN = 8123, "the-token"
BASE = f"http://127.0.0.1:{PORT}"


def at(seconds):
    return START + timedelta(seconds=seconds)


def event(number, kind, seconds=0, *, previous=None, **details):
    before = number - 1 if previous is None else previous
    return {"id": number, "previousEventId": before, "type": kind, "timestamp": at(seconds), **details}


def entered(name, given="{}"):
    return {"stateEnteredEventDetails": {"name": name, "input": given}}


FAILED = [
    event(1, "ExecutionStarted"),
    event(2, "TaskStateEntered", 1, **entered(HOSTILE, f'{{"a": "{quote(HOSTILE)}"}}')),
    event(3, "TaskScheduled", 1),
    event(4, "TaskFailed", 2, taskFailedEventDetails={"error": "Once", "cause": "first"}),
    event(5, "TaskScheduled", 3),
    event(6, "TaskFailed", 4, taskFailedEventDetails={"error": "Twice", "cause": HOSTILE}),
    event(7, "ExecutionFailed", 4, executionFailedEventDetails={"error": "Twice", "cause": HOSTILE}),
]


class Recorded:
    """A source that answers what was recorded."""

    label, look_seconds = HOSTILE, 0.01

    def __init__(self, events=FAILED):
        self.history, self.done, self.asked_after = events, [], []
        self.entry = RunEntry(run_id=HOSTILE, status="failed", started_at=START, ended_at=at(4))

    def listed(self, count):
        quick = RunEntry(run_id="quick", status="succeeded", started_at=at(-99), ended_at=at(-95))
        return [self.entry, self.run("slow"), quick]

    def run(self, run_id):
        if run_id == HOSTILE:
            return self.entry
        if run_id not in {"slow", "quick"}:
            raise ConfigError(f'no run "{run_id}"', hint="shoplake runs list")
        counted = {"silver": {"read": 9, "inserted": 1200, "updated": 34, "deleted": 0, "quarantined": 7}}
        return RunEntry(
            run_id=run_id,
            status="succeeded",
            started_at=at(-50),
            ended_at=at(-42 if run_id == "slow" else -46),
            output=counted,
        )

    def definition(self, run_id):
        return {"StartAt": HOSTILE, "States": {HOSTILE: {"Type": "Task", "End": True}}}

    def events(self, run_id, *, after):
        self.asked_after.append(after)
        return [one for one in self.history if one["id"] > after]

    def failure(self, run, events):
        return RunFailure(HOSTILE, "Twice", HOSTILE, "redrive it")

    def log(self, events, state):
        yield "the first line"
        yield from (f"line {number} {HOSTILE}" for number in range(100))

    def document(self, run, events):
        counted = {"inserted": 1200, "quarantined": 7, "seconds": 3.5, "warnings": {HOSTILE: {"rows": 2}}}
        tables = {"orders": counted, HOSTILE: {"error": {"code": "E", "message": HOSTILE, "hint": ""}}}
        return {"run_id": run.run_id, "steps": {"silver": {"outcome": {"tables": tables}}}, "output": {}}

    def warnings(self, run_id):
        return ["7 refused"] if run_id == "slow" else []

    def progress(self, run, events):
        return {HOSTILE: "5 of 9 tables written"}

    def stop(self, run_id):
        self.done.append(("stop", run_id))

    def redrive(self, run_id):
        self.done.append(("redrive", run_id))

    def run_again(self, run_id):
        self.done.append(("again", run_id))
        return "quick"
