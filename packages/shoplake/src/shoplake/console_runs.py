"""The runs of one environment as the console asks for them."""

import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shoplake_console.runs_port import RunEntry, RunFailure
from shoplake_core.clock import Clock
from shoplake_core.errors import ConflictError

from shoplake.foreign_errors import told_error
from shoplake.run_logs import JobRun, job_runs_in
from shoplake.runs.documents_aws import status_word
from shoplake.runs.executions_aws import Execution, Executions
from shoplake.runs.story import failure_in

__all__ = ["ConsoleRuns"]


class ConsoleRuns:
    """A `RunSource` over Step Functions; errors of AWS are told in our words.

    Args:
        executions: The runs.
        label: Which environment on which AWS.
        folder: The state folder, for what errors advise.
        clock: Names new runs.
        log_lines: What a job run printed.

    """

    def __init__(
        self,
        executions: Executions,
        *,
        label: str,
        folder: Path,
        clock: Clock,
        log_lines: Callable[[JobRun], Iterable[str]],
    ) -> None:
        self._executions = executions
        self.label = label
        self._folder = folder
        self._clock = clock
        self._log_lines = log_lines

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            told = told_error(error, self._folder)
            if told is None or told is error:
                raise
            raise told from error

    def listed(self, count: int) -> Sequence[RunEntry]:
        """The newest runs, newest first."""
        with self._told():
            return [_entry(run) for run in self._executions.listed(count)]

    def run(self, run_id: str) -> RunEntry:
        """The run of that id; ConfigError where there is none."""
        with self._told():
            return _entry(self._executions.described(run_id))

    def definition(self, run_id: str) -> Mapping[str, Any]:
        """The state machine as it was when that run began."""
        with self._told():
            return self._executions.definition(self._executions.described(run_id))

    def events(self, run_id: str, *, after: int) -> Sequence[Mapping[str, Any]]:
        """The events whose ids are above `after`, oldest first."""
        with self._told():
            return self._executions.events(self._executions.described(run_id), after=after)

    def failure(self, run: RunEntry, events: Sequence[Mapping[str, Any]]) -> RunFailure | None:
        """What ended the run; None where it did not fail."""
        found = failure_in(events)
        if found is None or run.is_running:
            return None
        hint = f"mend the cause, then redrive: shoplake runs redrive {run.run_id}"
        if run.not_redrivable_because:
            hint = "mend the cause, then start a new run: shoplake run"
        return RunFailure(found.state, found.error, found.cause, hint)

    def log_tail(self, events: Sequence[Mapping[str, Any]], state: str, *, count: int) -> Sequence[str]:
        """The last lines that the newest job run of that state printed."""
        jobs = [job for job in job_runs_in(events) if job.state == state]
        with self._told():
            return list(deque(self._log_lines(jobs[-1]), maxlen=count)) if jobs else []

    def stop(self, run_id: str) -> None:
        """End the run where it is; ConflictError where it has ended."""
        with self._told():
            execution = self._executions.described(run_id)
            if not execution.is_running:
                raise ConflictError(f"run {run_id} is {status_word(execution.status)}", hint="shoplake runs list")
            self._executions.stop(execution, cause="stopped in the console")

    def redrive(self, run_id: str) -> None:
        """Let the run go on where it failed; ConflictError where that is refused."""
        with self._told():
            self._executions.redrive(self._executions.described(run_id))

    def run_again(self, run_id: str) -> str:
        """The id of a new run, started with that run's input."""
        with self._told():
            given = self._executions.described(run_id).input
            new = f"{self._clock.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
            started = self._executions.start(
                new, begin_at=str(given.get("from", "")), rebuild=bool(given.get("rebuild", False))
            )
            return started.run_id


def _entry(run: Execution) -> RunEntry:
    return RunEntry(
        run_id=run.run_id,
        status=status_word(run.status),
        started_at=run.started_at,
        ended_at=run.ended_at,
        is_running=run.is_running,
        redrives=run.redrive_count,
        not_redrivable_because=run.not_redrivable_because,
        input=run.input,
        output=run.output,
    )
