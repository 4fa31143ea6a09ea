"""SELECTs on the warehouse by the Redshift Data API, asked by whoever reconciles: they change nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.clock import Clock
from shoplake_core.errors import ResourceError
from shoplake_core.names import ResourceNames

__all__ = ["DataApiQuery", "data_api_client"]

_MOST_ATTEMPTS = 10
_FIRST_POLL_SECONDS = 0.05
_LAST_POLL_SECONDS = 2.0


def data_api_client(region: str) -> Any:
    """A boto3 `redshift-data` client that waits out throttling; a call that is made again has its client token again."""
    return boto3.client(
        "redshift-data",
        region_name=region,
        config=Config(retries={"total_max_attempts": _MOST_ATTEMPTS, "mode": "standard"}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DataApiQuery:
    """Runs one SELECT at a time in an environment's warehouse.

    Attributes:
        client: A boto3 `redshift-data` client.
        names: The environment's resources.
        timeout_seconds: How long one may run.
        clock: Waits for it.

    """

    client: Any
    names: ResourceNames
    timeout_seconds: float = 3600.0
    clock: Clock

    def __call__(self, sql: str) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        """Columns and rows; numbers with a scale as text.

        Raises:
            ResourceError: The statement failed, was aborted or took too long, or the service refused.

        """
        target = {"WorkgroupName": self.names.workgroup, "Database": self.names.warehouse_database}
        try:
            statement = str(self.client.execute_statement(Sql=sql, **target)["Id"])  # botocore adds the client token
            self._wait(statement, sql)
            return self._result(statement)
        except (BotoCoreError, ClientError) as error:
            raise ResourceError(
                f"the warehouse {self.names.workgroup} cannot be asked: {error}",
                hint="check that it is there and that this role may query it",
            ) from error

    def _wait(self, statement: str, sql: str) -> None:
        begun, pause_seconds = self.clock.monotonic_seconds(), _FIRST_POLL_SECONDS
        while True:
            described = self.client.describe_statement(Id=statement)
            status = described["Status"]
            if status == "FINISHED":
                return
            late = self.clock.monotonic_seconds() - begun >= self.timeout_seconds
            if status in {"FAILED", "ABORTED"} or late:
                what = f"is {status} after {self.timeout_seconds:g} s" if late else described.get("Error") or status
                raise ResourceError(
                    f"a query of the warehouse {self.names.workgroup} failed: {what}\n  query: {' '.join(sql.split())[:200]}",
                    hint="load the warehouse, then reconcile again",
                    statement=statement,
                )
            self.clock.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 1.5, _LAST_POLL_SECONDS)

    def _result(self, statement: str) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        request = {"Id": statement}
        rows: list[list[Any]] = []
        while True:
            page = self.client.get_statement_result(**request)
            rows += [[_value(cell) for cell in record] for record in page["Records"]]
            if not page.get("NextToken"):
                return [column["label"] for column in page["ColumnMetadata"]], rows
            request["NextToken"] = page["NextToken"]


def _value(cell: Mapping[str, Any]) -> Any:
    return None if cell.get("isNull") else next(iter(cell.values()))
