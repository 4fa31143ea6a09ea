"""The one query builder: a visual and a page state to SQL with bound parameters, in what PostgreSQL and Redshift both read.

Names come from the checked tree and are quoted; every value is a parameter, as `:name` (the Data API's form) inside a cast
to its type, because the Data API binds texts only. So nothing of a URL or of data is ever part of the SQL.

The result's columns are `d0..` for dimensions, `v0..` for measures, `p0..` for measures of the period before, `n` for rows;
where one statement reads both periods, `s` is 1 for the period and 0 for the one before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from shoplake_core.contracts import TableContract
from shoplake_core.identifiers import checked_identifier
from shoplake_core.logical_types import Kind, LogicalType

from shoplake_dashboards.page_state import PageState
from shoplake_dashboards.periods import Period, prior_period
from shoplake_dashboards.tree import (
    Aggregate,
    Aggregation,
    Bar,
    Condition,
    Dashboard,
    Dataset,
    Dimension,
    Donut,
    Granularity,
    HeatMap,
    Kpi,
    Line,
    Measure,
    Operator,
    Scalar,
    Table,
    Visual,
    dimensions_of,
    measures_of,
)

__all__ = [
    "MOST_ROWS",
    "Contracts",
    "Query",
    "base_query",
    "column_type",
    "dataset_columns",
    "dimensions_at",
    "freshness_queries",
    "option_queries",
    "qualified",
    "queries",
    "quoted",
    "span_query",
    "visual_queries",
]

Contracts = Mapping[str, TableContract]
MOST_ROWS = 5000  # of any tile: more is no picture
OPERATIONAL = ("loads", "runs", "run_tables", "run_checks")  # in the schema `shoplake`; every other table is a gold one
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


class _Builder:
    """SQL fragments of one dataset, and the parameters they bind."""

    def __init__(self, dataset: Dataset, contracts: Contracts) -> None:
        self.dataset = dataset
        self.contracts = contracts
        self.parameters: dict[str, str] = {}

    def bind(self, value: Scalar, type_name: str) -> str:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        name = f"p{len(self.parameters)}"
        self.parameters[name] = text
        return f"CAST(:{name} AS {type_name})"

    def column(self, name: str) -> str:
        for number, join in enumerate(self.dataset.joins):
            if name in join.columns:
                return f"j{number}.{quoted(name)}"
        return f"t.{quoted(name)}"

    def cast(self, column: str) -> str:
        kind = column_type(self.dataset, column, self.contracts)
        return _CASTS.get(kind.kind, "bigint" if kind.is_numeric else "varchar(65535)")

    def condition(self, condition: Condition) -> str:
        column = self.column(condition.column)
        values = [self.bind(value, self.cast(condition.column)) for value in condition.values]
        if condition.operator in {Operator.AT_LEAST, Operator.AT_MOST}:
            return f"{column} {'>=' if condition.operator is Operator.AT_LEAST else '<='} {values[0]}"
        return f"{column} {'NOT IN' if condition.operator is Operator.NOT_IN else 'IN'} ({', '.join(values)})"

    def source(self) -> str:
        joined = [f"{qualified(self.dataset.table)} AS t"]
        for number, join in enumerate(self.dataset.joins):
            keys = " AND ".join(f"j{number}.{quoted(key)} = t.{quoted(key)}" for key in join.on)
            joined.append(f"LEFT JOIN {qualified(join.table)} AS j{number} ON {keys}")
        return "\n".join(joined)

    def within(self, period: Period) -> str:
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
        column = self.column(dimension.column)
        if dimension.granularity is None:
            return column
        if dimension.granularity is Granularity.DAY:
            return f"CAST({column} AS date)"
        return f"CAST(date_trunc('{dimension.granularity.value}', {column}) AS date)"

    def measure(self, measure: Measure, within: str = "") -> str:
        value = self.aggregate(measure.value, within)
        if measure.per is None:
            return value
        per = self.aggregate(measure.per, within)
        return f"CAST({value} AS double precision) / NULLIF(CAST({per} AS double precision), 0)"

    def aggregate(self, aggregate: Aggregate, within: str) -> str:
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
        return f"{aggregate.aggregation.value}({expression})"


def _query(
    dashboard: Dashboard,
    visual: Visual,
    state: PageState,
    *,
    contracts: Contracts,
    role: str,
    period: Period | None,
    dimensions: tuple[Dimension, ...],
) -> Query:
    dataset = dashboard.dataset(visual.dataset)
    build = _Builder(dataset, contracts)
    compares = isinstance(visual, Table) and visual.compare and period is not None
    columns = [f"{build.dimension(dimension)} AS d{i}" for i, dimension in enumerate(dimensions)]
    if compares and period is not None:
        before = prior_period(period)
        spans = {"v": build.within(period), "p": build.within(before)}
        columns += [f"{build.measure(m, spans['v'])} AS v{i}" for i, m in enumerate(measures_of(visual))]
        columns.append(f"{build.measure(measures_of(visual)[visual.sort_by], spans['p'])} AS p0")  # type: ignore[union-attr]
        period = Period(before.first, period.last)
    else:
        measures = (visual.size,) if role == "size" and isinstance(visual, HeatMap) else measures_of(visual)
        columns += [f"{build.measure(measure)} AS v{i}" for i, measure in enumerate(measures) if measure is not None]
    if isinstance(visual, HeatMap) and visual.month and role == "main":
        columns.append(f"max({build.column(visual.month)}) AS u0")
    columns.append("count(*) AS n")
    tests = build.tests(state, period)
    if isinstance(visual, Bar):
        levels = (visual.category, *visual.drill)
        for level, value in zip(levels, state.drill.get(visual.id, ()), strict=False):
            tests.append(f"{build.column(level.column)} = {build.bind(value, build.cast(level.column))}")
    sql = _select(build, columns, tests, grouped=len(dimensions)) + _order(visual, dimensions)
    return Query(tile=visual.id, role=role, sql=sql, parameters=build.parameters)


def _select(build: _Builder, columns: Sequence[str], tests: Sequence[str], *, grouped: int) -> str:
    """The statement up to its order; the first `grouped` columns are what it is grouped by."""
    sql = f"SELECT {', '.join(columns)}\nFROM {build.source()}"
    if tests:
        sql += f"\nWHERE {' AND '.join(tests)}"
    if grouped:
        sql += f"\nGROUP BY {', '.join(str(i + 1) for i in range(grouped))}"
    return sql


def span_query(
    dataset: Dataset,
    state: PageState,
    *,
    contracts: Contracts,
    dimensions: tuple[Dimension, ...],
    measures: Sequence[Measure],
    compares: bool,
) -> Query:
    """Numbers of one dataset, of several visuals at once: `v0..` are the measures in their order.

    With `compares` the rows are of the state's period (`s` = 1) and of the one before (`s` = 0); a period without rows has none.
    """
    build = _Builder(dataset, contracts)
    period = state.period if dataset.date else None
    columns = [f"{build.dimension(dimension)} AS d{i}" for i, dimension in enumerate(dimensions)]
    order = [f"d{i}" for i in range(len(dimensions))]
    limit = MOST_ROWS
    if compares and period is not None:
        first = build.bind(str(period.first), "date")
        columns.append(f"CASE WHEN {build.column(dataset.date)} >= {first} THEN 1 ELSE 0 END AS s")
        order.append("s")
        period = Period(prior_period(period).first, period.last)
        limit = 2 * MOST_ROWS + 2  # either may have one step of time more than the other
    grouped = len(columns)
    columns += [f"{build.measure(measure)} AS v{i}" for i, measure in enumerate(measures)]
    columns.append("count(*) AS n")
    sql = _select(build, columns, build.tests(state, period), grouped=grouped)
    if order:
        sql += f"\nORDER BY {', '.join(order)}\nLIMIT {limit}"
    return Query(tile=dataset.name, role="shared", sql=sql, parameters=build.parameters)


def _order(visual: Visual, dimensions: tuple[Dimension, ...]) -> str:
    if not dimensions:
        return ""
    keys = ", ".join(f"d{i}" for i in range(len(dimensions)))
    if isinstance(visual, Table):
        direction = "ASC" if visual.ascending else "DESC"
        return f"\nORDER BY v{visual.sort_by} {direction} NULLS LAST, {keys}\nLIMIT {visual.limit}"
    if isinstance(visual, Bar):
        by = "v0" if dimensions[0].granularity is None else "d0"
        return f"\nORDER BY {by} DESC NULLS LAST, {keys}\nLIMIT {visual.top}"
    if isinstance(visual, Donut):
        return f"\nORDER BY v0 DESC NULLS LAST, {keys}\nLIMIT {MOST_ROWS}"
    return f"\nORDER BY {keys}\nLIMIT {MOST_ROWS}"


def dimensions_at(visual: Visual, state: PageState) -> tuple[Dimension, ...]:
    """The dimensions of a visual where the reader has drilled to."""
    if isinstance(visual, Bar):
        return ((visual.category, *visual.drill)[len(state.drill.get(visual.id, ()))],)
    return dimensions_of(visual)


def visual_queries(
    dashboard: Dashboard, visual: Visual, state: PageState, *, contracts: Contracts
) -> tuple[Query, ...]:
    """The queries of one visual: "main", and where it shows them "prior" and "trend"."""
    dataset = dashboard.dataset(visual.dataset)
    period = state.period if dataset.date else None
    dimensions = dimensions_at(visual, state)

    def made(role: str, span: Period | None, by: tuple[Dimension, ...] = dimensions) -> Query:
        return _query(dashboard, visual, state, contracts=contracts, role=role, period=span, dimensions=by)

    found = [made("main", period)]
    if isinstance(visual, Kpi | Line) and visual.compare and period is not None:
        found.append(made("prior", prior_period(period)))
    if isinstance(visual, Kpi) and visual.trend and period is not None:
        by_day = Dimension(column=dataset.date, label="Day", granularity=Granularity.DAY)
        found.append(made("trend", period, (by_day,)))
    if isinstance(visual, HeatMap) and visual.size is not None:
        found.append(made("size", period, (visual.rows,)))
    return tuple(found)


def base_query(dataset: Dataset, columns: tuple[str, ...], contracts: Contracts) -> Query:
    """The rows of a dataset before any choice of a reader; booleans as 'yes' and 'no'."""
    build = _Builder(dataset, contracts)
    shown = []
    for name in columns:
        column = build.column(name)
        if column_type(dataset, name, contracts).kind is Kind.BOOLEAN:
            column = f"CASE WHEN {column} THEN 'yes' WHEN NOT {column} THEN 'no' END"
        shown.append(f"{column} AS {quoted(name)}")
    tests = [build.condition(condition) for condition in dataset.where]
    sql = f"SELECT {', '.join(shown)}\nFROM {build.source()}" + (f"\nWHERE {' AND '.join(tests)}" if tests else "")
    return Query(tile=dataset.name, role="base", sql=sql, parameters=build.parameters)


def freshness_queries(dashboard: Dashboard, *, contracts: Contracts) -> tuple[Query, ...]:
    """For each dataset of the dashboard: its last day (d0), last load (d1, UTC), first day (d2), and 1 or 0 rows (n).

    No row is counted, so that an index or a block's own bounds answer it, however long the table is.
    """
    found = []
    for dataset in dashboard.datasets:
        build = _Builder(replace(dataset, joins=()), contracts)
        first, last = (
            f"{name}(t.{quoted(dataset.date)})" if dataset.date else "CAST(NULL AS date)" for name in ("min", "max")
        )
        loaded = (
            f'(SELECT max(l."loaded_at") FROM {qualified("loads")} AS l'
            f' WHERE l."table_name" = {build.bind(dataset.table, "varchar(256)")})'
        )
        some = f"(SELECT count(*) FROM (SELECT 1 AS one FROM {build.source()} LIMIT 1) AS present)"
        source = f"\nFROM {build.source()}" if dataset.date else ""
        found.append(
            Query(
                tile=dataset.name,
                role="freshness",
                sql=f"SELECT {last} AS d0, {loaded} AS d1, {first} AS d2, {some} AS n{source}",
                parameters=build.parameters,
            )
        )
    return tuple(found)


def option_queries(dashboard: Dashboard, *, contracts: Contracts) -> tuple[Query, ...]:
    """For each category filter: its values (d0), from the dataset of the coarsest grain that has the column."""
    found = []
    for chosen in dashboard.filters:
        having = [d for d in dashboard.datasets if chosen.column in dataset_columns(d, contracts)]
        if not having:
            continue
        build = _Builder(min(having, key=lambda dataset: len(contracts[dataset.table].key)), contracts)
        sql = (
            f"SELECT {build.column(chosen.column)} AS d0, count(*) AS n\nFROM {build.source()}\n"
            "GROUP BY 1\nORDER BY d0\nLIMIT 500"
        )
        found.append(Query(tile=chosen.column, role="options", sql=sql, parameters=build.parameters))
    return tuple(found)


def queries(dashboard: Dashboard, state: PageState, *, contracts: Contracts) -> tuple[Query, ...]:
    """Every query of the sheet that the state shows: its visuals', the freshness of its data, the filters' values."""
    shown = dashboard.sheet(state.sheet).visuals
    return (
        *(q for visual in shown for q in visual_queries(dashboard, visual, state, contracts=contracts)),
        *freshness_queries(dashboard, contracts=contracts),
        *option_queries(dashboard, contracts=contracts),
    )
