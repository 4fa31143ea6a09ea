"""What a part of a run did, in one line, from what its job left. Pure."""

from collections.abc import Mapping
from typing import Any

__all__ = ["part_result"]


def part_result(part: str, summary: Mapping[str, Any] | None) -> str:
    """The line; "" where the part has left nothing to tell."""
    if summary is None:
        return ""
    if part == "silver":
        return (
            f"{_sum(summary, 'read'):,} changes read: {_sum(summary, 'inserted'):,} inserted, "
            f"{_sum(summary, 'updated'):,} updated, {_sum(summary, 'deleted'):,} deleted, "
            f"{_sum(summary, 'quarantined'):,} quarantined"
        )
    if part == "gold":
        return (
            f"{len(summary['tables'])} models: {_sum(summary, 'inserted'):,} rows inserted, "
            f"{_sum(summary, 'updated'):,} updated, {_sum(summary, 'deleted'):,} deleted"
        )
    if part == "reconcile":
        agreeing = sum(bool(table["agree"]) for table in summary["tables"])
        return f"{agreeing} of {len(summary['tables'])} tables agree"
    return ""


def _sum(summary: Mapping[str, Any], counter: str) -> int:
    return sum(int(entry.get(counter, 0)) for entry in summary["tables"].values())
