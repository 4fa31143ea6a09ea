"""Glue job 2: gold follows silver."""

import sys

from shoplake_core.clock import SystemClock

from shoplake_etl.applications import silver_to_gold
from shoplake_etl.gold import GoldRun
from shoplake_etl.job_edge import Job, run_job
from shoplake_etl.summary import RunSummary, failed_tables

__all__ = ["main"]


def _run(job: Job) -> RunSummary:
    run = GoldRun(
        lake=job.lake,
        store=job.store,
        project=job.project,
        run_id=job.arguments.run_id,
        rebuild=job.arguments.rebuild,
        clock=SystemClock(),
        failpoints=job.failpoints,
        backfill_from=job.arguments.backfill_from,
    )
    url = job.arguments.silver_summary
    return silver_to_gold(
        job.spark, run, failed_silver=failed_tables(job.store.read(url).decode()) if url else frozenset()
    )


def main() -> int:
    """The exit code."""
    return run_job("silver_to_gold", sys.argv[1:], _run)


if __name__ == "__main__":
    sys.exit(main())
