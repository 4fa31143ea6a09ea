"""One execution being run: a thread that takes transitions, stores each, and asks for what tasks need."""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from shoplake_core.clock import Clock

from shoplake_local.stepfunctions.faults import StateError
from shoplake_local.stepfunctions.frames import Frame, Phase
from shoplake_local.stepfunctions.history import MOST_EVENTS, History, json_text
from shoplake_local.stepfunctions.scopes import scope_below
from shoplake_local.stepfunctions.steps import Steps
from shoplake_local.stepfunctions.store import ExecutionRecord, Store
from shoplake_local.stepfunctions.tasks import Answer, TaskRunner, is_job
from shoplake_local.stepfunctions.times import iso_text
from shoplake_local.stepfunctions.waiting import Waiter

__all__ = ["ExecutionRun", "Surroundings"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every execution of an engine shares."""

    store: Store
    runner: TaskRunner
    clock: Clock
    waiter: Waiter
    region: str
    poll_seconds: float
    jitter: Callable[[], float]


class ExecutionRun:
    """Goes on with an execution from its stored place until it ends, is stopped, or the engine closes."""

    def __init__(
        self, record: ExecutionRecord, around: Surroundings, *, ended: Callable[["ExecutionRun"], None]
    ) -> None:
        self._around = around
        self._record = record
        self._ended = ended
        self._definition = json.loads(record.definition)
        place = around.store.place(record.arn)
        self._root = Frame.from_json(place["root"])
        self._next_event: int = place["next_event"]
        self._next_call: int = place["next_call"]
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._answers: list[Answer] = []
        self._asked: set[int] = set()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"execution {record.name}", daemon=True)

    @property
    def record(self) -> ExecutionRecord:
        """The execution as it is now."""
        return self._record

    def start(self) -> None:
        """Begin to run."""
        self._thread.start()

    def close(self) -> None:
        """Let go without ending the execution: it goes on when an engine opens the folder again."""
        with self._lock:
            self._closing = True
        self._woken.set()
        self._thread.join()

    def stop(self, error: str | None, cause: str | None) -> ExecutionRecord:
        """End it as ABORTED; an execution that ended meanwhile stays as it ended."""
        with self._lock:
            if self._record.status == "RUNNING":
                steps = self._steps()
                steps.abort(self._root, self._definition)
                self._end("ABORTED", steps, error=error, cause=cause)
                for answer in self._answers:
                    self._drop(answer)
        self._woken.set()
        return self._record

    def _steps(self) -> Steps:
        record, now = self._record, self._around.clock.now()
        execution = {
            "Id": record.arn,
            "Input": json.loads(record.input),
            "Name": record.name,
            "RedriveCount": record.redrive_count,
            "RoleArn": record.role_arn,
            "StartTime": iso_text(record.started_at),
        }
        if record.redriven_at is not None:
            execution["RedriveTime"] = iso_text(record.redriven_at)
        machine = {"Id": record.machine_arn, "Name": record.machine_arn.rsplit(":", 1)[1]}
        return Steps(
            definition=self._definition,
            context={"Execution": execution, "StateMachine": machine},
            region=self._around.region,
            history=History(self._next_event, now),
            now=now,
            poll_seconds=self._around.poll_seconds,
            next_call=self._next_call,
            jitter=self._around.jitter,
        )

    def _run(self) -> None:
        while True:
            self._woken.clear()
            with self._lock:
                if self._closing or self._record.status != "RUNNING":
                    break
                try:
                    happened = self._transition()
                except Exception as error:  # noqa: BLE001 - an execution must not hang for ever because the engine is wrong
                    _log.exception("%s failed in the engine", self._record.arn)
                    steps = self._steps()
                    self._end("FAILED", steps, error="States.Runtime", cause=f"{type(error).__name__}: {error}")
                    break
                seconds = self._seconds_until_something()
                in_flight = bool(self._asked)
            if not happened:
                self._around.waiter.wait(self._woken, seconds, calls_in_flight=in_flight)
        if self._record.status != "RUNNING":
            self._ended(self)

    def _transition(self) -> bool:
        steps, answers = self._steps(), self._answers
        self._answers = []
        happened = False
        for answer in answers:
            self._asked.discard(answer.call)
            taken = steps.answered(self._root, self._definition, answer)
            if not taken:
                self._drop(answer)
            happened = taken or happened
        if self._record.deadline is not None and steps.now.timestamp() >= self._record.deadline:
            steps.abort(self._root, self._definition)
            self._end("TIMED_OUT", steps, error="States.Timeout", cause=None)
            return True
        if not self._root.ended:
            happened = steps.advance(self._root, self._definition) or happened
        if self._root.phase is Phase.DONE:
            self._end("SUCCEEDED", steps)
        elif self._root.phase is Phase.FAILED:
            self._end("FAILED", steps, error=self._root.error, cause=self._root.cause)
        elif steps.history.next_id > MOST_EVENTS:
            steps.abort(self._root, self._definition)
            cause = f"The execution reached the maximum number of history events ({MOST_EVENTS})."
            self._end("FAILED", steps, error="States.Runtime", cause=cause)
        elif happened:
            self._save(steps)
        self._ask()
        return happened

    def _end(self, status: str, steps: Steps, *, error: str | None = None, cause: str | None = None) -> None:
        ending = "TimedOut" if status == "TIMED_OUT" else status.capitalize()
        output = json_text(self._root.output) if status == "SUCCEEDED" else None
        details = {"output": output} if output is not None else {"error": error, "cause": cause}
        steps.history.add(f"Execution{ending}", details, after=self._root)
        at = steps.now.timestamp()
        self._record = replace(self._record, status=status, stopped_at=at, output=output, error=error, cause=cause)
        self._save(steps)

    def _save(self, steps: Steps) -> None:
        self._next_event, self._next_call = steps.history.next_id, steps.next_call
        place = {"root": self._root.to_json(), "next_event": self._next_event, "next_call": self._next_call}
        self._around.store.put_execution(self._record, place, events=steps.history.fresh)
        for resource, job in steps.cancelled:
            self._aside(self._cancel, resource, job)

    def _seconds_until_something(self) -> float | None:
        times = [*self._root.times(), *([self._record.deadline] if self._record.deadline is not None else [])]
        return max(min(times) - self._around.clock.now().timestamp(), 0.0) if times else None

    def _ask(self) -> None:
        """Ask for every call that a frame waits for and that nobody asked yet: also after the engine was killed."""
        if self._record.status != "RUNNING":
            return
        waiting = [(self._root, self._definition)]
        while waiting:
            frame, scope = waiting.pop()
            state = scope["States"][frame.state]
            for number, child in enumerate(frame.children):
                if not child.ended:
                    waiting.append((child, scope_below(scope, frame, number)))
            if frame.call is not None and frame.call not in self._asked:
                self._asked.add(frame.call)
                self._aside(self._call, frame.call, state["Resource"], frame.arguments, frame.job)

    def _aside(self, work: Callable[..., None], *arguments: Any) -> None:
        threading.Thread(target=work, args=arguments, name=f"task of {self._record.name}", daemon=True).start()

    def _call(self, call: int, resource: str, arguments: Any, job: dict[str, Any] | None) -> None:
        runner, role = self._around.runner, self._record.role_arn
        try:
            if job is not None:
                result = runner.poll(resource, job, role_arn=role)
                answer = Answer(call, resource, result=result, running=result is None)
            elif is_job(resource):
                answer = Answer(call, resource, job=runner.submit(resource, arguments, role_arn=role))
            else:
                answer = Answer(call, resource, result=runner.call(resource, arguments, role_arn=role))
        except StateError as fault:
            answer = Answer(call, resource, fault=fault)
        except Exception as error:  # noqa: BLE001 - the state must hear of it
            _log.exception("%s failed in the engine", resource)
            answer = Answer(call, resource, fault=StateError("States.Runtime", f"{type(error).__name__}: {error}"))
        with self._lock:
            is_late = self._record.status != "RUNNING"
            if not is_late:
                self._answers.append(answer)
        if is_late:
            self._drop(answer)
        self._woken.set()

    def _drop(self, answer: Answer) -> None:
        """Nobody waits for the answer any more: a job that it tells of would run unseen."""
        if answer.job is not None:
            self._aside(self._cancel, answer.resource, answer.job)

    def _cancel(self, resource: str, job: dict[str, Any]) -> None:
        try:
            self._around.runner.cancel(resource, job, role_arn=self._record.role_arn)
        except Exception:  # noqa: BLE001 - nobody waits for it any more; the log has it
            _log.exception("%s: the job could not be stopped", resource)
