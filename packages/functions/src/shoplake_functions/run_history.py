"""A run that has ended, told to the warehouse for the dashboard of operators. It never fails the run."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.clock import Clock
from shoplake_core.errors import ShoplakeError
from shoplake_core.names import ResourceNames
from shoplake_warehouse.data_api_aws import DataApi, Session
from shoplake_warehouse.run_records import CheckRecord, RunRecord, TableRecord, create_run_tables, record_statements

from shoplake_functions.run_outcome import read_summaries

__all__ = ["RunHistory", "run_record"]

_PATIENCE_SECONDS = 90.0  # a warehouse that sleeps takes some ten seconds to wake up
_CHECK = "MySQL = silver = gold = warehouse"


def run_record(
    run_id: str,
    summaries: Mapping[str, Mapping[str, Any]],
    *,
    started_at: datetime,
    ended_at: datetime,
    failed_state: str = "",
) -> RunRecord:
    """The record of a run, from the summaries that its jobs left. Pure."""
    tables = tuple(
        TableRecord(
            layer=layer,
            table=name,
            rows_written=sum(int(counted.get(word, 0)) for word in ("inserted", "updated", "deleted")),
            rows_quarantined=int(counted.get("quarantined", 0)),
            seconds=float(counted.get("seconds", 0.0)),
        )
        for layer in ("silver", "gold")
        for name, counted in summaries.get(layer, {}).get("tables", {}).items()
        if "error" not in counted
    )
    checks = tuple(
        CheckRecord(check=_CHECK, table=table["table"], findings=len(table["findings"]))
        for table in summaries.get("reconciliation", {}).get("tables", ())
    )
    return RunRecord(
        run_id=run_id,
        status="failed" if failed_state else "succeeded",
        started_at=started_at,
        ended_at=ended_at,
        failed_state=failed_state,
        tables=tables,
        checks=checks,
    )


@dataclass(frozen=True, slots=True)
class RunHistory:
    """The records of one environment's runs.

    Attributes:
        names: The environment's resources.
        s3: A boto3 S3 client.
        redshift_data: A boto3 `redshift-data` client.
        clock: Time.

    """

    names: ResourceNames
    s3: Any
    redshift_data: Any
    clock: Clock

    def remember(self, run_id: str, *, started_at: str, failed_state: str = "") -> None:
        """Record the run, unless it found nothing new; a warehouse that cannot take it is said so in the log.

        Args:
            run_id: The run.
            started_at: ISO 8601, as Step Functions says it.
            failed_state: Where it failed; "" for a run that succeeded.

        """
        try:
            summaries = read_summaries(self.s3, self.names.artifacts_bucket, run_id)
            if not summaries and not failed_state:
                return  # a look at bronze must not wake the warehouse, which costs
            record = run_record(
                run_id,
                summaries,
                started_at=datetime.fromisoformat(started_at),
                ended_at=self.clock.now(),
                failed_state=failed_state,
            )
            session = Session(
                workgroup=self.names.workgroup,
                database=self.names.warehouse_database,
                timeout_seconds=_PATIENCE_SECONDS,
            )
            api = DataApi(self.redshift_data, session, self.clock)
            api.run_together(create_run_tables())
            api.run_together(record_statements(record))
        except (ShoplakeError, ClientError, BotoCoreError) as error:
            sys.stderr.write(f"run {run_id} is not recorded in the warehouse: {error}\n")
