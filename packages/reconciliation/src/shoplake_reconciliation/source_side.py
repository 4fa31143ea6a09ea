"""MySQL's side at one cut: every selected table read in one consistent snapshot, the contract's rules applied.

What leaves here are keys, digests, counts and sums: on AWS this part runs inside the VPC, and no value of a person may
come out of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pymysql
from shoplake_core.contracts import TableContract
from shoplake_core.endpoints import MySqlEndpoint
from shoplake_core.errors import ContractError
from shoplake_core.masking import MaskingKey
from shoplake_mysql.connections import fetch_all, quote_name
from shoplake_mysql.rows import read_batches
from shoplake_mysql.server_facts import read_server_facts
from shoplake_mysql.snapshot import open_snapshot
from shoplake_mysql.tables import TableShape, read_table_shape

from shoplake_reconciliation.arrow import as_arrow
from shoplake_reconciliation.contract_rules import CleanedTable, cleaned
from shoplake_reconciliation.key_ranges import KeyRanges, RangeNumbers, TableSide, cuts_every, sortable, table_side
from shoplake_reconciliation.stored_types import stored_schema

__all__ = ["ALL_RANGES", "RangeShare", "SourceReading", "SourceTable", "read_source"]

RANGE_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class RangeShare:
    """Which share of the key ranges a run compares: all of them over `of` runs.

    Attributes:
        run_number: Counts the runs; consecutive runs take consecutive shares.
        of: In how many runs every range comes round; 1 for all ranges in each.

    """

    run_number: int = 0
    of: int = 1

    def checked(self, count: int) -> tuple[int, ...]:
        """Indexes of the ranges, of `count`, that this run compares."""
        return tuple(index for index in range(count) if index % self.of == self.run_number % self.of)


ALL_RANGES = RangeShare()


@dataclass(frozen=True, slots=True)
class SourceTable:
    """One table of MySQL at the cut.

    Attributes:
        ranges: How it is cut; every other side is cut alike.
        side: Its numbers after the contract's rules; `refused` are the keys that belong into quarantine.

    """

    ranges: KeyRanges
    side: TableSide

    @property
    def rows(self) -> int:
        """Rows of MySQL in the checked ranges, those that the rules refuse included."""
        return self.side.rows + self.side.refused.num_rows


@dataclass(frozen=True, slots=True)
class SourceReading:
    """All selected tables at one cut.

    Attributes:
        position: The cut in the binlog, `file:offset`.
        taken_at: The source's clock at the snapshot, UTC.
        lineage: The server whose binlog the position is in; "" where it has no name.
        tables: Silver name -> its numbers.

    """

    position: str
    taken_at: datetime
    lineage: str
    tables: Mapping[str, SourceTable]


def read_source(
    endpoint: MySqlEndpoint,
    contracts: Sequence[TableContract],
    *,
    schema: str,
    masking_key: MaskingKey,
    share: RangeShare = ALL_RANGES,
    range_rows: int = RANGE_ROWS,
) -> SourceReading:
    """The numbers of every contract's table, all in one consistent snapshot.

    Args:
        endpoint: MySQL, or a replica of it that writes the binlog that bronze is filled from.
        contracts: Silver contracts of the tables to read.
        schema: Their MySQL schema.
        masking_key: The masking key.
        share: Which ranges to read. Less than all needs a whole number as leading key column; other tables are read whole.
        range_rows: Aimed-at rows of a range.

    Raises:
        ContractError: A table or column does not match its contract.
        SourceError: MySQL holds what cannot be represented, or writes no binlog.

    """
    names = tuple((schema, contract.source_name) for contract in contracts)
    with open_snapshot(endpoint, tables=names) as snapshot:
        connection = snapshot.connection
        lineage = read_server_facts(connection).lineage
        tables = {}
        for contract in contracts:
            shape = read_table_shape(connection, schema, contract.source_name)
            _check_key(shape, contract)
            reader = _TableReader(connection, shape, contract, masking_key, range_rows)
            tables[contract.name] = reader.read(share)
        return SourceReading(str(snapshot.position), snapshot.started_at, lineage, tables)


def _check_key(shape: TableShape, contract: TableContract) -> None:
    found = {name.lower() for name in shape.primary_key}
    expected = {contract.column(name).source_name.lower() for name in contract.key}
    if found != expected:
        raise ContractError(
            f"the primary key of {shape.full_name} is ({', '.join(shape.primary_key)}) "
            f"and contract {contract.name} says ({', '.join(contract.key)})",
            hint=f"edit key in contracts/silver/{contract.name}.toml",
            table=contract.name,
        )


@dataclass(frozen=True, slots=True)
class _TableReader:
    connection: "pymysql.connections.Connection[Any]"
    shape: TableShape
    contract: TableContract
    masking_key: MaskingKey
    range_rows: int

    @property
    def _leading(self) -> str:
        return self.contract.key[0]

    def _leading_source_name(self) -> str:
        wanted = self.contract.column(self._leading).source_name.lower()
        return next(column.name for column in self.shape.columns if column.name.lower() == wanted)

    def read(self, share: RangeShare) -> SourceTable:
        """The table's numbers; range by range where its order allows it, so that a large one never lies in memory."""
        leading = self._leading_source_name()
        counted = pa.types.is_integer(self.shape.column(leading).arrow_type)
        if not counted:
            return self._read_whole()
        if share.of > 1:
            return self._read_share(leading, share)
        in_order = bool(self.shape.primary_key) and self.shape.primary_key[0] == leading
        return self._read_in_order() if in_order else self._read_whole()

    def _cleaned(self, where: str = "") -> Iterator[CleanedTable]:
        for batch in read_batches(self.connection, self.shape, where=where):
            yield cleaned(batch, self.contract, self.masking_key)

    def _read_whole(self) -> SourceTable:
        """For keys whose order in MySQL is not ours: texts in a collation, keys declared in another order."""
        parts = list(self._cleaned())
        rows, refused = _joined(parts, self.contract)
        leading = np.sort(sortable(rows[self._leading]))
        cuts = cuts_every(leading, self.range_rows)
        ranges = KeyRanges(self._leading, cuts, tuple(range(len(cuts) + 1)))
        return SourceTable(ranges, self._side(rows, refused, ranges))

    def _side(self, rows: pa.Table, refused: np.ndarray, ranges: KeyRanges) -> TableSide:
        return table_side(
            rows.filter(as_arrow(~refused)),
            rows.filter(as_arrow(refused)).select(list(self.contract.key)),
            self.contract.key,
            ranges,
        )

    def _read_in_order(self) -> SourceTable:
        """All ranges, each made as its rows arrive in the key's order."""
        sides: list[TableSide] = []
        cuts: list[Any] = []
        pending: list[CleanedTable] = []
        waiting = 0
        for part in self._cleaned():
            pending.append(part)
            waiting += part.rows.num_rows
            if waiting <= self.range_rows:
                continue
            rows, refused = _joined(pending, self.contract)
            values = sortable(rows[self._leading])
            places = [0, *np.searchsorted(values, np.array(cuts_every(values, self.range_rows), values.dtype)).tolist()]
            for begin, end in pairwise(places):
                sides.append(self._one_range(rows.slice(begin, end - begin), refused[begin:end]))
                cuts.append(values[end].item())
            rest = rows.slice(places[-1])
            pending, waiting = [CleanedTable(rest, part.reasons, refused[places[-1] :])], rest.num_rows
        rows, refused = _joined(pending, self.contract)
        sides.append(self._one_range(rows, refused))
        ranges = KeyRanges(self._leading, tuple(cuts), tuple(range(len(cuts) + 1)))
        return SourceTable(ranges, _joined_sides(sides))

    def _one_range(self, rows: pa.Table, refused: np.ndarray) -> TableSide:
        return self._side(rows, refused, KeyRanges(self._leading, (), (0,)))

    def _read_share(self, leading: str, share: RangeShare) -> SourceTable:
        """The share's ranges alone, cut evenly between the smallest and largest key: nothing else is read."""
        table, name = quote_name(self.shape.schema, self.shape.name), quote_name(leading)
        low, high = fetch_all(self.connection, f"SELECT MIN({name}), MAX({name}) FROM {table}")[0]
        if low is None:
            return self._read_in_order()
        estimate = fetch_all(
            self.connection,
            "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
            (self.shape.schema, self.shape.name),
        )[0][0]
        count = max(share.of, int(estimate or 0) // self.range_rows)
        width = max(1, -(-(high - low + 1) // count))
        cuts = tuple(range(low + width, high + 1, width))
        ranges = KeyRanges(self._leading, cuts, share.checked(len(cuts) + 1))
        sides = []
        for index in ranges.checked:
            bounds = ranges.range_at(index)
            conditions = [f"{name} >= {bounds.first}"] if bounds.first is not None else []
            conditions += [f"{name} < {bounds.before}"] if bounds.before is not None else []
            rows, refused = _joined(list(self._cleaned(" AND ".join(conditions))), self.contract)
            sides.append(self._one_range(rows, refused))
        return SourceTable(ranges, _joined_sides(sides) if sides else self._one_range(*_joined([], self.contract)))


def _joined(parts: Sequence[CleanedTable], contract: TableContract) -> tuple[pa.Table, np.ndarray]:
    """The rows of several batches, and which of them are refused."""
    rows = pa.concat_tables([stored_schema(contract).empty_table(), *(part.rows for part in parts)])
    return rows, np.concatenate([np.zeros(0, bool), *(part.refused for part in parts)])


def _joined_sides(sides: Sequence[TableSide]) -> TableSide:
    """One side of several ranges that follow each other."""
    numbers: list[RangeNumbers] = [numbers for side in sides for numbers in side.numbers]
    return TableSide(
        pa.concat_tables([side.keys for side in sides]),
        np.concatenate([side.digests for side in sides]),
        tuple(numbers),
        pa.concat_tables([side.refused for side in sides]),
    )
