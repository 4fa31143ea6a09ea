"""Rows of silver, gold and the warehouse brought to one grain, so that they can be compared key by key. Pure.

A gold table that holds the source's whole key is compared at it. Otherwise rows are compared by the column that both
hold (a parent's key): count and sums of each of its values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from shoplake_core.contracts import Reconciles, TableContract
from shoplake_core.errors import ContractError

from shoplake_reconciliation.arrow import as_arrow, pc
from shoplake_reconciliation.comparison import compared
from shoplake_reconciliation.digests import exact_sums
from shoplake_reconciliation.findings import Finding, FindingKind
from shoplake_reconciliation.key_ranges import KeyRange, KeyRanges, TableSide, cuts_every, sortable, table_side
from shoplake_reconciliation.stored_types import stored_arrow_type

__all__ = [
    "ROWS",
    "WEIGHT_MODULUS",
    "WEIGHT_STEP",
    "Grain",
    "compared_groups",
    "grain_of",
    "group_ranges",
    "group_side",
    "grouped",
    "side_rows",
    "side_sums",
    "weight_columns",
    "weighted_sums",
]

ROWS = "_rows"
_MOST_RANGES = 200  # a range is one branch of a CASE in the warehouse's SQL
_RANGE_GROUPS = 2_000
_WIDEST = 38
WEIGHT_MODULUS = 997
WEIGHT_STEP = 31


@dataclass(frozen=True, slots=True)
class Grain:
    """At which columns, and over which sums, a gold table is compared with its source.

    Attributes:
        columns: Columns of this name in both; () where the whole tables are compared.
        sums: Column of the source -> column of gold.
        schema: Arrow schema of the groups: the columns, ROWS, and the sums by the source's names.

    """

    columns: tuple[str, ...]
    sums: Mapping[str, str]
    schema: pa.Schema


def grain_of(source: TableContract, gold: TableContract, reconciles: Reconciles) -> Grain:
    """The finest grain that both tables can be brought to.

    Raises:
        ContractError: A column that `reconciles` names is missing or has no exact sum.

    """
    held = set(gold.column_names)
    columns: tuple[str, ...] = source.key if set(source.key) <= held else ()
    if not columns:
        columns = tuple(name for name in reconciles.parents if name in held)[:1]
    fields = [pa.field(name, stored_arrow_type(source.column(name).stored_type)) for name in columns]
    fields.append(pa.field(ROWS, pa.int64()))
    for mine, theirs in reconciles.sums.items():
        scales = []
        for contract, name in ((source, mine), (gold, theirs)):
            if name not in contract.column_names or not _has_exact_sum(contract, name):
                raise ContractError(
                    f"contracts/gold/{gold.name}.toml: reconciles {source.name}: {contract.name}.{name} "
                    "is no column of whole numbers or decimals",
                    hint="name columns whose sums are exact",
                    table=gold.name,
                    column=name,
                )
            scales.append(contract.column(name).type.scale)
        fields.append(pa.field(mine, pa.decimal128(_WIDEST, max(scales))))
    return Grain(columns, reconciles.sums, pa.schema(fields))


def _has_exact_sum(contract: TableContract, name: str) -> bool:
    kind = stored_arrow_type(contract.column(name).stored_type)
    return pa.types.is_integer(kind) or pa.types.is_decimal(kind)


def grouped(rows: pa.Table, grain: Grain, sums: Mapping[str, str]) -> pa.Table:
    """One row a group: the grain's columns, how many rows it has, and the sums.

    Args:
        rows: Holds the grain's columns and the columns to be summed.
        grain: The grain.
        sums: Name of a sum in the result -> column of `rows`.

    """
    columns: dict[str, Any] = {name: rows[name] for name in grain.columns}
    columns[ROWS] = pa.chunked_array([pa.repeat(pa.scalar(1, pa.int64()), rows.num_rows)])
    for name, column in sums.items():
        kind = grain.schema.field(name).type
        values = rows[column]
        if pa.types.is_integer(values.type):
            values = pc.cast(values, pa.decimal128(19, 0))
        columns[name] = pc.fill_null(pc.cast(values, kind), pa.scalar(Decimal(0), kind))
    table = pa.table(columns)
    if not rows.num_rows:
        return grain.schema.empty_table()
    names = [ROWS, *sums]
    result = table.group_by(list(grain.columns)).aggregate([(name, "sum") for name in names])
    result = result.select([*grain.columns, *(f"{name}_sum" for name in names)])
    return result.rename_columns([*grain.columns, *names]).cast(grain.schema)


def group_ranges(groups: pa.Table, grain: Grain) -> KeyRanges:
    """Ranges of the grain's first column, made from the expected side's groups; one for all where it is no number."""
    if not grain.columns:
        return KeyRanges("", (), (0,))
    leading = grain.columns[0]
    cuts: tuple[int, ...] = ()
    if _is_whole(groups.schema.field(leading).type):
        size = max(_RANGE_GROUPS, -(-groups.num_rows // _MOST_RANGES))
        cuts = cuts_every(np.sort(sortable(groups[leading])), size)
    return KeyRanges(leading, cuts, tuple(range(len(cuts) + 1)))


def _is_whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0))


def group_side(groups: pa.Table, grain: Grain, ranges: KeyRanges) -> TableSide:
    """The groups as a side that `compared` takes."""
    key = grain.columns
    if not key:  # one group in all: it gets a key that every side shares
        key = ("",)
        groups = groups.add_column(0, "", pa.array([0] * groups.num_rows, pa.int64()))
    return table_side(groups, groups.slice(0, 0).select(list(key)), key, ranges)


def weight_columns(grain: Grain) -> tuple[str, ...]:
    """The columns of the grain that a row's weight is made of: whole numbers."""
    return tuple(name for name in grain.columns if _is_whole(grain.schema.field(name).type))


