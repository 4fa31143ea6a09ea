"""Where Lambda enters: each handler reads its event and its environment, and hands over."""

import os
from dataclasses import asdict
from functools import cache
from typing import Any

from shoplake_core.clock import SystemClock
from shoplake_core.errors import ConfigError

from shoplake_functions.bronze_state import BronzeReader
from shoplake_functions.environment import FunctionEnvironment, field_of, function_environment, run_id_of
from shoplake_functions.executions import execution_asker
from shoplake_functions.prepare_source import SourcePreparation, WantedSource
from shoplake_functions.refresh_planning import planned_refreshes
from shoplake_functions.rotate_source_secret import RotationStep, SecretRotation
from shoplake_functions.run_history import RunHistory
from shoplake_functions.run_lock import Outcome, RunFailed, RunLock, check_held
from shoplake_functions.run_outcome import run_outcome
from shoplake_functions.source_doctor import examine_source
from shoplake_functions.source_marker import commit_source_marker
from shoplake_functions.source_reading import leave_source_reading
from shoplake_functions.source_secret import read_administrator_endpoint, read_masking_key, read_source_endpoint
from shoplake_functions.spice_refreshes import spice_data_sets
from shoplake_functions.warehouse_loads import next_warehouse_loads

__all__ = [
    "bronze_state",
    "prepare_source",
    "rotate_source_secret",
    "run_lock",
    "source_doctor",
    "source_marker",
    "source_reading",
    "warehouse_loads",
]

Event = dict[str, Any]


@cache  # Lambda keeps a process for many events
def _environment() -> FunctionEnvironment:
    return function_environment(os.environ)


def _history(here: FunctionEnvironment) -> RunHistory:
    return RunHistory(here.names, here.s3, here.client("redshift-data"), SystemClock())


def run_lock(event: Event, _context: object) -> Event:
    """Take, release, or end as failed."""
    here = _environment()
    lock = RunLock(here.s3, here.names.artifacts_bucket, execution_asker(here.client("stepfunctions")))
    action, execution_arn = field_of(event, "action", str), field_of(event, "execution_arn", str)
    if action == "take":
        holder = lock.take(execution_arn)
        return {"taken": True} if holder == execution_arn else {"taken": False, "holder": holder}
    if action == "release":
        run = run_outcome(here.s3, here.names.artifacts_bucket, run_id_of(event)) if "run_id" in event else None
        lock.release(execution_arn, Outcome(field_of(event, "outcome", str)))
        if run is not None and "started_at" in event:
            _history(here).remember(run_id_of(event), started_at=field_of(event, "started_at", str))
        return {} if run is None else {"run": run}
    if action == "end_as_failed":
        failed = field_of(event, "failed", dict)
        try:
            resume_at = lock.end_as_failed(
                execution_arn,
                {name: field_of(failed, name, str) for name in ("state", "error", "cause")},
                told_at_redrive=field_of(event, "told_at_redrive", int),
                redrive_count=field_of(event, "redrive_count", int),
            )
        except RunFailed:
            if "started_at" in event:
                started_at, state = field_of(event, "started_at", str), field_of(failed, "state", str)
                _history(here).remember(run_id_of(event), started_at=started_at, failed_state=state)
            raise
        return {"resume_at": resume_at}
    raise ConfigError(f'unknown action "{action}"', hint="take, release or end_as_failed")


def source_marker(_event: Event, _context: object) -> Event:
    """Commit a marker."""
    here = _environment()
    endpoint = read_source_endpoint(here.secrets, here.names.source_secret)
    bucket = here.names.bronze_bucket
    return asdict(commit_source_marker(endpoint, s3=here.s3, bucket=bucket, now=SystemClock().now()))


def bronze_state(event: Event, _context: object) -> Event:
    """Look at bronze: for the run that holds the lock, or for somebody who names no run and changes nothing."""
    here = _environment()
    if "execution_arn" in event:
        check_held(here.s3, here.names.artifacts_bucket, field_of(event, "execution_arn", str))
    reader = BronzeReader(
        names=here.names, schema=here.project.config.source_schema, glue=here.client("glue"), s3=here.s3
    )
    token, after = field_of(event, "token", str), field_of(event, "after", str)
    return asdict(reader.state(here.project.silver, token=token, after=after))


def warehouse_loads(event: Event, _context: object) -> Event:
    """Plan the warehouse's next loads; where the event has data sets, what these read anew of the warehouse."""
    here = _environment()
    check_held(here.s3, here.names.artifacts_bucket, field_of(event, "execution_arn", str))
    if "data_sets" in event:
        refreshes = planned_refreshes(
            spice_data_sets(field_of(event, "data_sets", list)),
            names=here.names,
            client=here.client,
            clock=SystemClock(),
            run_id=run_id_of(event),
        )
        return {"refreshes": [one.as_json() for one in refreshes]}
    field_of(event, "rebuild", bool)  # a rebuilt model's batch is full, which the plan sees by itself
    loads = next_warehouse_loads(
        here.project.gold,
        names=here.names,
        glue=here.client("glue"),
        s3=here.s3,
        redshift_data=here.client("redshift-data"),
        clock=SystemClock(),
        run_id=run_id_of(event),
    )
    return loads.as_json()


def source_reading(event: Event, _context: object) -> Event:
    """Leave MySQL's sums as an object."""
    here = _environment()
    return asdict(
        leave_source_reading(
            read_source_endpoint(here.secrets, here.names.source_secret),
            here.project.silver,
            schema=here.project.config.source_schema,
            masking_key=read_masking_key(here.secrets, here.names.masking_secret),
            s3=here.s3,
            bucket=here.names.artifacts_bucket,
            run_id=run_id_of(event),
        )
    )


def source_doctor(_event: Event, _context: object) -> Event:
    """Examine the source."""
    here = _environment()
    endpoint = read_source_endpoint(here.secrets, here.names.source_secret)
    checks = examine_source(endpoint, here.project.silver, schema=here.project.config.source_schema)
    return {"checks": [check.as_json() for check in checks]}


def prepare_source(event: Event, _context: object) -> Event:
    """Ask whether the new source is prepared, prepare it, or take its user away again."""
    here = _environment()
    action = field_of(event, "action", str)
    login = read_source_endpoint(here.secrets, here.names.source_secret)
    preparation = SourcePreparation(
        read_administrator_endpoint(here.secrets, field_of(event, "administrator_secret", str), at=login),
        login,
        WantedSource(
            schema=field_of(event, "schema", str),
            binlog_retention_hours=field_of(event, "binlog_retention_hours", int),
            simulated_shop=field_of(event, "simulated_shop", bool),
        ),
    )
    match action:
        case "ask":
            return {"has_user": preparation.has_user(), "missing": preparation.missing()}
        case "prepare":
            return {"done": preparation.prepare()}
        case "withdraw":
            return {"done": preparation.withdraw()}
    raise ConfigError(f'unknown action "{action}"', hint="ask, prepare or withdraw")


def rotate_source_secret(event: Event, _context: object) -> Event:
    """Take one of Secrets Manager's steps."""
    here = _environment()
    step = field_of(event, "Step", str)
    if step not in set(RotationStep):
        raise ConfigError(f'unknown step "{step}" of a rotation', hint=f"one of: {', '.join(RotationStep)}")
    rotation = SecretRotation(
        here.secrets, field_of(event, "SecretId", str), field_of(event, "ClientRequestToken", str)
    )
    rotation.take(RotationStep(step))
    return {}
