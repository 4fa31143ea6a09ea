"""MySQL's sums at one snapshot, left as an object: keys, digests, counts and sums, no value of a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.contracts import TableContract
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.masking import MaskingKey
from shoplake_reconciliation.source_side import read_source
from shoplake_reconciliation.source_transfer import source_reading_to_bytes

__all__ = ["LeftReading", "leave_source_reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftReading:
    """Where the reading lies, and the cut it was taken at.

    Attributes:
        key: Object key in the artifacts bucket.
        position: The cut in the binlog, `file:offset`.
        taken_at: The source's clock at the snapshot, UTC, ISO 8601.

    """

    key: str
    position: str
    taken_at: str


def leave_source_reading(
    endpoint: MySqlEndpoint,
    contracts: Mapping[str, TableContract],
    *,
    schema: str,
    masking_key: MaskingKey,
    s3: Any,
    bucket: str,
    run_id: str,
) -> LeftReading:
    """The reading that now lies at `runs/<run_id>/source-reading.zip`; a later one of the run takes its place.

    Raises:
        ContractError: A table or column does not match its contract.
        SourceError: MySQL holds what cannot be represented, or writes no binlog.

    """
    reading = read_source(endpoint, list(contracts.values()), schema=schema, masking_key=masking_key)
    key = f"runs/{run_id}/source-reading.zip"
    s3.put_object(Bucket=bucket, Key=key, Body=source_reading_to_bytes(reading))
    return LeftReading(key=key, position=reading.position, taken_at=reading.taken_at.isoformat())
