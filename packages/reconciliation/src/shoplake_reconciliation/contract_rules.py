"""What silver must hold for given rows of MySQL: the contract's rules over Arrow tables, independent of Spark."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from shoplake_core.cleaning import Rule
from shoplake_core.contracts import TableContract
from shoplake_core.errors import ContractError
from shoplake_core.masking import MaskingKey

from shoplake_reconciliation.arrow import Values, as_arrow
from shoplake_reconciliation.column_rules import cleaned_column
from shoplake_reconciliation.stored_types import stored_schema

__all__ = ["CleanedTable", "cleaned"]


@dataclass(frozen=True, slots=True)
class CleanedTable:
    """Every given row after the rules, in the given order.

    Attributes:
        rows: The contract's columns in silver's types, PII masked; refused rows too.
        reasons: Per row the list of `<rule>:<column>` that refuse it, in column order; empty for accepted rows.
        refused: Per row whether it belongs into quarantine.

    """

    rows: pa.Table
    reasons: Values
    refused: np.ndarray

    @property
    def accepted_rows(self) -> pa.Table:
        """The rows that silver holds."""
        return self.rows.filter(as_arrow(~self.refused))

    @property
    def refused_rows(self) -> pa.Table:
        """The rows that quarantine holds."""
        return self.rows.filter(as_arrow(self.refused))


def _reason_lists(violations: list[tuple[str, np.ndarray]], rows: int) -> Values:
    """One list a row, from each reason's mask."""
    if not violations:
        return _lists(np.zeros(rows + 1, np.int32), pa.array([], pa.string()))
    grid = np.stack([mask for _, mask in violations], axis=1)
    offsets = np.concatenate(([0], np.cumsum(grid.sum(axis=1)))).astype(np.int32)
    names = pa.array([name for name, _ in violations], pa.string())
    return _lists(offsets, names.take(as_arrow(np.nonzero(grid)[1])))


def _lists(offsets: np.ndarray, values: Values) -> Values:
    lists: Any = pa.ListArray
    made: Values = lists.from_arrays(as_arrow(offsets), values)
    return made


def cleaned(table: pa.Table | pa.RecordBatch, contract: TableContract, key: MaskingKey) -> CleanedTable:
    """The rows of MySQL (or bronze) after the contract's rules.

    Args:
        table: Rows with the source's column names (any case) and bronze's types; further columns are passed over.
        contract: A silver contract.
        key: The masking key.

    Raises:
        ContractError: A column is missing or its values cannot be carried into the contract's type exactly.

    """
    by_name = {name.lower(): index for index, name in enumerate(table.schema.names)}
    columns: list[Values] = []
    violations: list[tuple[str, np.ndarray]] = []
    for column in contract.columns:
        index = by_name.get(column.source_name.lower())
        if index is None:
            raise ContractError(
                f"table {contract.source_name} has no column {column.source_name}, which contract {contract.name} names",
                hint="take it out of the contract, or give its source_name",
                table=contract.name,
                column=column.name,
            )
        array: Any = table.column(index)
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
        result = cleaned_column(array, column, key)
        columns.append(result.values)
        order = list(Rule)
        for rule, mask in sorted(result.violations.items(), key=lambda item: order.index(item[0])):
            violations.append((f"{rule.value}:{column.name}", mask))
    refused = np.logical_or.reduce([np.zeros(table.num_rows, bool), *(mask for _, mask in violations)])
    rows = pa.Table.from_arrays(columns, schema=stored_schema(contract))
    return CleanedTable(rows, _reason_lists(violations, table.num_rows), refused)
