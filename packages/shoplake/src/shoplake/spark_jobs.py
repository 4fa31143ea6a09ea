"""Starts a Spark job the way Glue does: a process of its own, with arguments, credentials in its environment, and a summary
object as its answer.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.errors import DataError, ResourceError, ShoplakeError
from shoplake_etl.exit_status import EXIT_JVM_LOST

__all__ = ["JobFailedError", "SparkJob", "run_spark_job"]

_LOG_TAIL_LINES = 15
_STARTS = 2


class JobFailedError(DataError):
    """A job ended without doing all of its work."""

    code = "JOB"


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkJob:
    """One job to run.

    Attributes:
        name: `bronze_to_silver` or `silver_to_gold`.
        arguments: Glue's job arguments, without the leading `--`.
        summary_bucket: Where the job writes its summary.
        summary_key: The summary's key.
        log_path: Where its output goes.

    """

    name: str
    arguments: Mapping[str, str]
    summary_bucket: str
    summary_key: str
    log_path: Path


def job_environment(
    base: Mapping[str, str], *, object_store: AwsEndpoint, control: AwsEndpoint, masking_key_hex: str
) -> dict[str, str]:
    """The environment of a job's process: endpoints, credentials and the masking key, nothing of it on the command line."""
    kept = {name: value for name, value in base.items() if not name.startswith("AWS_")}
    kept |= {
        "AWS_REGION": object_store.region,
        "AWS_DEFAULT_REGION": object_store.region,
        "AWS_ACCESS_KEY_ID": object_store.access_key_id,
        "AWS_SECRET_ACCESS_KEY": object_store.secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SHOPLAKE_MASKING_KEY": masking_key_hex,
        "PYTHONUNBUFFERED": "1",
    }
    if object_store.url:
        kept["AWS_ENDPOINT_URL_S3"] = object_store.url
    if control.url:
        kept["AWS_ENDPOINT_URL_GLUE"] = control.url
    return kept


def job_command(job: SparkJob) -> list[str]:
    """The command line of the job."""
    command = [sys.executable, "-m", f"shoplake_etl.jobs.{job.name}"]
    for name, value in job.arguments.items():
        command += [f"--{name}", value]
    return [*command, "--summary", f"s3://{job.summary_bucket}/{job.summary_key}"]


def _log_tail(path: Path) -> str:
    lines = path.read_text("utf-8", "replace").splitlines() if path.exists() else []
    return "\n".join(f"    {line[:300]}" for line in lines[-_LOG_TAIL_LINES:])


def table_errors(summary: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """Table -> its error, of the tables that failed."""
    return {table: entry["error"] for table, entry in summary["tables"].items() if "error" in entry}


def run_spark_job(
    job: SparkJob,
    *,
    environment: Mapping[str, str],
    read_summary: Callable[[str, str], str | None],
    watch: Callable[[Path], None] = lambda _: None,
) -> dict[str, Any]:
    """The job's summary, once it has ended well. One whose Java process died under it is started once more, as Glue would.

    Args:
        job: What to run.
        environment: From `job_environment`.
        read_summary: (bucket, key) -> the object's text, None where there is none.
        watch: Called every half second with the log's path, to show progress.

    Raises:
        JobFailedError: It ended with an error: the failed tables by name, or the end of its log.
        ResourceError: It could not be started.

    """
    job.log_path.parent.mkdir(parents=True, exist_ok=True)
    job.log_path.unlink(missing_ok=True)
    code = 0
    for _ in range(_STARTS):
        code = _exit_code(job, environment, watch)
        if code != EXIT_JVM_LOST:
            break
    text = read_summary(job.summary_bucket, job.summary_key)
    summary = json.loads(text) if text else None
    if code == 0 and summary is not None:
        return dict(summary)
    raise _failure(job, code, summary)


def _exit_code(job: SparkJob, environment: Mapping[str, str], watch: Callable[[Path], None]) -> int:
    with job.log_path.open("ab") as log:
        try:
            process = subprocess.Popen(
                job_command(job), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=dict(environment)
            )
        except OSError as error:
            raise ResourceError(f"cannot start {job.name}: {error}", hint="shoplake doctor") from error
        try:
            while True:
                try:
                    return process.wait(timeout=0.5)
                except subprocess.TimeoutExpired:
                    watch(job.log_path)
        except BaseException:
            process.terminate()
            process.wait(timeout=30)
            raise


def _failure(job: SparkJob, code: int, summary: Mapping[str, Any] | None) -> ShoplakeError:
    failed = table_errors(summary) if summary else {}
    relative = os.path.relpath(job.log_path)
    if failed:
        lines = "\n".join(f"  {table}: [{e['code']}] {e['message']}" for table, e in failed.items())
        hints = "; ".join(dict.fromkeys(e["hint"] for e in failed.values() if e.get("hint")))
        return JobFailedError(
            f"{job.name} failed for {len(failed)} of {len(summary['tables']) if summary else 0} tables:\n{lines}",
            hint=hints or f"read {relative}",
            job=job.name,
            tables=sorted(failed),
        )
    if code == EXIT_JVM_LOST:
        how = f"lost its Java process {_STARTS} times"
    else:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    return JobFailedError(
        f"{job.name} {how}; the end of its log:\n{_log_tail(job.log_path)}",
        hint=f"read {relative}, then run again: nothing is half-done",
        job=job.name,
        exit_status=code,
    )
