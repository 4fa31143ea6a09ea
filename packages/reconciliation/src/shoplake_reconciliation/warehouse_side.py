"""The warehouse's side: counts and sums asked of the warehouse itself, in Redshift's SQL, never what a job says it wrote.

Ranges are compared first, in one query; the keys of a range that differs are fetched then.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
from shoplake_core.contracts import Reconciles, TableContract
from shoplake_core.identifiers import checked_identifier
from shoplake_core.logical_types import Kind

from shoplake_reconciliation.arrow import Values
from shoplake_reconciliation.groups import ROWS, WEIGHT_MODULUS, WEIGHT_STEP, Grain, weight_columns
from shoplake_reconciliation.key_ranges import KeyRange, KeyRanges

__all__ = ["MOST_GROUPS", "Query", "WarehouseRange", "WarehouseTable", "loaded_batch"]

Query = Callable[[str], tuple[Sequence[str], Sequence[Sequence[Any]]]]
MOST_GROUPS = 50_000  # groups fetched of one range that differs
_MOST_WEIGHTED_DIGITS = 18  # a product has the digits of both factors, and Redshift counts 19 for a BIGINT


def _quoted(name: str) -> str:
    return f'"{checked_identifier(name, "warehouse name")}"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def loaded_batch(query: Query, table: str) -> int | None:
    """The newest batch that the warehouse has loaded of a gold table; None for none."""
    _, rows = query(f"SELECT MAX(batch) FROM shoplake.loads WHERE table_name = {_text(table)}")
    value = rows[0][0] if rows else None
    return None if value is None else int(value)


def _number(value: Any) -> Decimal:
    return Decimal(0) if value is None else Decimal(str(value))


@dataclass(frozen=True, slots=True)
class WarehouseRange:
    """The warehouse's numbers of one range.

    Attributes:
        sums: ROWS and the sums, by the source's names.
        weighted: The sums weighted by key (`groups.weighted_sums`), where they fit.

    """

    sums: Mapping[str, Decimal]
    weighted: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class WarehouseTable:
    """One table of the warehouse's schema `gold`, at the grain of a source table."""

    query: Query
    contract: TableContract
    reconciles: Reconciles
    grain: Grain

    def _condition(self, bounds: KeyRange | None = None) -> str:
        parts = []
        for name, value in self.reconciles.where.items():
            kind = self.contract.column(name).type
            literal = str(value) if kind.is_numeric or kind.kind is Kind.BOOLEAN else _text(str(value))
            parts.append(f"{_quoted(name)} = {literal}")
        if bounds is not None and bounds.first is not None:
            parts.append(f"{_quoted(bounds.column)} >= {int(bounds.first)}")
        if bounds is not None and bounds.before is not None:
            parts.append(f"{_quoted(bounds.column)} < {int(bounds.before)}")
        return f" WHERE {' AND '.join(parts)}" if parts else ""

    def _numbers(self) -> list[str]:
        return ["COUNT(*)", *(f"SUM({_quoted(column)})" for column in self.grain.sums.values())]

    @property
    def weighted(self) -> tuple[str, ...]:
        """The sums (by the source's names) that can be weighted without outgrowing 38 digits or a BIGINT."""
        if not weight_columns(self.grain):
            return ()
        kinds = {mine: self.contract.column(theirs).type for mine, theirs in self.grain.sums.items()}
        return tuple(
            name
            for name, kind in kinds.items()
            if kind.kind not in {Kind.INT64, Kind.UINT64} and kind.precision <= _MOST_WEIGHTED_DIGITS
        )

    def _weighted(self) -> list[str]:
        weight = "0"
        for name in weight_columns(self.grain):
            part = f"MOD({_quoted(name)}, {WEIGHT_MODULUS})"
            weight = part if weight == "0" else f"MOD({weight} * {WEIGHT_STEP} + {part}, {WEIGHT_MODULUS})"
        weight = f"CAST({weight} + 1 AS BIGINT)"
        return [f"SUM({_quoted(self.grain.sums[name])} * {weight})" for name in self.weighted]

    def range_numbers(self, ranges: KeyRanges) -> Mapping[int, "WarehouseRange"]:
        """Range -> its numbers; ranges without rows are absent."""
        bucket = "0"
        if ranges.cuts:
            column = _quoted(ranges.column)
            branches = " ".join(f"WHEN {column} < {int(cut)} THEN {number}" for number, cut in enumerate(ranges.cuts))
            bucket = f"CASE {branches} ELSE {len(ranges.cuts)} END"
        source = f"SELECT {bucket} AS bucket, t.* FROM gold.{_quoted(self.contract.name)} t{self._condition()}"
        numbers = ", ".join([*self._numbers(), *self._weighted()])
        _, rows = self.query(f"SELECT bucket, {numbers} FROM ({source}) b GROUP BY bucket")
        names = [ROWS, *self.grain.sums]
        return {
            int(row[0]): WarehouseRange(
                dict(zip(names, map(_number, row[1 : 1 + len(names)]), strict=True)),
                dict(zip(self.weighted, map(_number, row[1 + len(names) :]), strict=True)),
            )
            for row in rows
        }

    def groups(self, bounds: KeyRange) -> pa.Table | None:
        """The groups of one range at the grain; None where there are more than MOST_GROUPS."""
        columns = ", ".join(map(_quoted, self.grain.columns))
        table = f"gold.{_quoted(self.contract.name)}"
        sql = f"SELECT {columns}, {', '.join(self._numbers())} FROM {table}{self._condition(bounds)} GROUP BY {columns}"
        _, rows = self.query(f"{sql} LIMIT {MOST_GROUPS + 1}")
        if len(rows) > MOST_GROUPS:
            return None
        schema = self.grain.schema
        arrays = [_column([row[place] for row in rows], field.type) for place, field in enumerate(schema)]
        return pa.Table.from_arrays(arrays, schema=schema)


def _column(values: list[Any], kind: pa.DataType) -> Values:
    if pa.types.is_decimal(kind):
        return pa.array([_number(value) for value in values], kind)
    if pa.types.is_integer(kind):
        return pa.array([int(_number(value)) for value in values], kind)
    if pa.types.is_string(kind):
        return pa.array([None if value is None else str(value) for value in values], kind)
    return pa.array(values, pa.string()).cast(kind)
