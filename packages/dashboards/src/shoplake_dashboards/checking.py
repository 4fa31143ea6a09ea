"""A dashboard held against the gold contracts: every column exists, has the right role, and no number is made that lies.

What would be wrong without an error is refused here: stock summed over days, a join that multiplies rows, a donut of ratios.
"""

from collections.abc import Iterable, Sequence

from shoplake_core.logical_types import Kind
from shoplake_core.suggestions import did_you_mean

from shoplake_dashboards.findings import Findings
from shoplake_dashboards.periods import PERIOD_NAMES
from shoplake_dashboards.sql import Contracts, column_type, dataset_columns
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
    RollUp,
    Sheet,
    Table,
    Unit,
    Visual,
    named_dimensions,
    named_measures,
)

__all__ = ["check_dashboard"]

_TIMES = frozenset({Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP})
_ADDITIVE = frozenset({Aggregation.SUM, Aggregation.COUNT})
_MOST_DRILL_LEVELS = 10  # QuickSight's explicit hierarchy


class _Checker:
    def __init__(self, dashboard: Dashboard, contracts: Contracts, found: Findings) -> None:
        self.dashboard = dashboard
        self.contracts = contracts
        self.found = found

    def unique(self, path: str, names: Sequence[str]) -> None:
        for name in sorted({n for n in names if names.count(n) > 1}):
            self.found.add(path, f'"{name}" is there more than once')

    def column(self, path: str, dataset: Dataset, name: str) -> bool:
        known = dataset_columns(dataset, self.contracts)
        if name in known:
            return True
        self.found.add(
            path, f'no column "{name}" in dataset {dataset.name} ({dataset.table}){did_you_mean(name, known)}'
        )
        return False

    def date_column(self, path: str, dataset: Dataset, name: str) -> None:
        if self.column(path, dataset, name):
            kind = column_type(dataset, name, self.contracts)
            if kind.kind not in _TIMES:
                self.found.add(path, f'"{name}" is {kind}, and a date or time is needed')

    def dataset(self, path: str, dataset: Dataset) -> None:
        if dataset.table not in self.contracts:
            near = did_you_mean(dataset.table, self.contracts)
            self.found.add(f"{path}.table", f'no gold table "{dataset.table}"{near}')
            return
        for number, join in enumerate(dataset.joins):
            here = f"{path}.joins[{number}]"
            if join.table not in self.contracts:
                self.found.add(
                    f"{here}.table", f'no gold table "{join.table}"{did_you_mean(join.table, self.contracts)}'
                )
                continue
            joined, base = self.contracts[join.table], self.contracts[dataset.table]
            if set(join.on) != set(joined.key):
                self.found.add(
                    f"{here}.on", f"must be the whole key of {join.table} ({', '.join(joined.key)}): else rows multiply"
                )
            for name in join.on:
                if name not in base.column_names:
                    self.found.add(
                        f"{here}.on", f'no column "{name}" in {base.name}{did_you_mean(name, base.column_names)}'
                    )
            for name in join.columns:
                if name not in joined.column_names:
                    near = did_you_mean(name, joined.column_names)
                    self.found.add(f"{here}.columns", f'no column "{name}" in {join.table}{near}')
                    return
        self.unique(f"{path}.joins", dataset_columns(dataset, self.contracts))
        if dataset.date:
            self.date_column(f"{path}.date", dataset, dataset.date)
            if dataset.date not in self.contracts[dataset.table].column_names:
                self.found.add(f"{path}.date", "must be a column of the table itself, not of a joined one")
        self.conditions(f"{path}.where", dataset, dataset.where)
        if dataset.roll_up is not None:
            self.roll_up(f"{path}.roll_up", dataset, dataset.roll_up)

    def roll_up(self, path: str, dataset: Dataset, roll_up: RollUp) -> None:
        """A roll-up whose rows are not exactly the table's, by the month, would change numbers with the length of a period."""
        if not dataset.date:
            self.found.add(path, "needs a dataset with a `date`")
        if roll_up.table not in self.contracts:
            self.found.add(
                f"{path}.table", f'no gold table "{roll_up.table}"{did_you_mean(roll_up.table, self.contracts)}'
            )
            return
        days, months = self.contracts[dataset.table], self.contracts[roll_up.table]
        wanted = {name for name in days.key if name != dataset.date} | {roll_up.date}
        if set(months.key) != wanted:
            self.found.add(
                f"{path}.table",
                f"the key of {months.name} must be {', '.join(sorted(wanted))}: the same rows by the month",
            )
        if roll_up.date in months.column_names and months.column(roll_up.date).stored_type.kind is not Kind.DATE:
            self.found.add(f"{path}.date", f'"{roll_up.date}" must be a date: the first of the month')
        for name in roll_up.totals:
            if name not in months.key or months.column(name).stored_type.is_numeric:
                self.found.add(f"{path}.totals", f'"{name}" is no text in the key of {months.name}')
        for name in months.column_names:
            if name not in days.column_names and name != roll_up.date:
                near = did_you_mean(name, days.column_names)
                self.found.add(f"{path}.table", f"{months.name}.{name} is no column of {days.name}{near}")

    def conditions(self, path: str, dataset: Dataset, where: Iterable[Condition]) -> None:
        for condition in where:
            here = f"{path}.{condition.column}"
            if not self.column(here, dataset, condition.column):
                continue
            kind = column_type(dataset, condition.column, self.contracts)
            wanted = bool if kind.kind is Kind.BOOLEAN else int if kind.is_numeric else str
            for value in condition.values:
                if type(value) is not wanted:
                    self.found.add(here, f"{value!r} does not fit a column of type {kind}")
            if condition.operator in {Operator.AT_LEAST, Operator.AT_MOST} and not (
                kind.is_numeric or kind.kind in _TIMES
            ):
                self.found.add(here, f"{condition.operator.value} needs a number or a date, and the column is {kind}")
            accepted = self._accepted(dataset, condition.column)
            for value in condition.values:
                if accepted and value not in accepted:
                    self.found.add(here, f'"{value}" never occurs in it{did_you_mean(str(value), accepted)}')

    def _accepted(self, dataset: Dataset, column: str) -> tuple[str, ...]:
        for join in dataset.joins:
            if column in join.columns:
                return self.contracts[join.table].column(column).accepted
        return self.contracts[dataset.table].column(column).accepted

    def aggregate(self, path: str, dataset: Dataset, aggregate: Aggregate) -> None:
        here = f"{path}.{aggregate.aggregation.value}"
        if self.column(here, dataset, aggregate.column):
            kind = column_type(dataset, aggregate.column, self.contracts)
            counts = aggregate.aggregation in {Aggregation.COUNT, Aggregation.DISTINCT_COUNT}
            times = aggregate.aggregation in {Aggregation.MIN, Aggregation.MAX} and kind.kind in _TIMES
            if not counts and not kind.is_numeric and not times:
                self.found.add(here, f'"{aggregate.column}" is {kind}: a dimension, not a number')
            if (
                aggregate.aggregation is Aggregation.SUM
                and aggregate.column in self.contracts[dataset.table].key
                and kind.is_numeric
            ):
                self.found.add(here, f'"{aggregate.column}" is part of the key of {dataset.table}: count it')
        self.conditions(f"{path}.where", dataset, aggregate.where)

    def measure(self, path: str, dataset: Dataset, measure: Measure) -> None:
        if measure.table and measure.table != dataset.table:
            self.found.add(
                f"{path}.metric",
                f'"{measure.metric}" is defined over {measure.table}, and dataset {dataset.name} is {dataset.table}',
            )
            return
        self.aggregate(path, dataset, measure.value)
        known = dataset_columns(dataset, self.contracts)
        if measure.value.column in known:
            counts = measure.value.aggregation in {Aggregation.COUNT, Aggregation.DISTINCT_COUNT}
            kind = column_type(dataset, measure.value.column, self.contracts)
            is_time = kind.kind in _TIMES and not counts
            if is_time is not (measure.unit is Unit.TIME):
                self.found.add(f"{path}.unit", 'the newest or oldest time has unit = "time", and nothing else has')
            elif is_time and measure.per is not None:
                self.found.add(f"{path}.per", "a time cannot be divided")
        if measure.per is not None:
            self.aggregate(f"{path}.per", dataset, measure.per)

    def dimension(self, path: str, dataset: Dataset, dimension: Dimension) -> None:
        if not self.column(f"{path}.column", dataset, dimension.column):
            return
        kind = column_type(dataset, dimension.column, self.contracts)
        if dimension.granularity is not None and kind.kind not in _TIMES:
            self.found.add(f"{path}.by", f'"{dimension.column}" is {kind}: only a date has a granularity')
        if dimension.granularity is None and kind.kind in _TIMES - {Kind.DATE}:
            self.found.add(path, f'"{dimension.column}" is a time: say by = "day", "week" or "month"')
        accepted = self._accepted(dataset, dimension.column)
        for value in dimension.order if accepted else ():
            if value not in accepted:
                self.found.add(f"{path}.order", f'"{value}" never occurs in it{did_you_mean(value, accepted)}')
        if kind.kind is Kind.DECIMAL or kind.kind is Kind.FLOAT64:
            self.found.add(f"{path}.column", f'"{dimension.column}" is {kind}: a measure, not a dimension')

    def visual(self, path: str, visual: Visual) -> None:
        names = [dataset.name for dataset in self.dashboard.datasets]
        if visual.dataset not in names:
            self.found.add(f"{path}.dataset", f'no dataset "{visual.dataset}"{did_you_mean(visual.dataset, names)}')
            return
        dataset = self.dashboard.dataset(visual.dataset)
        if dataset.table not in self.contracts or any(join.table not in self.contracts for join in dataset.joins):
            return  # said already
        for where, dimension in named_dimensions(visual):
            self.dimension(f"{path}.{where}", dataset, dimension)
        for where, measure in named_measures(visual):
            self.measure(f"{path}.{where}", dataset, measure)
        self.use_of_periods(path, visual, dataset)
        self.shape(path, visual, dataset)

    def use_of_periods(self, path: str, visual: Visual, dataset: Dataset) -> None:
        """Whether there is a period before, where the visual asks for one."""
        has_periods = bool(dataset.date and self.dashboard.dates)
        if isinstance(visual, Line | Table | Kpi) and visual.compare and not has_periods:
            self.found.add(f"{path}.compare", "needs [dates] and a dataset with a `date`: there is no period before")
        if isinstance(visual, Kpi) and visual.trend and not has_periods:
            self.found.add(f"{path}.trend", "needs [dates] and a dataset with a `date`")
        if isinstance(visual, Line) and visual.x.granularity is None:
            self.found.add(f"{path}.x.by", "missing: a line runs over days, weeks or months")
        if isinstance(visual, Line) and visual.compare and visual.x.granularity is not Granularity.DAY:
            self.found.add(
                f"{path}.compare", "only days lie on the days before: weeks and months are of unequal length"
            )
        if isinstance(visual, Line) and visual.compare and visual.x.column != dataset.date:
            self.found.add(f"{path}.compare", f'the line must run over the dataset\'s own date, "{dataset.date}"')
        if isinstance(visual, Line) and visual.compare and len(visual.values) > 1:
            self.found.add(f"{path}.compare", "only one line has its period before beside it")
        if isinstance(visual, Table) and visual.compare and any(m.unit is Unit.TIME for m in visual.values):
            self.found.add(f"{path}.compare", "a time has no change in percent")

    def shape(self, path: str, visual: Visual, dataset: Dataset) -> None:
        """What only one kind of visual has."""
        if not isinstance(visual, Table) and any(m.unit is Unit.TIME for _, m in named_measures(visual)):
            self.found.add(f"{path}.value.unit", "only a table shows times")
        if isinstance(visual, HeatMap) and visual.month:
            self.date_column(f"{path}.month", dataset, visual.month)
        if isinstance(visual, Line) and len({measure.unit for measure in visual.values}) > 1:
            self.found.add(f"{path}.values", "lines of one picture share one axis: give them one unit")
        if isinstance(visual, Table) and not visual.sort_by < len(visual.values):
            self.found.add(f"{path}.sort_by", f"there are only {len(visual.values)} values, counted from 0")
        if isinstance(visual, Donut) and (
            visual.value.per is not None or visual.value.value.aggregation not in _ADDITIVE
        ):
            self.found.add(f"{path}.value", "a donut shows shares of a whole: only a sum or a count has them")
        for level in (visual.category, *visual.drill) if isinstance(visual, Bar) and visual.drill else ():
            known = dataset_columns(dataset, self.contracts)
            if level.column in known and not column_type(dataset, level.column, self.contracts).is_text:
                self.found.add(f"{path}.drill", f'"{level.column}" is no text: only categories open one another')
        if isinstance(visual, Bar) and not len(visual.drill) < _MOST_DRILL_LEVELS:
            self.found.add(f"{path}.drill", f"at most {_MOST_DRILL_LEVELS - 1} levels below the category")

    def sheets(self, sheets: Sequence[Sheet]) -> None:
        if not sheets:
            self.found.add("sheets", "there is none")
        for i, sheet in enumerate(sheets):
            if not sheet.visuals:
                self.found.add(f"sheets[{i}].visuals", "there is none")
            for j, visual in enumerate(sheet.visuals):
                self.visual(f"sheets[{i}].visuals[{j}]", visual)


