"""What a reconciliation needs of MySQL, asked of the functions near it: its sums, and that bronze holds all up to them."""

from dataclasses import dataclass
from typing import Any

from shoplake_core.clock import Clock
from shoplake_core.errors import DataError, ResourceError
from shoplake_core.names import FunctionName

from shoplake_reconciliation.functions_aws import Functions
from shoplake_reconciliation.objects_aws import ObjectStore
from shoplake_reconciliation.source_side import SourceReading
from shoplake_reconciliation.source_transfer import source_reading_from_bytes

__all__ = ["SourceCalls"]

_LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCalls:
    """MySQL as one run's reconciliation sees it.

    Attributes:
        functions: The environment's functions.
        objects: S3.
        run_id: The run, which names the reading's place.
        execution_arn: The execution that holds the run lock; "" outside of a run.
        bronze_wait_seconds: How long bronze may take to hold a marker.
        clock: Waits between two looks at bronze.

    """

    functions: Functions
    objects: ObjectStore
    run_id: str
    execution_arn: str
    bronze_wait_seconds: float
    clock: Clock

    def read(self) -> SourceReading:
        """MySQL's sums at one snapshot that is taken now.

        Raises:
            ResourceError: The function failed, or its reading cannot be had.
            DataError: The reading that was left is not the one that the function answered with.

        """
        answer = self.functions.answer(FunctionName.SOURCE_READING, {"run_id": self.run_id})
        bucket, key = self.functions.names.artifacts_bucket, str(answer["key"])
        reading = source_reading_from_bytes(self.objects.content(bucket, key))
        if reading.position != answer["position"]:
            raise DataError(
                f"s3://{bucket}/{key} was read at {reading.position}, and the reading asked for at {answer['position']}: "
                "another one took its place",
                hint="reconcile again, one at a time for a run",
                key=key,
            )
        return reading

    def wait_until_bronze_holds(self, position: str) -> None:
        """Nothing, once bronze holds every change up to `position`, which MySQL has passed already.

        A marker committed now comes after all of them, and bronze is filled in the order of commits.

        Raises:
            ResourceError: A function failed, or the time is up.

        """
        marker = self.functions.answer(FunctionName.SOURCE_MARKER, {})
        begun = self.clock.monotonic_seconds()
        while not self._arrived(marker):
            if self.clock.monotonic_seconds() - begun >= self.bronze_wait_seconds:
                raise ResourceError(
                    f"bronze does not hold marker {marker['token']} after {self.bronze_wait_seconds:g} s, so what was"
                    f" changed up to {position} may be missing there: replication stands still or lags",
                    hint="see how the replication task is, then redrive the run",
                    token=marker["token"],
                )
            self.clock.sleep(_LOOK_SECONDS)

    def _arrived(self, marker: dict[str, Any]) -> bool:
        event = {"token": marker["token"], "after": marker["after"]}
        if self.execution_arn:
            event["execution_arn"] = self.execution_arn
        return bool(self.functions.answer(FunctionName.BRONZE_STATE, event)["marker_arrived"])
