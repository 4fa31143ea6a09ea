"""Two sides of one table -> findings, key by key. Pure: it knows neither MySQL nor AWS."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from shoplake_reconciliation.arrow import as_arrow
from shoplake_reconciliation.findings import Finding, FindingKind, SumDifference
from shoplake_reconciliation.key_matching import KeyMatch, matched_keys
from shoplake_reconciliation.key_ranges import KeyRanges, RangeNumbers, TableSide

__all__ = ["MOST_FINDINGS", "MOST_KEYS", "compared", "compared_quarantine"]

MOST_KEYS = 10  # keys named in one finding
MOST_FINDINGS = 100  # findings of one comparison; the count of the rest is said


def _keys_at(keys: pa.Table, rows: np.ndarray) -> tuple[Mapping[str, Any], ...]:
    return tuple(keys.take(as_arrow(rows[:MOST_KEYS])).to_pylist())


def _sum_differences(expected: RangeNumbers, found: RangeNumbers) -> tuple[SumDifference, ...]:
    zero = Decimal(0)
    return tuple(
        SumDifference(name, value, found.sums.get(name, zero))
        for name, value in expected.sums.items()
        if value != found.sums.get(name, zero)
    )


def _by_range(rows: np.ndarray, index: np.ndarray) -> dict[int, np.ndarray]:
    """Row numbers by the range that they fall into."""
    ranges = index[rows]
    return {int(number): rows[ranges == number] for number in np.unique(ranges)}


def _finding(
    table: str, layers: tuple[str, str], kind: FindingKind, numbers: tuple[RangeNumbers, RangeNumbers]
) -> dict[str, Any]:
    return {
        "kind": kind,
        "table": table,
        "expected_in": layers[0],
        "found_in": layers[1],
        "expected_rows": numbers[0].rows,
        "found_rows": numbers[1].rows,
        "sums": _sum_differences(*numbers),
    }


def _bounded(findings: list[Finding]) -> list[Finding]:
    if len(findings) <= MOST_FINDINGS:
        return findings
    last = findings[MOST_FINDINGS - 1]
    rest = len(findings) - MOST_FINDINGS + 1
    keys = sum(finding.key_count for finding in findings[MOST_FINDINGS - 1 :])
    more = Finding(
        kind=last.kind,
        table=last.table,
        expected_in=last.expected_in,
        found_in=last.found_in,
        key_count=keys,
        message=f"and {rest} more findings of this table, {keys} keys in all",
    )
    return [*findings[: MOST_FINDINGS - 1], more]


def compared(
    table: str, layers: tuple[str, str], ranges: KeyRanges, expected: TableSide, found: TableSide
) -> list[Finding]:
    """Every difference of the rows of two sides, one finding for each kind and key range.

    Args:
        table: The table's name, for the findings.
        layers: Names of the expected side and of the other.
        ranges: How both sides are cut.
        expected: The side that is right, each key once.
        found: The side that is to be proved.

    """
    match = matched_keys(expected.keys, found.keys)
    return _bounded(list(_findings(table, layers, ranges, expected, found, match)))


def _findings(
    table: str, layers: tuple[str, str], ranges: KeyRanges, expected: TableSide, found: TableSide, match: KeyMatch
) -> Iterator[Finding]:
    expected_index, found_index = ranges.index_of(expected.keys), ranges.index_of(found.keys)
    differing = expected.digests[match.left] != found.digests[match.right]
    lost = _by_range(match.only_left, expected_index)
    ghosts = _by_range(match.only_right, found_index)
    wrong = _by_range(match.left[differing], expected_index)
    for place, number in enumerate(ranges.checked):
        numbers = expected.numbers[place], found.numbers[place]
        where = ranges.range_at(number)
        kinds = (
            (FindingKind.LOST, lost, expected.keys),
            (FindingKind.GHOST, ghosts, found.keys),
            (FindingKind.WRONG, wrong, expected.keys),
        )
        clean = True
        for kind, by_range, keys in kinds:
            rows = by_range.get(number)
            if rows is None:
                continue
            clean = False
            alone = number not in lost and number not in ghosts
            columns = _differing_columns(*numbers) if kind is FindingKind.WRONG and alone else ()
            yield Finding(
                **_finding(table, layers, kind, numbers),
                key_range=where,
                keys=_keys_at(keys, rows),
                key_count=len(rows),
                columns=columns,
            )
        if clean and _numbers_differ(*numbers):  # the exact sums stand over the digests
            yield Finding(
                **_finding(table, layers, FindingKind.WRONG, numbers),
                key_range=where,
                columns=_differing_columns(*numbers),
                message="the numbers of this range differ and every key's digest is equal",
            )


def _numbers_differ(expected: RangeNumbers, found: RangeNumbers) -> bool:
    return expected.rows != found.rows or expected.digest != found.digest or bool(_sum_differences(expected, found))


def _differing_columns(expected: RangeNumbers, found: RangeNumbers) -> tuple[str, ...]:
    return tuple(name for name, digest in expected.column_digests.items() if digest != found.column_digests.get(name))


def compared_quarantine(table: str, ranges: KeyRanges, mysql: TableSide, refused: pa.Table) -> list[Finding]:
    """Keys that MySQL's side refuses and quarantine lacks, and keys in quarantine that MySQL no longer refuses.

    Args:
        table: The table's name, for the findings.
        ranges: How the table is cut.
        mysql: MySQL's side after the contract's rules.
        refused: Keys in quarantine at the cut, within the checked ranges.

    """
    match = matched_keys(mysql.refused, refused)
    expected_index, found_index = ranges.index_of(mysql.refused), ranges.index_of(refused)
    findings = []
    for kind, rows, keys, index in (
        (FindingKind.LOST, match.only_left, mysql.refused, expected_index),
        (FindingKind.GHOST, match.only_right, refused, found_index),
    ):
        for number, some in _by_range(rows, index).items():
            findings.append(
                Finding(
                    kind=kind,
                    table=table,
                    expected_in="mysql",
                    found_in="quarantine",
                    key_range=ranges.range_at(number),
                    keys=_keys_at(keys, some),
                    key_count=len(some),
                    expected_rows=int((expected_index == number).sum()),
                    found_rows=int((found_index == number).sum()),
                )
            )
    return _bounded(findings)
