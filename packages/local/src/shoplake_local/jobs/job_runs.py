"""Runs of jobs: started, watched until they end, found again after the front was killed."""

import contextlib
import secrets
import threading
from collections.abc import Mapping
from typing import Any

from shoplake_core.clock import Clock
from shoplake_core.errors import ResourceError

from shoplake_local.glue.requests import invalid_input
from shoplake_local.jobs.documents import Documents
from shoplake_local.jobs.job_definitions import (
    checked_arguments,
    concurrent_runs,
    merged_arguments,
    timeout_minutes,
)
from shoplake_local.jobs.job_process import JobProcess, JobProcesses, failure_text
from shoplake_local.jobs.shipped_code import CodeNotFetchedError
from shoplake_local.service import ServiceError, refuse_unsupported

__all__ = ["JobRuns"]

_POLL_SECONDS = 0.1
_ACTIVE = frozenset({"STARTING", "RUNNING", "STOPPING"})
_KIND = "JobRun"
_SUPPORTED = frozenset(
    {"JobName", "JobRunId", "Arguments", "Timeout", "WorkerType", "NumberOfWorkers", "ExecutionClass"}
)
_SHUT_DOWN = "the local AWS was shut down while the run was under way"
_LOST = "the local AWS was killed before the run's process was started; start the job again"


