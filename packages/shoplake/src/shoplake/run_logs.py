"""What a run left in logs: its own events, and what its jobs printed, which lies in files of the local AWS on a laptop."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from shoplake.runs.story import entered_state

__all__ = ["JobRun", "job_runs_in", "lines_from_cloudwatch", "lines_from_laptop", "logged_events"]

_GROUPS = ("/aws-glue/jobs/output", "/aws-glue/jobs/error")


@dataclass(frozen=True, slots=True)
class JobRun:
    """One Glue job run that an execution started, and the state that did."""

    state: str
    job_run_id: str


def job_runs_in(events: Sequence[Mapping[str, Any]]) -> tuple[JobRun, ...]:
    """The job runs of a history, in the order of their start."""
    state_of = {event["id"]: entered_state(event) for event in events}
    previous = {event["id"]: event.get("previousEventId", 0) for event in events}
    found: dict[str, JobRun] = {}
    for event in events:
        details = event.get("taskSubmittedEventDetails", {})
        if details.get("resourceType") != "glue" or not details.get("output"):
            continue
        job_run_id = str(json.loads(details["output"])["JobRunId"])
        at = event["id"]
        while at and not state_of.get(at):
            at = previous.get(at, 0)
        found.setdefault(job_run_id, JobRun(state_of.get(at, ""), job_run_id))
    return tuple(found.values())


def lines_from_laptop(state_folder: Path, run: JobRun) -> Iterator[str]:
    """What the job run printed here; nothing where its log was removed."""
    for path in sorted((state_folder / "front" / "state" / "glue" / "runs" / run.job_run_id).glob("*.log")):
        with path.open("r", encoding="utf-8", errors="replace") as file:
            for line in file:
                yield line.rstrip("\n")


def logged_events(logs: Any, group: str, execution_arn: str, *, since: datetime) -> Iterator[Mapping[str, Any]]:
    """What Step Functions logged of that execution, in the order of its history; nothing where it is not there (yet)."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=int(since.timestamp() * 1000)
    )
    found = []
    try:
        for page in pages:
            lines = (json.loads(event["message"]) for event in page["events"])
            found += [line for line in lines if line["execution_arn"] == execution_arn]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
    yield from sorted(found, key=lambda line: int(line["id"]))


def lines_from_cloudwatch(logs: Any, run: JobRun) -> Iterator[str]:
    """What the job run printed on AWS; nothing where its streams are not there (yet)."""
    for group in _GROUPS:
        more: dict[str, str] = {}
        while True:
            try:
                page = logs.filter_log_events(logGroupName=group, logStreamNamePrefix=run.job_run_id, **more)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
                break
            for event in page["events"]:
                yield str(event["message"]).rstrip("\n")
            if "nextToken" not in page:
                break
            more = {"nextToken": page["nextToken"]}
