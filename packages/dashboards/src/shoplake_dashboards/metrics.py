"""The metrics catalogue as measures, so that a dashboard can say `metric = "aov"` and both renderings show its definition."""

from collections.abc import Mapping

from shoplake_core.metrics import Metric

from shoplake_dashboards.tree import Aggregate, Aggregation, Measure, Unit

__all__ = ["measures_of_catalogue"]


def _sum(column: str) -> Aggregate:
    return Aggregate(aggregation=Aggregation.SUM, column=column)


def measures_of_catalogue(metrics: Mapping[str, Metric]) -> dict[str, Measure]:
    """Name -> measure, for every metric of the catalogue."""
    return {
        name: Measure(
            label=metric.title,
            value=_sum(metric.numerator),
            per=_sum(metric.denominator) if metric.denominator else None,
            unit=Unit(metric.unit.value),
            lower_is_better=metric.lower_is_better,
            metric=name,
            table=metric.table,
            definition=metric.definition,
        )
        for name, metric in metrics.items()
    }
