"""The one query builder: a visual and a page state to SQL with bound parameters, in what PostgreSQL and Redshift both read.

The result's columns are `d0..` for dimensions, `v0..` for measures, `p0..` for measures of the period before, `n` for rows;
where one statement reads both periods, `s` is 1 for the period and 0 for the one before.
"""

from collections.abc import Sequence
from dataclasses import replace

from shoplake_core.logical_types import Kind

from shoplake_dashboards.page_state import PageState
from shoplake_dashboards.periods import Period, prior_period
from shoplake_dashboards.sql_parts import (
    OPERATIONAL,
    Builder,
    Contracts,
    Query,
    column_type,
    dataset_columns,
    qualified,
    quoted,
)
from shoplake_dashboards.tree import (
    Bar,
    Dashboard,
    Dataset,
    Dimension,
    Donut,
    Granularity,
    HeatMap,
    Kpi,
    Line,
    Measure,
    Table,
    Visual,
    dimensions_of,
    measures_of,
)

__all__ = [
    "MOST_ROWS",
    "OPERATIONAL",
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

MOST_ROWS = 5000  # of any tile: more is no picture


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
    build = Builder(dataset, contracts)
    compares = isinstance(visual, Table) and visual.compare and period is not None
    spans = () if period is None else (prior_period(period), period) if compares else (period,)
    drilled = (visual.category, *visual.drill)[: len(state.drill.get(visual.id, ()))] if isinstance(visual, Bar) else ()
    if not (isinstance(visual, HeatMap) and (visual.month or visual.size)):
        build.roll_up(state, spans, measures=measures_of(visual), dimensions=(*dimensions, *drilled))
        build.sum_before_joining(measures_of(visual), dimensions)
    columns = [f"{build.dimension(dimension)} AS d{i}" for i, dimension in enumerate(dimensions)]
    if compares and period is not None:
        before = prior_period(period)
        now, then = build.within(period), build.within(before)
        columns += [f"{build.measure(m, now)} AS v{i}" for i, m in enumerate(measures_of(visual))]
        columns.append(f"{build.measure(measures_of(visual)[visual.sort_by], then)} AS p0")  # type: ignore[union-attr]
        period = Period(before.first, period.last)
    else:
        measures = (visual.size,) if role == "size" and isinstance(visual, HeatMap) else measures_of(visual)
        columns += [f"{build.measure(measure)} AS v{i}" for i, measure in enumerate(measures) if measure is not None]
    if isinstance(visual, HeatMap) and visual.month and role == "main":
        columns.append(f"max({build.column(visual.month)}) AS u0")
    columns.append(f"{build.count()} AS n")
    tests = build.tests(state, period)
    if isinstance(visual, Bar):
        levels = (visual.category, *visual.drill)
        for level, value in zip(levels, state.drill.get(visual.id, ()), strict=False):
            tests.append(f"{build.column(level.column)} = {build.bind(value, build.cast(level.column))}")
    sql = _select(build, columns, tests, dimensions, grouped=len(dimensions)) + _order(visual, dimensions)
    return Query(tile=visual.id, role=role, sql=sql, parameters=build.parameters)


def _select(
    build: Builder, columns: Sequence[str], tests: Sequence[str], dimensions: Sequence[Dimension], *, grouped: int
) -> str:
    """The statement up to its order; the first `grouped` columns are what it is grouped by."""
    sql = f"SELECT {', '.join(columns)}\n{build.from_where(tests, dimensions)}"
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
    build = Builder(dataset, contracts)
    period = state.period if dataset.date else None
    spans = () if period is None else (prior_period(period), period) if compares else (period,)
    build.roll_up(state, spans, measures=measures, dimensions=dimensions)
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
    sql = _select(build, columns, build.tests(state, period), dimensions, grouped=grouped)
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
    build = Builder(dataset, contracts)
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
        build = Builder(replace(dataset, joins=()), contracts)
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
        build = Builder(min(having, key=lambda dataset: len(contracts[dataset.table].key)), contracts)
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
