"""Measures in QuickSight's expression language: an aggregate or a ratio of two, with conditions. Nothing else of it is used.

Every measure becomes a calculated field of the definition, named as readers know it, because only there it has a format.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shoplake_core.errors import ConfigError
from shoplake_core.logical_types import Kind

from shoplake_dashboards.sql import Contracts, column_type
from shoplake_dashboards.tree import Aggregate, Aggregation, Condition, Dataset, Measure, Operator, Scalar, Unit

__all__ = [
    "BEFORE",
    "FROM",
    "NOW",
    "TO",
    "CalculatedFields",
    "expression",
    "format_of",
    "moved_day",
    "moved_name",
    "span",
    "span_name",
]

FROM, TO = "From", "To"  # the parameters of the period
NOW, BEFORE, NEITHER = "This period", "Period before", "Neither"
_FUNCTIONS = {
    Aggregation.SUM: "sum",
    Aggregation.COUNT: "count",
    Aggregation.DISTINCT_COUNT: "distinct_count",
    Aggregation.AVERAGE: "avg",
    Aggregation.MIN: "min",
    Aggregation.MAX: "max",
}
_LONGEST_NAME = 128


def _literal(value: Scalar) -> str:
    if isinstance(value, bool):
        return "'yes'" if value else "'no'"  # what the data set makes of a boolean
    if isinstance(value, int):
        return str(value)
    if "'" in value or "\\" in value:
        raise ConfigError(
            f"QuickSight's expressions cannot hold the text {value!r}",
            hint="put the condition in the gold model's SQL, as a column of its own",
        )
    return f"'{value}'"


def _condition(condition: Condition, dataset: Dataset, contracts: Contracts) -> str:
    column = f"{{{condition.column}}}"
    values = [_literal(value) for value in condition.values]
    if column_type(dataset, condition.column, contracts).kind in {Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP}:
        values = [f"parseDate({value}, 'yyyy-MM-dd')" for value in values]
    if condition.operator in {Operator.AT_LEAST, Operator.AT_MOST}:
        return f"{column} {'>=' if condition.operator is Operator.AT_LEAST else '<='} {values[0]}"
    return f"{'notIn' if condition.operator is Operator.NOT_IN else 'in'}({column}, [{', '.join(values)}])"


def _aggregate(aggregate: Aggregate, dataset: Dataset, contracts: Contracts, within: str) -> str:
    tests = [_condition(condition, dataset, contracts) for condition in aggregate.where]
    tests += [within] if within else []
    name, column = _FUNCTIONS[aggregate.aggregation], f"{{{aggregate.column}}}"
    return f"{name}If({column}, {' AND '.join(tests)})" if tests else f"{name}({column})"


def expression(measure: Measure, dataset: Dataset, contracts: Contracts, *, within: str = "") -> str:
    """The measure as an expression; `within` limits it to rows, such as those of one span."""
    value = _aggregate(measure.value, dataset, contracts, within)
    return value if measure.per is None else f"{value} / {_aggregate(measure.per, dataset, contracts, within)}"


def span_name(dataset: Dataset) -> str:
    """Name of the calculated field that says which period a row belongs to."""
    return f"Period of {dataset.name}"


def moved_name(dataset: Dataset) -> str:
    """Name of the calculated field that lays the period before onto the chosen one."""
    return f"Day of the period of {dataset.name}"


def span(dataset: Dataset) -> str:
    """Which period a row belongs to: the one chosen, as many days before it, or neither."""
    day, days = f"{{{dataset.date}}}", f"(dateDiff(${{{FROM}}}, ${{{TO}}}, 'DD') + 1)"
    start = f"addDateTime(-1 * {days}, 'DD', ${{{FROM}}})"
    end = f"addDateTime(1, 'DD', ${{{TO}}})"
    return (
        f"ifelse({day} >= ${{{FROM}}} AND {day} < {end}, '{NOW}', "
        f"{day} >= {start} AND {day} < ${{{FROM}}}, '{BEFORE}', '{NEITHER}')"
    )


def moved_day(dataset: Dataset) -> str:
    """The row's day; one of the period before is moved by the period's length."""
    day, days = f"{{{dataset.date}}}", f"(dateDiff(${{{FROM}}}, ${{{TO}}}, 'DD') + 1)"
    return f"ifelse({day} >= ${{{FROM}}}, {day}, addDateTime({days}, 'DD', {day}))"


@dataclass(slots=True)
class CalculatedFields:
    """The calculated fields of one definition: equal expressions share one, names are unique among fields and columns."""

    contracts: Contracts
    taken: set[str]
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def named(self, dataset: Dataset, text: str, label: str, visual_id: str) -> str:
        """The name of the field with that expression, made where there is none."""
        key = (dataset.name, text)
        if key not in self._names:
            candidates = (label, f"{label} ({dataset.name})", f"{label} ({visual_id})")
            name = next((c for c in candidates if c not in self.taken), "")[:_LONGEST_NAME]
            if not name:
                raise ConfigError(
                    f'two measures of {visual_id} are both called "{label}"', hint="give each its own `label`"
                )
            self.taken.add(name)
            self._names[key] = name
        return self._names[key]

    def measure(self, dataset: Dataset, measure: Measure, visual_id: str, *, within: str = "", label: str = "") -> str:
        """The name of the field that holds the measure."""
        text = expression(measure, dataset, self.contracts, within=within)
        return self.named(dataset, text, label or measure.label, visual_id)

    def to_json(self) -> list[dict[str, str]]:
        """The fields, in the order in which they were first asked for."""
        return [
            {"DataSetIdentifier": dataset, "Name": name, "Expression": text}
            for (dataset, text), name in self._names.items()
        ]


def format_of(unit: Unit, *, currency: str) -> Mapping[str, Any]:
    """A NumericFormatConfiguration for numbers of that unit."""
    separators = {"DecimalSeparator": "DOT", "ThousandsSeparator": {"Symbol": "COMMA", "Visibility": "VISIBLE"}}
    null = {"NullString": "-"}

    def common(decimals: int) -> dict[str, Any]:
        return {
            "SeparatorConfiguration": separators,
            "DecimalPlacesConfiguration": {"DecimalPlaces": decimals},
            "NullValueFormatConfiguration": null,
        }

    if unit is Unit.CURRENCY:
        return {"CurrencyDisplayFormatConfiguration": common(2) | {"Symbol": currency, "NumberScale": "AUTO"}}
    if unit is Unit.PERCENT:
        return {"PercentageDisplayFormatConfiguration": common(1)}
    suffix = {Unit.DAYS: {"Suffix": " days"}, Unit.SECONDS: {"Suffix": " s"}}.get(unit, {})
    return {"NumberDisplayFormatConfiguration": common(0 if unit is Unit.COUNT else 1) | suffix}
