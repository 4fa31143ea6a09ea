"""One run as one document: its execution, how long each part took, and what each part counted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import ClientError

from shoplake.runs.executions_aws import Execution
from shoplake.runs.story import RUN_PARTS, failure_in, part_times

__all__ = ["RunReader", "run_document", "status_word"]

_SUMMARIES = {"silver": "silver", "gold": "gold", "reconcile": "reconciliation"}
_MISSING = {"NoSuchKey", "404", "NoSuchBucket"}
_WORDS = {"ABORTED": "stopped", "TIMED_OUT": "timed out", "PENDING_REDRIVE": "waiting for its redrive"}


def status_word(status: str) -> str:
    """An execution's status as people say it."""
    return _WORDS.get(status, status.lower())


def run_document(
    execution: Execution, events: Sequence[Mapping[str, Any]], summaries: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The document of `runs show --json`. Pure.

    Args:
        execution: The run.
        events: Its history, in order.
        summaries: Part name -> what its job left.

    """
    times = part_times(events)
    failure = failure_in(events)
    steps = {
        part.name: {"seconds": times[part.name].seconds, "ended": times[part.name].ended}
        | ({"outcome": dict(summaries[part.name])} if part.name in summaries else {})
        for part in RUN_PARTS
        if part.name in times
    }
    return {
        "run_id": execution.run_id,
        "status": status_word(execution.status),
        "started_at": execution.started_at.isoformat(),
        "ended_at": execution.ended_at.isoformat() if execution.ended_at else "",
        "seconds": round((execution.ended_at - execution.started_at).total_seconds(), 1)
        if execution.ended_at
        else None,
        "redrives": execution.redrive_count,
        "input": dict(execution.input),
        "output": dict(execution.output),
        "failed": asdict(failure) if failure else None,
        "steps": steps,
    }


@dataclass(frozen=True, slots=True)
class RunReader:
    """Reads what the jobs of runs left in the artifacts bucket.

    Attributes:
        s3: A boto3 S3 client.
        bucket: The artifacts bucket.

    """

    s3: Any
    bucket: str

    def summary(self, run_id: str, part: str) -> dict[str, Any] | None:
        """What the part's job left; None where it has no job, or has left nothing."""
        if part not in _SUMMARIES:
            return None
        try:
            body = self.s3.get_object(Bucket=self.bucket, Key=f"runs/{run_id}/{_SUMMARIES[part]}.json")["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None
            raise
        document: dict[str, Any] = json.loads(body.read())
        return document

    def summaries(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Part name -> what its job left."""
        found = {part: self.summary(run_id, part) for part in _SUMMARIES}
        return {part: summary for part, summary in found.items() if summary is not None}
