"""One run from lock to record: the steps in order, the first failure recorded and told."""

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import psutil
from shoplake_core.errors import ShoplakeError

from shoplake.laptop import Laptop
from shoplake.narration import Narrator
from shoplake.run_lock_aws import run_lock
from shoplake.run_records import RunRecord, is_running, write_run
from shoplake.run_steps import RUN_STEPS, RunContext, RunStep

__all__ = ["run_pipeline"]


def run_pipeline(
    laptop: Laptop,
    narrator: Narrator,
    *,
    rebuild: bool = False,
    steps: Sequence[RunStep] = RUN_STEPS,
    first_number: int = 1,
    step_count: int | None = None,
    on_step: Callable[[str], None] = lambda _name: None,
) -> RunRecord:
    """The record of a run that succeeded.

    Args:
        laptop: The running servers.
        narrator: Told of each step.
        rebuild: Build gold anew.
        steps: What to do.
        first_number: Number of the first step, where the run is part of something longer.
        step_count: Number of all steps of that longer thing.
        on_step: Told of each step before it begins.

    Raises:
        ConflictError: Another run is at work.
        ShoplakeError: A step failed; the record says which.

    """
    started = laptop.clock.now()
    run_id = f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    owner: dict[str, Any] = {
        "run_id": run_id,
        "pid": os.getpid(),
        "pid_created_at_seconds": psutil.Process().create_time(),
    }
    record = RunRecord(
        run_id=run_id,
        status="running",
        started_at=started.isoformat(),
        pid=owner["pid"],
        pid_created_at_seconds=owner["pid_created_at_seconds"],
    )
    folder = laptop.workspace.run_records_folder
    context = RunContext(laptop, run_id, laptop.workspace.state_folder / "logs" / run_id, rebuild=rebuild)
    with run_lock(laptop.s3, laptop.names.artifacts_bucket, owner, is_running=is_running):
        write_run(folder, record)
        current = ""
        try:
            for number, step in enumerate(steps, start=first_number):
                current = step.name
                on_step(current)
                begun = laptop.clock.monotonic_seconds()
                with narrator.step(number, step_count or len(steps), step.title) as talk:
                    context.outcomes[step.name] = step.action(context, talk)
                seconds = round(laptop.clock.monotonic_seconds() - begun, 2)
                record.steps[step.name] = {"seconds": seconds, "outcome": context.outcomes[step.name]}
                write_run(folder, record)
        except BaseException as error:
            failed = replace(
                record,
                status="failed",
                ended_at=laptop.clock.now().isoformat(),
                failed_step=current,
                error=_error_document(error),
            )
            write_run(folder, failed)
            raise
        record = replace(record, status="succeeded", ended_at=laptop.clock.now().isoformat())
        write_run(folder, record)
    return record


def _error_document(error: BaseException) -> dict[str, str]:
    if isinstance(error, ShoplakeError):
        return {"code": error.code, "message": error.message, "hint": error.hint}
    return {"code": type(error).__name__, "message": str(error), "hint": ""}
