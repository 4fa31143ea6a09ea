"""The runs of one environment as the console asks for them."""

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from shoplake_console.runs_port import RunEntry, RunFailure
from shoplake_core.clock import Clock
from shoplake_core.errors import ConflictError

from shoplake.foreign_errors import told_error
from shoplake.run_logs import JobRun, job_runs_in
from shoplake.runs.documents_aws import RunReader, run_document, status_word
from shoplake.runs.executions_aws import Execution, Executions
from shoplake.runs.story import entered_state, failure_in

__all__ = ["ConsoleRuns", "JobTables", "written_tables"]

_COMPARES = "Reconcile all layers"
_COMPARING = "progress: comparing "  # as that state's job prints before each table
_JOBS = {"Clean bronze into silver": "silver", "Shape silver into gold": "gold"}
"""The state of a run whose job writes the tables of a layer, one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTables:
    """The tables that a job writes.

    Attributes:
        glue: A boto3 Glue client.
        database: Layer -> Glue database.
        tables: Layer -> the contracts' tables.

    """

    glue: Any
    database: Mapping[str, str]
    tables: Mapping[str, Collection[str]]

    def written_since(self, layer: str, since: datetime) -> int:
        """How many of the layer's tables have been committed to since then, by the catalogue's own clock."""
        found: list[Mapping[str, Any]] = []
        more: dict[str, str] = {}
        while True:
            try:
                page = self.glue.get_tables(DatabaseName=self.database[layer], **more)
            except self.glue.exceptions.EntityNotFoundException:
                return 0
            found += page["TableList"]
            if not page.get("NextToken"):
                return written_tables(found, self.tables[layer], since)
            more = {"NextToken": page["NextToken"]}


def written_tables(catalogued: Iterable[Mapping[str, Any]], tables: Collection[str], since: datetime) -> int:
    """How many of the tables were committed to since then. Pure."""
    return sum(one["Name"] in tables and one.get("UpdateTime", since) > since for one in catalogued)


class ConsoleRuns:
    """A `RunSource` over Step Functions; errors of AWS are told in our words.

    Args:
        executions: The runs.
        label: Which environment on which AWS.
        folder: The state folder, for what errors advise.
        clock: Names new runs.
        log_lines: What a job run printed.
        reader: What the jobs left.
        job_tables: The tables that they write; None where nothing is told of how far they are.

    Attributes:
        look_seconds: How long after one look at what goes on the next may be taken: an account counts its calls.

    """

    def __init__(
        self,
        executions: Executions,
        *,
        label: str,
        folder: Path,
        clock: Clock,
        log_lines: Callable[[JobRun], Iterable[str]],
        reader: RunReader,
        job_tables: JobTables | None = None,
    ) -> None:
        self._executions = executions
        self.label = label
        self._folder = folder
        self._clock = clock
        self._log_lines = log_lines
        self._reader = reader
        self._job_tables = job_tables
        self.look_seconds = 0.4

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

    def log(self, events: Sequence[Mapping[str, Any]], state: str) -> Iterable[str]:
        """Every line that the newest job run of that state printed, as it is read."""
        jobs = [job for job in job_runs_in(events) if job.state == state]
        if jobs:
            with self._told():
                yield from self._log_lines(jobs[-1])

    def document(self, run: RunEntry, events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The run as `shoplake runs show --json` prints it."""
        with self._told():
            return run_document(self._executions.described(run.run_id), events, self._reader.summaries(run.run_id))

    def warnings(self, run_id: str) -> Sequence[str]:
        """Refused rows, tests of gold that found rows, and what silver passed over."""
        with self._told():
            summaries = {part: self._reader.summary(run_id, part) for part in ("silver", "gold")}
        told = []
        for part, word in (("silver", "to know of silver"), ("gold", "of gold's tests warn")):
            tables = (summaries[part] or {}).get("tables", {}).values()
            refused = sum(int(one.get("quarantined", 0)) for one in tables)
            if refused:
                told.append(f"{refused:,} refused")
            count = sum(len(one.get("warnings", {})) for one in tables)
            told += [f"{count} {word}"] if count else []
        return told

    def progress(self, run: RunEntry, events: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
        """How many tables the job that runs now has written, or at which table the reconciliation is.

        A table with nothing new is never written, so a job may end below all.
        """
        if self._job_tables is None or not run.is_running:
            return {}
        since: dict[str, datetime] = {}
        for event in events:
            entered = entered_state(event)
            if entered:
                since[entered] = event["timestamp"]
            since.pop(str(event.get("stateExitedEventDetails", {}).get("name", "")), None)
        with self._told():
            found = {
                state: f"{self._job_tables.written_since(layer, since[state])} of {len(self._job_tables.tables[layer])} tables"
                for state, layer in _JOBS.items()
                if state in since
            }
        if _COMPARES in since:
            compared = len({line for line in self.log(events, _COMPARES) if line.startswith(_COMPARING)})
            if compared:
                found[_COMPARES] = f"table {compared} of {len(self._job_tables.tables['silver'])}"
        return found

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