class JobRuns:
    """The runs of every job.

    Args:
        documents: Where they are kept.
        processes: Starts and finds their processes.
        clock: Start, end and timeout.

    """

    def __init__(self, documents: Documents, processes: JobProcesses, *, clock: Clock) -> None:
        self._documents = documents
        self._processes = processes
        self._clock = clock
        self._closing = threading.Event()
        self._watchers: list[threading.Thread] = []
        for run in documents.all(_KIND):
            if run["JobRunState"] in _ACTIVE:
                self._find_again(run)

    def start(self, job: Mapping[str, Any], given: Mapping[str, Any]) -> str:
        """The id of the new run.

        Raises:
            ServiceError: As StartJobRun.

        """
        refuse_unsupported("Glue's StartJobRun", given, _SUPPORTED)
        arguments = given.get("Arguments", {})
        checked_arguments("StartJobRun", merged_arguments(job, arguments))
        if "JobRunId" in given:
            earlier = self._documents.get(_KIND, given["JobRunId"])
            if earlier is None or earlier["JobName"] != job["Name"] or earlier["JobRunState"] in _ACTIVE:
                raise invalid_input(f"{given['JobRunId']} is no ended run of {job['Name']}.")
        run = {
            "Id": f"jr_{secrets.token_hex(32)}",
            "Attempt": 0,
            "Arguments": arguments,
            "Timeout": timeout_minutes(job, given),
            "WorkerType": given.get("WorkerType", job["WorkerType"]),
            "NumberOfWorkers": given.get("NumberOfWorkers", job["NumberOfWorkers"]),
            "ExecutionClass": given.get("ExecutionClass", job["ExecutionClass"]),
        }
        if "JobRunId" in given:
            run["PreviousRunId"] = given["JobRunId"]
        return self._begin(job, run)

    def get(self, job_name: str, run_id: str) -> dict[str, Any] | None:
        """The run as GetJobRun shows it."""
        run = self._documents.get(_KIND, run_id)
        if run is None or run["JobName"] != job_name:
            return None
        if run["JobRunState"] in _ACTIVE:
            run["ExecutionTime"] = self._seconds_since(run)
        return run

    def all(self, job_name: str) -> list[dict[str, Any]]:
        """The job's runs, newest first."""
        runs = [run for run in self._documents.all(_KIND) if run["JobName"] == job_name]
        return sorted(runs, key=lambda run: (run["StartedOn"], run["Id"]), reverse=True)

    def stop(self, job_name: str, run_id: str) -> str:
        """An error code of BatchStopJobRun, "" where the run is being stopped."""
        with self._documents.transaction():
            run = self._documents.get(_KIND, run_id)
            if run is None or run["JobName"] != job_name:
                return "EntityNotFoundException"
            if run["JobRunState"] not in _ACTIVE:
                return "InvalidInputException"
            self._documents.put(_KIND, run_id, run | {"JobRunState": "STOPPING"})
        return ""

    def close(self) -> None:
        """End every process; their runs have failed."""
        self._closing.set()
        for watcher in list(self._watchers):
            watcher.join()

    def _begin(self, job: Mapping[str, Any], run: dict[str, Any]) -> str:
        with self._documents.transaction():
            active = [other for other in self.all(job["Name"]) if other["JobRunState"] in _ACTIVE]
            if len(active) >= concurrent_runs(job):
                raise ServiceError(
                    "ConcurrentRunsExceededException",
                    f"Concurrent runs exceeded for {job['Name']}: {len(active)} of {concurrent_runs(job)} are under way.",
                )
            now = self._clock.now()
            run |= {
                "JobName": job["Name"],
                "JobMode": "SCRIPT",
                "GlueVersion": job["GlueVersion"],
                "JobRunState": "STARTING",
                "StartedOn": now,
                "LastModifiedOn": now,
                "PredecessorRuns": [],
                "ExecutionTime": 0,
                "LogGroupName": "/aws-glue/jobs",
            }
            self._documents.put(_KIND, run["Id"], run)
        # the definition as it is now: an update changes the runs after it
        self._watch(run, dict(job))
        return str(run["Id"])

    def _find_again(self, run: dict[str, Any]) -> None:
        process = self._processes.of(run["Id"])
        if process.running or process.exit_code() is not None:
            self._watch(run, None)
        else:
            text = failure_text(None, process.last_lines()) if process.was_started else _LOST
            self._finish(run["Id"], "FAILED", text)

    def _watch(self, run: dict[str, Any], job: dict[str, Any] | None) -> None:
        watcher = threading.Thread(target=self._run, args=(run, job), name=f"job run {run['Id'][:12]}", daemon=True)
        self._watchers = [other for other in self._watchers if other.is_alive()] + [watcher]
        watcher.start()

    def _run(self, run: dict[str, Any], job: dict[str, Any] | None) -> None:
        try:
            process = self._processes.of(run["Id"]) if job is None else self._processes.start(job, run)
        except (CodeNotFetchedError, ResourceError, ServiceError) as error:
            self._finish(run["Id"], "FAILED", str(error))
            return
        except BaseException as error:
            self._finish(run["Id"], "FAILED", f"the local AWS failed: {type(error).__name__}: {error}")
            raise
        self._change(run["Id"], {"JobRunState": "RUNNING"}, only_from="STARTING")
        state, message = self._end_of(run, process)
        self._finish(run["Id"], state, message)
        if state == "FAILED" and not self._closing.is_set():
            self._retry(run)

    def _end_of(self, run: Mapping[str, Any], process: JobProcess) -> tuple[str, str]:
        while process.running:
            now = self._documents.get(_KIND, run["Id"])
            if now is None or now["JobRunState"] == "STOPPING":
                process.end()
                return "STOPPED", ""
            if self._seconds_since(run) > run["Timeout"] * 60:
                process.end()
                return "TIMEOUT", f"the run took longer than its timeout of {run['Timeout']} minutes"
            if self._closing.is_set():
                process.end()
                return "FAILED", _SHUT_DOWN
            self._clock.sleep(_POLL_SECONDS)
        code = process.exit_code()
        return ("SUCCEEDED", "") if code == 0 else ("FAILED", failure_text(code, process.last_lines()))

    def _retry(self, run: Mapping[str, Any]) -> None:
        job = self._documents.get("Job", run["JobName"])
        attempt = run["Attempt"] + 1
        if job is None or attempt > job["MaxRetries"]:
            return
        first = run["Id"].partition("_attempt_")[0]
        kept = {name: run[name] for name in ("Arguments", "Timeout", "WorkerType", "NumberOfWorkers", "ExecutionClass")}
        again = {"Id": f"{first}_attempt_{attempt}", "Attempt": attempt, "PreviousRunId": run["Id"]}
        with contextlib.suppress(ServiceError):  # somebody started another run first: theirs is the next try
            self._begin(job, kept | again)

    def _finish(self, run_id: str, state: str, message: str) -> None:
        now = self._clock.now()
        changes: dict[str, Any] = {"JobRunState": state, "CompletedOn": now, "LastModifiedOn": now}
        if message:
            changes["ErrorMessage"] = message
        self._change(run_id, changes)

    def _change(self, run_id: str, changes: dict[str, Any], *, only_from: str = "") -> None:
        with self._documents.transaction():
            run = self._documents.get(_KIND, run_id)
            if run is None or (only_from and run["JobRunState"] != only_from):
                return
            if "CompletedOn" in changes:
                changes["ExecutionTime"] = self._seconds_since(run)
            self._documents.put(_KIND, run_id, run | changes)

    def _seconds_since(self, run: Mapping[str, Any]) -> int:
        return max(0, int((self._clock.now() - run["StartedOn"]).total_seconds()))
