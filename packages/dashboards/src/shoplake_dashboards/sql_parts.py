"""Parts of the SELECTs that `sql` makes: names, types, conditions and sums of one dataset, with what they bind.

Names come from the checked tree and are quoted; every value is a parameter, as `:name` (the Data API's form) inside a cast
to its type, because the Data API binds texts only. So nothing of a URL or of data is ever part of the SQL.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shoplake_core.contracts import TableContract
from shoplake_core.identifiers import checked_identifier
from shoplake_core.logical_types import Kind, LogicalType

from shoplake_dashboards.page_state import PageState
from shoplake_dashboards.periods import Period
from shoplake_dashboards.rollups import MonthSplit, adds_up_by_month, split_by_month
from shoplake_dashboards.tree import (
    Aggregate,
    Aggregation,
    Condition,
    Dataset,
    Dimension,
    Granularity,
    Measure,
    Operator,
    RollUp,
    Scalar,
)

__all__ = ["OPERATIONAL", "Builder", "Contracts", "Query", "column_type", "dataset_columns", "qualified", "quoted"]

Contracts = Mapping[str, TableContract]
OPERATIONAL = ("loads", "runs", "run_tables", "run_checks")  # in the schema `shoplake`; every other table is a gold one
# How parts of a sum become the whole
_ADDED = {Aggregation.SUM: "sum", Aggregation.COUNT: "sum", Aggregation.MIN: "min", Aggregation.MAX: "max"}
_CASTS = {Kind.DATE: "date", Kind.DATETIME: "timestamp", Kind.TIMESTAMP: "timestamp", Kind.BOOLEAN: "boolean"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One SELECT.

    Attributes:
        tile: Visual id, dataset name or filter column: whose rows it reads.
        role: "main", "prior", "trend", "size", "freshness", "options", or "shared" for several visuals' numbers.
        sql: Text with `:name` for each parameter.
        parameters: Name -> value, as text.

    """

    tile: str
    role: str
    sql: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def column_type(dataset: Dataset, column: str, contracts: Contracts) -> LogicalType:
    """The stored type of a dataset's column (KeyError if it has none of that name)."""
    for join in dataset.joins:
        if column in join.columns:
            return contracts[join.table].column(column).stored_type
    return contracts[dataset.table].column(column).stored_type


def dataset_columns(dataset: Dataset, contracts: Contracts) -> tuple[str, ...]:
    """Names of all columns a visual of the dataset may use."""
    own = contracts[dataset.table].column_names if dataset.table in contracts else ()
    return (*own, *(column for join in dataset.joins for column in join.columns))


def quoted(name: str) -> str:
    """The identifier in double quotes, after `checked_identifier`."""
    return f'"{checked_identifier(name, "dashboard column")}"'


def qualified(table: str) -> str:
    """`gold."table"`, or `shoplake."table"` for the records of runs."""
    return f"{'shoplake' if table in OPERATIONAL else 'gold'}.{quoted(table)}"