def weighted_sums(groups: pa.Table, grain: Grain, ranges: KeyRanges) -> list[dict[str, Decimal]]:
    """Per range, each sum again with every group weighted by its key: amounts that stand at the wrong keys show.

    The weight is 1 + (c1 * 31 + c2) mod 997 for key columns c1, c2: the warehouse works out the same in SQL.
    """
    index = ranges.index_of(groups) if grain.columns else np.zeros(groups.num_rows, np.int64)
    order = np.argsort(index, kind="stable")
    groups, index = groups.take(as_arrow(order)), index[order]
    weights = np.zeros(groups.num_rows, np.int64)
    for name in weight_columns(grain):
        values = sortable(groups[name])
        weights = (
            weights * WEIGHT_STEP + (values % values.dtype.type(WEIGHT_MODULUS)).astype(np.int64)
        ) % WEIGHT_MODULUS
    starts = np.searchsorted(index, np.arange(ranges.count), side="left")
    sums = {name: exact_sums(groups[name], starts, weights + 1) for name in grain.sums}
    return [{name: values[place] for name, values in sums.items()} for place in range(ranges.count)]


def side_rows(side: TableSide) -> int:
    """How many rows the groups stand for."""
    return int(side.sums.get(ROWS, 0))


def side_sums(side: TableSide) -> dict[str, Decimal]:
    """The sums over all groups."""
    return {name: value for name, value in side.sums.items() if name != ROWS}


def compared_groups(
    table: str,
    layers: tuple[str, str],
    grain: Grain,
    ranges: KeyRanges,
    sides: tuple[TableSide, TableSide],
) -> list[Finding]:
    """The differences of two sides, with rows counted instead of groups.

    Args:
        table: The source table's name.
        layers: Names of the expected layer and the other.
        grain: The grain of both sides.
        ranges: How both are cut.
        sides: The expected side and the other.

    """
    expected, found = sides
    places = {ranges.range_at(number): place for place, number in enumerate(ranges.checked)}
    return [
        _by_rows(finding, grain, places, expected, found)
        for finding in compared(table, layers, ranges, expected, found)
    ]


def _by_rows(
    finding: Finding, grain: Grain, places: Mapping[KeyRange, int], expected: TableSide, found: TableSide
) -> Finding:
    if finding.key_range is None or finding.key_range not in places:
        return finding
    place = places[finding.key_range]
    mine, theirs = (int(side.numbers[place].sums[ROWS]) for side in (expected, found))
    kind = finding.kind
    if kind is FindingKind.WRONG and mine != theirs:
        kind = FindingKind.LOST if theirs < mine else FindingKind.GHOST
    return replace(
        finding,
        kind=kind,
        key_range=finding.key_range if grain.columns else None,
        keys=finding.keys if grain.columns else (),
        key_count=finding.key_count if grain.columns else 0,
        expected_rows=mine,
        found_rows=theirs,
        sums=tuple(difference for difference in finding.sums if difference.column != ROWS),
        columns=_gold_names(finding.columns, grain),
    )


def _gold_names(columns: Sequence[str], grain: Grain) -> tuple[str, ...]:
    return tuple(grain.sums.get(name, name) for name in columns if name != ROWS)
