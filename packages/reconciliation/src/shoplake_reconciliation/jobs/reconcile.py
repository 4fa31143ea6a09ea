"""Glue job 3: MySQL, silver, gold and the warehouse hold the same, or the run is red."""

import os
import sys

from shoplake_core.clock import SystemClock

from shoplake_reconciliation.job_edge_aws import run_job

__all__ = ["main"]


def main() -> int:
    """The exit code."""
    return run_job(sys.argv[1:], os.environ, clock=SystemClock())


if __name__ == "__main__":
    sys.exit(main())