class Builder:
    """SQL fragments of one dataset, and the parameters they bind."""

    def __init__(self, dataset: Dataset, contracts: Contracts) -> None:
        self.dataset = dataset
        self.contracts = contracts
        self.parameters: dict[str, str] = {}
        self._months: MonthSplit | None = None
        self._chosen: frozenset[str] = frozenset()
        self._sums: dict[str, str] | None = None

    def roll_up(
        self, state: PageState, spans: Sequence[Period], *, measures: Iterable[Measure], dimensions: Iterable[Dimension]
    ) -> None:
        """Read whole months of those spans from the roll-up, where the dataset has one and the sums are the same."""
        roll_up, dimensions, measures = self.dataset.roll_up, tuple(dimensions), tuple(measures)
        if roll_up is None or roll_up.table not in self.contracts:
            return
        available = dataset_columns(self.dataset, self.contracts)
        tested = {c.column for c in self.dataset.where} | {name for name in state.selected if name in available}
        columns = self._rolled_columns(roll_up)
        if adds_up_by_month(self.dataset, columns, measures=measures, dimensions=dimensions, tested=tested):
            self._months = split_by_month(spans)
            parts = [part for m in measures for part in (m.value, m.per) if part is not None]
            conditions = {condition.column for part in parts for condition in part.where}
            self._chosen = frozenset({*tested, *conditions, *(dimension.column for dimension in dimensions)})

    def _rolled_columns(self, roll_up: RollUp) -> tuple[str, ...]:
        """Columns that the table and its roll-up both have."""
        rolled = {*self.contracts[roll_up.table].column_names} - {self.dataset.date}
        return tuple(name for name in self.contracts[self.dataset.table].column_names if name in rolled)

    def _rows(self) -> str:
        """What `t` is: the table, or the days at the edges of its whole months with those months."""
        roll_up, months = self.dataset.roll_up, self._months
        if roll_up is None or months is None:
            return qualified(self.dataset.table)
        names = [quoted(name) for name in self._rolled_columns(roll_up)]
        day, month = quoted(self.dataset.date), quoted(roll_up.date)

        def within(column: str, spans: Sequence[Period]) -> str:
            dates = ((self.bind(str(span.first), "date"), self.bind(str(span.end), "date")) for span in spans)
            return " OR ".join(f"({column} >= {first} AND {column} < {end})" for first, end in dates)

        tests = [f"({within(month, months.months)})"]
        for column in roll_up.totals:
            # Where nobody asks for a column's values, its total is one row instead of many.
            total = self.bind("*", "varchar(1)")
            tests.append(f"{quoted(column)} {'<>' if column in self._chosen else '='} {total}")
        selects = [
            f"SELECT {', '.join([f'{month} AS {day}', *names])} FROM {qualified(roll_up.table)} WHERE {' AND '.join(tests)}"
        ]
        if months.days:
            columns = ", ".join([day, *names])
            days = within(day, months.days)
            selects.insert(0, f"SELECT {columns} FROM {qualified(self.dataset.table)} WHERE {days}")
        return f"({' UNION ALL '.join(selects)})"

    def bind(self, value: Scalar, type_name: str) -> str:
        """The value as a parameter, cast to that type."""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        name = f"p{len(self.parameters)}"
        self.parameters[name] = text
        return f"CAST(:{name} AS {type_name})"

    def column(self, name: str) -> str:
        """The column with its table's alias."""
        for number, join in enumerate(self.dataset.joins):
            if name in join.columns:
                return f"j{number}.{quoted(name)}"
        return f"t.{quoted(name)}"

    def cast(self, column: str) -> str:
        """The type that values are cast to before they meet the column."""
        kind = column_type(self.dataset, column, self.contracts)
        return _CASTS.get(kind.kind, "bigint" if kind.is_numeric else "varchar(65535)")

    def condition(self, condition: Condition) -> str:
        """The test that a row must pass."""
        column = self.column(condition.column)
        values = [self.bind(value, self.cast(condition.column)) for value in condition.values]
        if condition.operator in {Operator.AT_LEAST, Operator.AT_MOST}:
            return f"{column} {'>=' if condition.operator is Operator.AT_LEAST else '<='} {values[0]}"
        return f"{column} {'NOT IN' if condition.operator is Operator.NOT_IN else 'IN'} ({', '.join(values)})"

    def sum_before_joining(self, measures: Iterable[Measure], dimensions: Iterable[Dimension]) -> None:
        """Add up by the keys of what is joined first, where that gives the same: names are joined to sums, not to rows."""
        joined = {column for join in self.dataset.joins for column in join.columns}
        parts = [part for m in measures for part in (m.value, m.per) if part is not None]
        own = all({part.column, *(c.column for c in part.where)}.isdisjoint(joined) for part in parts)
        if own and all(part.aggregation in _ADDED for part in parts) and {d.column for d in dimensions} & joined:
            self._sums = {}

    def count(self) -> str:
        """How many rows there are."""
        return "count(*)" if self._sums is None else "sum(t.n)"

    def from_where(self, tests: Sequence[str], dimensions: Iterable[Dimension] = ()) -> str:
        """FROM and WHERE of the rows that pass the tests, which this builder made."""
        if self._sums is None:
            return f"FROM {self.source()}" + (f"\nWHERE {' AND '.join(tests)}" if tests else "")
        joined = {column for join in self.dataset.joins for column in join.columns}
        keys = [quoted(key) for join in self.dataset.joins for key in join.on]
        keys += [quoted(dimension.column) for dimension in dimensions if dimension.column not in joined]
        keys = list(dict.fromkeys(keys))
        inside = [test for test in tests if test.startswith("t.")]
        outside = [test for test in tests if not test.startswith("t.")]
        columns = [*(f"t.{key}" for key in keys), *(f"{sql} AS {name}" for sql, name in self._sums.items())]
        where = f" WHERE {' AND '.join(inside)}" if inside else ""
        numbers = ", ".join(str(i + 1) for i in range(len(keys)))
        rows = f"(SELECT {', '.join(columns)}, count(*) AS n FROM {self._rows()} AS t{where} GROUP BY {numbers})"
        return f"FROM {self.source(rows)}" + (f"\nWHERE {' AND '.join(outside)}" if outside else "")

    def source(self, rows: str = "") -> str:
        """What stands after FROM: `t`, and `j0`, `j1` ... for what is joined."""
        joined = [f"{rows or self._rows()} AS t"]
        for number, join in enumerate(self.dataset.joins):
            keys = " AND ".join(f"j{number}.{quoted(key)} = t.{quoted(key)}" for key in join.on)
            joined.append(f"LEFT JOIN {qualified(join.table)} AS j{number} ON {keys}")
        return "\n".join(joined)

    def within(self, period: Period) -> str:
        """The test that a row is of that period."""
        column = self.column(self.dataset.date)
        return f"{column} >= {self.bind(str(period.first), 'date')} AND {column} < {self.bind(str(period.end), 'date')}"

    def tests(self, state: PageState, period: Period | None) -> list[str]:
        """What a row must meet: the dataset's own conditions, the period, the reader's filters."""
        found = [self.condition(condition) for condition in self.dataset.where]
        if self.dataset.date and period is not None:
            found.append(self.within(period))
        available = dataset_columns(self.dataset, self.contracts)
        for column, values in state.selected.items():
            if column in available:
                found.append(self.condition(Condition(column, Operator.IN, values)))
        return found

    def dimension(self, dimension: Dimension) -> str:
        """What is grouped by."""
        column = self.column(dimension.column)
        if dimension.granularity is None:
            return column
        if dimension.granularity is Granularity.DAY:
            return f"CAST({column} AS date)"
        return f"CAST(date_trunc('{dimension.granularity.value}', {column}) AS date)"

    def measure(self, measure: Measure, within: str = "") -> str:
        """The number; of the rows alone that pass `within`."""
        value = self.aggregate(measure.value, within)
        if measure.per is None:
            return value
        per = self.aggregate(measure.per, within)
        return f"CAST({value} AS double precision) / NULLIF(CAST({per} AS double precision), 0)"

    def aggregate(self, aggregate: Aggregate, within: str) -> str:
        """One aggregate of the rows that pass `within` and the aggregate's own conditions."""
        expression = self.column(aggregate.column)
        if aggregate.where:
            tests = " AND ".join(self.condition(condition) for condition in aggregate.where)
            # Rows that do not meet the condition add nothing; "no rows at all" stays null, which is another thing.
            otherwise = " ELSE 0" if aggregate.aggregation is Aggregation.SUM else ""
            expression = f"CASE WHEN {tests} THEN {expression}{otherwise} END"
        if within:
            expression = f"CASE WHEN {within} THEN {expression} END"
        if aggregate.aggregation is Aggregation.DISTINCT_COUNT:
            return f"count(DISTINCT {expression})"
        if aggregate.aggregation is Aggregation.AVERAGE:
            return f"avg(CAST({expression} AS double precision))"  # Redshift's mean of integers is an integer
        result = f"{aggregate.aggregation.value}({expression})"
        if self._sums is None:
            return result
        name = self._sums.setdefault(result, f"a{len(self._sums)}")
        return f"{_ADDED[aggregate.aggregation]}(t.{name})"
