"""Glue job 1: everything new in bronze into silver."""

import sys

from shoplake_core.clock import SystemClock

from shoplake_etl.applications import bronze_to_silver
from shoplake_etl.job_edge import Job, run_job
from shoplake_etl.selection import selected_contracts
from shoplake_etl.silver import SilverRun
from shoplake_etl.summary import RunSummary

__all__ = ["main"]


def _run(job: Job) -> RunSummary:
    run = SilverRun(
        lake=job.lake,
        store=job.store,
        source_schema=job.project.config.source_schema,
        run_id=job.arguments.run_id,
        masking_key=job.masking_key(),
        tombstone_days=job.project.config.tombstone_days,
        clock=SystemClock(),
        failpoints=job.failpoints,
    )
    return bronze_to_silver(job.spark, run, selected_contracts(job.project.silver, job.arguments.tables))


def main() -> int:
    """The exit code."""
    return run_job("bronze_to_silver", sys.argv[1:], _run, masks=True)


if __name__ == "__main__":
    sys.exit(main())
