"""What a run came to, in a few numbers: the summaries that its jobs left, small enough for an execution's output."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

__all__ = ["read_summaries", "run_outcome"]

_MISSING = {"NoSuchKey", "404"}
_SILVER_COUNTERS = ("files", "read", "inserted", "updated", "deleted", "quarantined")
_GOLD_COUNTERS = ("inserted", "updated", "deleted")


def run_outcome(s3: Any, bucket: str, run_id: str) -> dict[str, Any]:
    """What each job counted over all tables, by `silver`, `gold` and `reconciliation`; a job that did not run is absent.

    Args:
        s3: A boto3 S3 client.
        bucket: The artifacts bucket.
        run_id: The run.

    """
    return {name: _READERS[name](summary) for name, summary in read_summaries(s3, bucket, run_id).items()}


def read_summaries(s3: Any, bucket: str, run_id: str) -> dict[str, dict[str, Any]]:
    """`silver`, `gold` and `reconciliation` -> what the job left; a job that did not run is absent."""
    found = {name: _summary(s3, bucket, f"runs/{run_id}/{name}.json") for name in _READERS}
    return {name: summary for name, summary in found.items() if summary is not None}


def _summary(s3: Any, bucket: str, key: str) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
    return content


def _counted(summary: Mapping[str, Any], counters: tuple[str, ...]) -> dict[str, int]:
    tables = summary["tables"].values()
    return {"tables": len(tables)} | {name: sum(int(table.get(name, 0)) for table in tables) for name in counters}


def _silver(summary: Mapping[str, Any]) -> dict[str, Any]:
    return _counted(summary, _SILVER_COUNTERS)


def _gold(summary: Mapping[str, Any]) -> dict[str, Any]:
    return _counted(summary, _GOLD_COUNTERS)


def _reconciliation(report: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict, and each layer's rows over all tables that are compared there."""
    rows: Counter[str] = Counter()
    for table in report["tables"]:
        rows.update({layer: int(numbers["rows"]) for layer, numbers in table["layers"].items()})
    return {
        "agree": report["agree"],
        "tables": len(report["tables"]),
        "position": report["cut"]["position"],
        "rows": dict(rows),
        "rows_in_quarantine": sum(int(table["rows_in_quarantine"]) for table in report["tables"]),
    }


_READERS = {"silver": _silver, "gold": _gold, "reconciliation": _reconciliation}
