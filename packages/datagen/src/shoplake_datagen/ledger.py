"""The record of every planted fault: what was planted where, and what silver must make of it.

One JSON object a line. Values of masked columns stand here as the cleaned plain text, before masking: this is
simulated data.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from shoplake_core.cleaning import Rule

__all__ = ["Expectation", "LedgerEntry", "ledger_from_lines", "ledger_lines", "nulled", "quarantined", "valued"]


class Expectation(Enum):
    """What silver must make of a planted value."""

    VALUE = "value"
    NULL = "null"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One planted value.

    Attributes:
        table: Table in MySQL.
        key: Key column -> value; whole numbers.
        column: The column that holds the planted value.
        kind: Which fault it is, such as `email_padded`.
        planted: What MySQL was given; None for NULL.
        expect: What silver must make of it.
        value: The cleaned value as text (dates `YYYY-MM-DD`), where `expect` is VALUE.
        reason: `<rule>:<column>`, where `expect` is QUARANTINED.

    """

    table: str
    key: Mapping[str, int]
    column: str
    kind: str
    planted: str | None
    expect: Expectation
    value: str | None = None
    reason: str | None = None


def valued(value: str) -> dict[str, Any]:
    """The fields of an entry whose value silver keeps, cleaned."""
    return {"expect": Expectation.VALUE, "value": value}


def nulled() -> dict[str, Any]:
    """The fields of an entry whose value becomes null."""
    return {"expect": Expectation.NULL}


def quarantined(rule: Rule, column: str) -> dict[str, Any]:
    """The fields of an entry whose row goes to quarantine."""
    return {"expect": Expectation.QUARANTINED, "reason": f"{rule.value}:{column}"}


def ledger_lines(entries: Iterable[LedgerEntry]) -> str:
    """The entries as JSON lines, each ended by a line feed."""
    return "".join(
        json.dumps(
            asdict(entry) | {"key": dict(entry.key), "expect": entry.expect.value}, ensure_ascii=False, sort_keys=True
        )
        + "\n"
        for entry in entries
    )


def ledger_from_lines(text: str) -> tuple[LedgerEntry, ...]:
    """The entries that `ledger_lines` wrote."""
    parsed = (json.loads(line) for line in text.split("\n") if line)
    return tuple(LedgerEntry(**(data | {"expect": Expectation(data["expect"])})) for data in parsed)
