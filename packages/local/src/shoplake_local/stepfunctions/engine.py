"""The engine: every running execution of a folder, each on a thread, gone on with when the folder is opened again."""

import json
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from shoplake_core.clock import Clock

from shoplake_local.stepfunctions.execution_run import ExecutionRun, Surroundings
from shoplake_local.stepfunctions.frames import Frame
from shoplake_local.stepfunctions.history import History
from shoplake_local.stepfunctions.store import ExecutionRecord, MachineRecord, Store
from shoplake_local.stepfunctions.tasks import TaskRunner
from shoplake_local.stepfunctions.waiting import SystemWaiter, Waiter

__all__ = ["Engine"]

_POLL_SECONDS = 1.0


class Engine:
    """Runs executions.

    Args:
        path: The SQLite file.
        runner: What tasks ask.
        clock: For times and timeouts.
        region: Shown in the history.
        waiter: How to wait; a test's lets time pass at once.
        poll_seconds: Pause between two looks at a job.
        jitter: Gives a share of a retry's pause.

    """

    def __init__(
        self,
        path: Path,
        runner: TaskRunner,
        *,
        clock: Clock,
        region: str,
        waiter: Waiter | None = None,
        poll_seconds: float = _POLL_SECONDS,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.store = Store(path)
        self.clock = clock
        self._around = Surroundings(self.store, runner, clock, waiter or SystemWaiter(), region, poll_seconds, jitter)
        # taken before the store's; whoever decides by what runs holds it
        self.lock = threading.RLock()
        self._runs: dict[str, ExecutionRun] = {}
        for record in self.store.executions(status="RUNNING"):
            self._go_on(record)

    def start(self, machine: MachineRecord, *, arn: str, name: str, given: str) -> ExecutionRecord:
        """Begin an execution with that input (JSON text)."""
        now = self.clock.now()
        definition = json.loads(machine.definition)
        record = ExecutionRecord(
            arn=arn,
            machine_arn=machine.arn,
            name=name,
            status="RUNNING",
            input=given,
            started_at=now.timestamp(),
            definition=machine.definition,
            role_arn=machine.role_arn,
            machine_updated_at=machine.updated_at,
            revision_id=machine.revision_id,
            deadline=_deadline(machine.definition, now.timestamp()),
        )
        root = Frame(definition["StartAt"], json.loads(given), {})
        history = History(1, now)
        history.add("ExecutionStarted", {"input": given, "roleArn": machine.role_arn}, after=root)
        self._begin(record, root, history, next_call=1)
        return record

    def redrive(self, record: ExecutionRecord, token: str | None) -> ExecutionRecord:
        """Begin an ended execution again where it failed."""
        with self.lock:
            place, now = self.store.place(record.arn), self.clock.now()
            root = Frame.from_json(place["root"])
            root.redriven()
            again = replace(
                record,
                status="RUNNING",
                stopped_at=None,
                error=None,
                cause=None,
                redrive_count=record.redrive_count + 1,
                redriven_at=now.timestamp(),
                redrive_token=token,
                deadline=_deadline(record.definition, now.timestamp()),
            )
            history = History(place["next_event"], now)
            history.add("ExecutionRedriven", {"redriveCount": again.redrive_count}, after=root)
            self._begin(again, root, history, next_call=place["next_call"])
            return again

    def stop(self, record: ExecutionRecord, error: str | None, cause: str | None) -> ExecutionRecord:
        """End a running execution now; one that has ended stays as it is."""
        with self.lock:
            run = self._runs.get(record.arn)
        return run.stop(error, cause) if run is not None else self.store.execution(record.arn) or record

    def forget_deleted(self, machine_arn: str) -> None:
        """Delete a machine that is to be deleted as soon as none of its executions runs."""
        with self.store.transaction():
            machine = self.store.machine(machine_arn)
            if machine is not None and machine.deleting and not self.store.executions(machine_arn, status="RUNNING"):
                self.store.delete_machine(machine_arn)

    def close(self) -> None:
        """Let go of all executions; they go on when the folder is opened again."""
        with self.lock:
            runs = list(self._runs.values())
        for run in runs:
            run.close()
        self.store.close()

    def _begin(self, record: ExecutionRecord, root: Frame, history: History, *, next_call: int) -> None:
        place = {"root": root.to_json(), "next_event": history.next_id, "next_call": next_call}
        with self.lock:
            self.store.put_execution(record, place, events=history.fresh)
            self._go_on(record)

    def _go_on(self, record: ExecutionRecord) -> None:
        run = ExecutionRun(record, self._around, ended=self._run_ended)
        self._runs[record.arn] = run
        run.start()

    def _run_ended(self, run: ExecutionRun) -> None:
        self.forget_deleted(run.record.machine_arn)
        with self.lock:
            if self._runs.get(run.record.arn) is run:  # else it was redriven meanwhile
                del self._runs[run.record.arn]


def _deadline(definition: str, begun_at: float) -> float | None:
    seconds = json.loads(definition).get("TimeoutSeconds")
    return begun_at + seconds if seconds is not None else None