def check_dashboard(dashboard: Dashboard, contracts: Contracts) -> Dashboard:
    """The dashboard itself, where everything it names exists and may be used so.

    Raises:
        ConfigError: Listing every fault with its path and the nearest right name.

    """
    found = Findings(dashboard.where or dashboard.name)
    check = _Checker(dashboard, contracts, found)
    check.unique("datasets", [dataset.name for dataset in dashboard.datasets])
    check.unique("sheets", [sheet.name for sheet in dashboard.sheets])
    check.unique("visuals", [visual.id for visual in dashboard.visuals])
    check.unique("filters", [chosen.column for chosen in dashboard.filters])
    for i, dataset in enumerate(dashboard.datasets):
        check.dataset(f"datasets[{i}]", dataset)
    if dashboard.dates is not None:
        for i, name in enumerate(dashboard.dates.periods):
            if name not in PERIOD_NAMES:
                found.add(f"dates.periods[{i}]", f'no period "{name}"{did_you_mean(name, PERIOD_NAMES)}')
        if dashboard.dates.default not in dashboard.dates.periods:
            near = did_you_mean(dashboard.dates.default, dashboard.dates.periods)
            found.add("dates.default", f'"{dashboard.dates.default}" is not among `periods`{near}')
    check.sheets(dashboard.sheets)
    for i, chosen in enumerate(dashboard.filters):
        holders = [d for d in dashboard.datasets if chosen.column in dataset_columns(d, contracts)]
        if not holders:
            known = sorted({c for d in dashboard.datasets for c in dataset_columns(d, contracts)})
            found.add(f"filters[{i}].column", f'no dataset has "{chosen.column}"{did_you_mean(chosen.column, known)}')
        elif not column_type(holders[0], chosen.column, contracts).is_text:
            found.add(f"filters[{i}].column", f'"{chosen.column}" is no text: a category is needed')
    found.raise_if_any()
    return dashboard
