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
from shoplake_reconciliation.groups import ROWS, Grain
from shoplake_reconciliation.key_ranges import KeyRange, KeyRanges

__all__ = ["MOST_GROUPS", "Query", "WarehouseTable", "loaded_batch"]

Query = Callable[[str], tuple[Sequence[str], Sequence[Sequence[Any]]]]
MOST_GROUPS = 50_000  # groups fetched of one range that differs


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

    def _numbers(self) -> str:
        return ", ".join(["COUNT(*)", *(f"SUM({_quoted(column)})" for column in self.grain.sums.values())])

    def range_numbers(self, ranges: KeyRanges) -> Mapping[int, Mapping[str, Decimal]]:
        """Range -> ROWS and sums (by the source's names); ranges without rows are absent."""
        bucket = "0"
        if ranges.cuts:
            column = _quoted(ranges.column)
            branches = " ".join(f"WHEN {column} < {int(cut)} THEN {number}" for number, cut in enumerate(ranges.cuts))
            bucket = f"CASE {branches} ELSE {len(ranges.cuts)} END"
        source = f"SELECT {bucket} AS bucket, t.* FROM gold.{_quoted(self.contract.name)} t{self._condition()}"
        _, rows = self.query(f"SELECT bucket, {self._numbers()} FROM ({source}) b GROUP BY bucket")
        names = [ROWS, *self.grain.sums]
        return {int(row[0]): dict(zip(names, map(_number, row[1:]), strict=True)) for row in rows}

    def groups(self, bounds: KeyRange) -> pa.Table | None:
        """The groups of one range at the grain; None where there are more than MOST_GROUPS."""
        columns = ", ".join(map(_quoted, self.grain.columns))
        table = f"gold.{_quoted(self.contract.name)}"
        sql = f"SELECT {columns}, {self._numbers()} FROM {table}{self._condition(bounds)} GROUP BY {columns}"
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
