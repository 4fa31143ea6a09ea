"""Each visual of the tree as a member of QuickSight's `Visual`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.logical_types import Kind

from shoplake_dashboards.formats import axis_unit
from shoplake_dashboards.quicksight.expressions import (
    BEFORE,
    NOW,
    CalculatedFields,
    format_of,
    moved_day,
    moved_name,
    span,
    span_name,
)
from shoplake_dashboards.sql import Contracts, column_type
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
    Pivot,
    Table,
    Unit,
    Visual,
)

__all__ = ["VisualMaker", "compares"]

Json = dict[str, Any]
_VISIBLE: Mapping[str, Any] = {"Visibility": "VISIBLE"}
_HIDDEN: Mapping[str, Any] = {"Visibility": "HIDDEN"}


def compares(visual: Visual) -> bool:
    """Whether the visual needs the rows of the period before too, so that the period may not be filtered."""
    return isinstance(visual, Kpi | Line | Table) and visual.compare


@dataclass(slots=True)
class VisualMaker:
    """Makes the visuals of one dashboard; the measures go into `fields`."""

    dashboard: Dashboard
    contracts: Contracts
    fields: CalculatedFields
    currency: str

    def make(self, visual: Visual) -> Json:
        """The visual, as exactly one member of `Visual`."""
        dataset = self.dashboard.dataset(visual.dataset)
        member, chart = self._chart(visual, dataset)
        made: Json = {
            "VisualId": visual.id,
            "Title": {**_VISIBLE, "FormatText": {"PlainText": visual.title}},
            "Subtitle": {**_VISIBLE, "FormatText": {"PlainText": visual.note}} if visual.note else dict(_HIDDEN),
            "ChartConfiguration": chart,
            "VisualContentAltText": visual.alt,
        }
        if isinstance(visual, Bar) and visual.drill:
            levels = (visual.category, *visual.drill)
            made["ColumnHierarchies"] = [
                {
                    "ExplicitHierarchy": {
                        "HierarchyId": f"{visual.id}_hierarchy",
                        "Columns": [self._column(dataset, level.column) for level in levels],
                    }
                }
            ]
        return {member: made}

    def _chart(self, visual: Visual, dataset: Dataset) -> tuple[str, Json]:
        if isinstance(visual, Kpi):
            return "KPIVisual", self._kpi(visual, dataset)
        if isinstance(visual, Line):
            return "LineChartVisual", self._line(visual, dataset)
        if isinstance(visual, Bar):
            return "BarChartVisual", self._bar(visual, dataset)
        if isinstance(visual, Donut):
            return "PieChartVisual", self._donut(visual, dataset)
        if isinstance(visual, Table):
            return "TableVisual", self._table(visual, dataset)
        if isinstance(visual, Pivot):
            return "PivotTableVisual", self._pivot(visual, dataset)
        return "HeatMapVisual", self._heat_map(visual, dataset)

    def _column(self, dataset: Dataset, name: str) -> Json:
        return {"DataSetIdentifier": dataset.name, "ColumnName": name}

    def _within(self, dataset: Dataset, period: str, visual: Visual) -> str:
        name = self.fields.named(dataset, span(dataset), span_name(dataset), visual.id)
        return f"{{{name}}} = '{period}'"

    def _measure(
        self, visual: Visual, dataset: Dataset, measure: Measure, number: int, *, within: str = "", label: str = ""
    ) -> Json:
        if measure.unit is Unit.TIME:
            return {
                "DateMeasureField": {
                    "FieldId": f"{visual.id}.v{number}",
                    "Column": self._column(dataset, measure.value.column),
                    "AggregationFunction": measure.value.aggregation.value.upper(),
                }
            }
        name = self.fields.measure(dataset, measure, visual.id, within=within, label=label)
        return {
            "NumericalMeasureField": {
                "FieldId": f"{visual.id}.v{number}",
                "Column": self._column(dataset, name),
                "FormatConfiguration": {"FormatConfiguration": format_of(measure.unit, currency=self.currency)},
            }
        }

    def _dimension(self, visual: Visual, dataset: Dataset, dimension: Dimension, number: int) -> Json:
        made: Json = {
            "FieldId": f"{visual.id}.d{number}",
            "Column": self._column(dataset, dimension.column),
        }
        kind = column_type(dataset, dimension.column, self.contracts)
        if kind.kind in {Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP}:
            granularity = (dimension.granularity or Granularity.DAY).value.upper()
            return {"DateDimensionField": made | {"DateGranularity": granularity}}
        if kind.is_numeric:
            return {"NumericalDimensionField": made}
        if isinstance(visual, Bar) and visual.drill:
            made["HierarchyId"] = f"{visual.id}_hierarchy"
        return {"CategoricalDimensionField": made}

    def _axis_label(self, visual: Visual, dataset: Dataset, field: str, column: str, label: str) -> Json:
        return {
            "Visibility": "VISIBLE",
            "AxisLabelOptions": [
                {
                    "CustomLabel": label,
                    "ApplyTo": {"FieldId": f"{visual.id}.{field}", "Column": self._column(dataset, column)},
                }
            ],
        }

    def _value_label(self, visual: Visual, dataset: Dataset, measure: Measure, field: Json) -> Json:
        column = field["NumericalMeasureField"]["Column"]["ColumnName"]
        unit = axis_unit(measure.unit, currency=self.currency)
        return self._axis_label(visual, dataset, "v0", column, f"{measure.label}, {unit}")

    def _kpi(self, visual: Kpi, dataset: Dataset) -> Json:
        wells: Json = {"TargetValues": [], "TrendGroups": []}
        if visual.compare:
            now, before = (self._within(dataset, period, visual) for period in (NOW, BEFORE))
            wells["Values"] = [self._measure(visual, dataset, visual.value, 0, within=now)]
            label = f"{visual.value.label}, period before"
            wells["TargetValues"] = [self._measure(visual, dataset, visual.value, 1, within=before, label=label)]
        else:
            wells["Values"] = [self._measure(visual, dataset, visual.value, 0)]
        in_points = "PercentageDisplayFormatConfiguration" in format_of(visual.value.unit, currency=self.currency)
        # The whole block, or QuickSight draws an empty tile without an error.
        return {
            "FieldWells": wells,
            "SortConfiguration": {"TrendGroupSort": []},
            "KPIOptions": {
                "ProgressBar": dict(_HIDDEN),
                "TrendArrows": dict(_VISIBLE if visual.compare else _HIDDEN),
                "SecondaryValue": dict(_VISIBLE if visual.compare else _HIDDEN),
                "Comparison": {"ComparisonMethod": "DIFFERENCE" if in_points else "PERCENT_DIFFERENCE"},
                "PrimaryValueDisplayType": "ACTUAL",
                "PrimaryValueFontConfiguration": {"FontSize": {"Relative": "EXTRA_LARGE"}},
                "SecondaryValueFontConfiguration": {"FontSize": {"Relative": "MEDIUM"}},
                "Sparkline": {"Visibility": "HIDDEN", "Type": "LINE"},
                "VisualLayoutOptions": {"StandardLayout": {"Type": "VERTICAL"}},
            },
        }

    def _line(self, visual: Line, dataset: Dataset) -> Json:
        category = self._dimension(visual, dataset, visual.x, 0)
        colors: list[Json] = []
        if visual.compare:
            name = self.fields.named(dataset, moved_day(dataset), moved_name(dataset), visual.id)
            category["DateDimensionField"]["Column"] = self._column(dataset, name)
            period = self.fields.named(dataset, span(dataset), span_name(dataset), visual.id)
            colors = [
                {
                    "CategoricalDimensionField": {
                        "FieldId": f"{visual.id}.period",
                        "Column": self._column(dataset, period),
                    }
                }
            ]
        values = [self._measure(visual, dataset, measure, i) for i, measure in enumerate(visual.values)]
        column = category["DateDimensionField"]["Column"]["ColumnName"]
        return {
            "FieldWells": {
                "LineChartAggregatedFieldWells": {"Category": [category], "Values": values, "Colors": colors}
            },
            "SortConfiguration": {"CategorySort": [_sorted_by(visual, "d0", ascending=True)]},
            "Type": "LINE",
            "XAxisLabelOptions": self._axis_label(visual, dataset, "d0", column, visual.x.label),
            "PrimaryYAxisLabelOptions": self._value_label(visual, dataset, visual.values[0], values[0]),
            "DataLabels": dict(_HIDDEN),
            "Legend": {"Visibility": "VISIBLE" if visual.compare or len(values) > 1 else "HIDDEN", "Position": "TOP"},
        }

    def _bar(self, visual: Bar, dataset: Dataset) -> Json:
        levels = (visual.category, *visual.drill)
        value = self._measure(visual, dataset, visual.value, 0)
        by_time = visual.category.granularity is not None
        sorting: Json = {
            "CategorySort": [_sorted_by(visual, "d0" if by_time else "v0", ascending=by_time)],
        }
        if not by_time:
            sorting["CategoryItemsLimit"] = {"ItemsLimit": visual.top, "OtherCategories": "EXCLUDE"}
        return {
            "FieldWells": {
                "BarChartAggregatedFieldWells": {
                    "Category": [self._dimension(visual, dataset, level, i) for i, level in enumerate(levels)],
                    "Values": [value],
                    "Colors": [],
                }
            },
            "SortConfiguration": sorting,
            "Orientation": "HORIZONTAL",
            "BarsArrangement": "CLUSTERED",
            "CategoryLabelOptions": self._axis_label(
                visual, dataset, "d0", visual.category.column, visual.category.label
            ),
            "ValueLabelOptions": self._value_label(visual, dataset, visual.value, value),
            "DataLabels": {"Visibility": "VISIBLE", "Position": "OUTSIDE"},
            "Legend": dict(_HIDDEN),
        }

    def _donut(self, visual: Donut, dataset: Dataset) -> Json:
        return {
            "FieldWells": {
                "PieChartAggregatedFieldWells": {
                    "Category": [self._dimension(visual, dataset, visual.category, 0)],
                    "Values": [self._measure(visual, dataset, visual.value, 0)],
                }
            },
            "SortConfiguration": {
                "CategorySort": [_sorted_by(visual, "v0", ascending=False)],
                "CategoryItemsLimit": {"ItemsLimit": visual.top, "OtherCategories": "INCLUDE"},
            },
            "DonutOptions": {
                "ArcOptions": {"ArcThickness": "MEDIUM"},
                "DonutCenterOptions": {"LabelVisibility": "VISIBLE"},
            },
            "DataLabels": {
                "Visibility": "VISIBLE",
                "CategoryLabelVisibility": "VISIBLE",
                "MeasureLabelVisibility": "VISIBLE",
                "LabelContent": "PERCENT",
                "Position": "OUTSIDE",
            },
            "Legend": dict(_HIDDEN),
        }

    def _table(self, visual: Table, dataset: Dataset) -> Json:
        now = self._within(dataset, NOW, visual) if visual.compare else ""
        values = [self._measure(visual, dataset, measure, i, within=now) for i, measure in enumerate(visual.values)]
        if visual.compare:
            before = self._within(dataset, BEFORE, visual)
            measure = visual.values[visual.sort_by]
            label = f"{measure.label}, period before"
            values.append(self._measure(visual, dataset, measure, len(values), within=before, label=label))
        groups = [self._dimension(visual, dataset, d, i) for i, d in enumerate(visual.group_by)]
        options = [{"FieldId": f"{visual.id}.d{i}", "CustomLabel": d.label} for i, d in enumerate(visual.group_by)]
        options += [
            {"FieldId": f"{visual.id}.v{i}", "CustomLabel": measure.label}
            for i, measure in enumerate(visual.values)
            if measure.unit is Unit.TIME
        ]
        return {
            "FieldWells": {"TableAggregatedFieldWells": {"GroupBy": groups, "Values": values}},
            "SortConfiguration": {"RowSort": [_sorted_by(visual, f"v{visual.sort_by}", ascending=visual.ascending)]},
            "FieldOptions": {"SelectedFieldOptions": options},
        }

    def _pivot(self, visual: Pivot, dataset: Dataset) -> Json:
        return {
            "FieldWells": {
                "PivotTableAggregatedFieldWells": {
                    "Rows": [self._dimension(visual, dataset, visual.rows, 0)],
                    "Columns": [self._dimension(visual, dataset, visual.columns, 1)],
                    "Values": [self._measure(visual, dataset, visual.value, 0)],
                }
            },
            "TotalOptions": {
                "RowTotalOptions": {"TotalsVisibility": "VISIBLE", "CustomLabel": "Total"},
                "ColumnTotalOptions": {"TotalsVisibility": "VISIBLE", "CustomLabel": "Total"},
            },
        }

    def _heat_map(self, visual: HeatMap, dataset: Dataset) -> Json:
        return {
            "FieldWells": {
                "HeatMapAggregatedFieldWells": {
                    "Rows": [self._dimension(visual, dataset, visual.rows, 0)],
                    "Columns": [self._dimension(visual, dataset, visual.columns, 1)],
                    "Values": [self._measure(visual, dataset, visual.value, 0)],
                }
            },
            "SortConfiguration": {
                "HeatMapRowSort": [_sorted_by(visual, "d0", ascending=True)],
                "HeatMapColumnSort": [_sorted_by(visual, "d1", ascending=True)],
            },
            "RowAxisDisplayOptions": {},
            "RowLabelOptions": self._axis_label(visual, dataset, "d0", visual.rows.column, visual.rows.label),
            "ColumnLabelOptions": self._axis_label(visual, dataset, "d1", visual.columns.column, visual.columns.label),
            "DataLabels": dict(_VISIBLE),
            "Legend": dict(_HIDDEN),
        }


def _sorted_by(visual: Visual, field: str, *, ascending: bool) -> Json:
    return {"FieldSort": {"FieldId": f"{visual.id}.{field}", "Direction": "ASC" if ascending else "DESC"}}
