"""A dashboard as data: `Dashboard > Sheet > Visual > Field`, frozen. Both renderings are made from this tree and from nothing
else; `parsing` reads it from TOML and `checking` holds it against the gold contracts.

A field is a `Dimension` (what a visual is split by) or a `Measure` (a number). A measure is one aggregate, or the ratio of
two: anything more belongs in gold SQL.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

__all__ = [
    "Aggregate",
    "Aggregation",
    "Bar",
    "CategoryFilter",
    "Condition",
    "Dashboard",
    "Dataset",
    "DateFilter",
    "Dimension",
    "Donut",
    "Granularity",
    "HeatMap",
    "Join",
    "Kpi",
    "Line",
    "Measure",
    "Operator",
    "Pivot",
    "RollUp",
    "Sheet",
    "Table",
    "Unit",
    "Visual",
    "VisualBase",
    "dimensions_of",
    "measures_of",
    "named_dimensions",
    "named_measures",
    "next_named",
]

Scalar: TypeAlias = str | int | bool


class Unit(Enum):
    """What a number counts; it decides how both renderings write it."""

    CURRENCY = "currency"
    COUNT = "count"
    PERCENT = "percent"
    NUMBER = "number"
    DAYS = "days"
    SECONDS = "seconds"
    TIME = "time"


class Aggregation(Enum):
    """How many rows become one number."""

    SUM = "sum"
    COUNT = "count"
    DISTINCT_COUNT = "distinct_count"
    AVERAGE = "average"
    MIN = "min"
    MAX = "max"


class Operator(Enum):
    """How a condition compares."""

    IN = "in"
    NOT_IN = "not_in"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class Granularity(Enum):
    """How long one step of a time axis is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Condition:
    """Rows whose column compares so with the values (one value for AT_LEAST and AT_MOST)."""

    column: str
    operator: Operator
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A column's rows as one number, of the rows that meet every condition."""

    aggregation: Aggregation
    column: str
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number with its name.

    Attributes:
        label: Its name for a reader.
        value: The aggregate, or the numerator of the ratio.
        per: The denominator; None for a plain aggregate.
        unit: How it is written.
        lower_is_better: Whether a rise is bad news.
        metric: Name in the metrics catalogue that it comes from; "" for none.
        table: The gold table that the metric is defined over; "" for any.
        definition: What the catalogue says of it, in a sentence; "" for nothing.

    """

    label: str
    value: Aggregate
    per: Aggregate | None = None
    unit: Unit = Unit.NUMBER
    lower_is_better: bool = False
    metric: str = ""
    table: str = ""
    definition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A column that a visual is split by; `granularity` for dates only, `order` where its values have one of their own."""

    column: str
    label: str
    granularity: Granularity | None = None
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Columns of a dimension table, brought in by equal keys; rows without a match stay, with nulls."""

    table: str
    on: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUp:
    """The sums of a dataset's table by the month, for long periods.

    Attributes:
        table: The gold table: the dataset's, with the first of the month for the day.
        date: Its column with that first day.
        totals: Columns in which '*' stands for all values together: rows of their own, beside those of each value.

    """

    table: str
    date: str
    totals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One gold table with what is joined to it.

    Attributes:
        name: Its name in this dashboard.
        table: The gold table.
        date: The column that periods filter; "" where none does.
        joins: Columns of other gold tables.
        where: Rows that count at all.
        roll_up: The same by the month; None for nothing of the kind.

    """

    name: str
    table: str
    date: str = ""
    joins: tuple[Join, ...] = ()
    where: tuple[Condition, ...] = ()
    roll_up: RollUp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualBase:
    """What every visual has.

    Attributes:
        id: Unique in its dashboard; snake_case.
        title: The measure in words.
        alt: What a reader who cannot see it should know.
        dataset: Name of a dataset.
        width: Of 36 grid columns.
        height: In grid rows.
        note: One sentence under the title: definition or caveat; "" for the metric's own, or none.
        empty: What a tile without rows says, where that is an answer ("No check failed."); "" for the usual words.

    """

    id: str
    title: str
    alt: str
    dataset: str
    width: int
    height: int
    note: str = ""
    empty: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi(VisualBase):
    """One number, its change on the period before, and its course by day."""

    value: Measure
    compare: bool = True
    trend: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(VisualBase):
    """Numbers over time; with `compare` the first value's period before as a dashed line."""

    x: Dimension
    values: tuple[Measure, ...]
    compare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar(VisualBase):
    """A number a category, the `top` largest first, or the `top` newest steps of time; `drill` are the columns below the category, in order."""

    category: Dimension
    value: Measure
    top: int = 20
    drill: tuple[Dimension, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Donut(VisualBase):
    """Shares of a whole; what is not among the `top` is one slice more."""

    category: Dimension
    value: Measure
    top: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(VisualBase):
    """Rows of numbers, sorted by one of the values; `compare` adds that value's change on the period before."""

    group_by: tuple[Dimension, ...]
    values: tuple[Measure, ...]
    sort_by: int = 0
    ascending: bool = False
    limit: int = 100
    compare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pivot(VisualBase):
    """A number for each pair of row and column, with totals of both."""

    rows: Dimension
    columns: Dimension
    value: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap(VisualBase):
    """A number for each pair of row and column, as a shade.

    Attributes:
        rows: One row each.
        columns: One column each.
        value: The number.
        size: What stands beside a row's name, such as how many people a share is of; None for nothing.
        month: Column with the month that a cell is about: the newest is marked while it lasts; "" for no mark.

    """

    rows: Dimension
    columns: Dimension
    value: Measure
    size: Measure | None = None
    month: str = ""


Visual: TypeAlias = Kpi | Line | Bar | Donut | Table | Pivot | HeatMap


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryFilter:
    """Some values of a column, chosen by the reader; it acts on every dataset that has the column."""

    column: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateFilter:
    """The period, chosen by the reader: one of the relative `periods`, or two dates."""

    default: str
    periods: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One page of a dashboard."""

    name: str
    title: str
    visuals: tuple[Visual, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A dashboard. `where` is the file it was read from, for messages."""

    name: str
    title: str
    question: str
    datasets: tuple[Dataset, ...]
    sheets: tuple[Sheet, ...]
    dates: DateFilter | None = None
    filters: tuple[CategoryFilter, ...] = ()
    direct_query: bool = False
    where: str = ""

    def dataset(self, name: str) -> Dataset:
        """The dataset of that name (KeyError if there is none)."""
        return next_named(self.datasets, name)

    def sheet(self, name: str) -> Sheet:
        """The sheet of that name (KeyError if there is none)."""
        for sheet in self.sheets:
            if sheet.name == name:
                return sheet
        raise KeyError(name)

    @property
    def visuals(self) -> Iterator[Visual]:
        """Every visual, sheet by sheet."""
        return (visual for sheet in self.sheets for visual in sheet.visuals)


def next_named(datasets: tuple[Dataset, ...], name: str) -> Dataset:
    """The dataset of that name (KeyError if there is none)."""
    for dataset in datasets:
        if dataset.name == name:
            return dataset
    raise KeyError(name)


def measures_of(visual: Visual) -> tuple[Measure, ...]:
    """The measures of a visual, in the order of its result."""
    return visual.values if isinstance(visual, Line | Table) else (visual.value,)


def dimensions_of(visual: Visual) -> tuple[Dimension, ...]:
    """The dimensions of a visual, in the order of its result, before any drill-down."""
    if isinstance(visual, Kpi):
        return ()
    if isinstance(visual, Line):
        return (visual.x,)
    if isinstance(visual, Bar | Donut):
        return (visual.category,)
    return visual.group_by if isinstance(visual, Table) else (visual.rows, visual.columns)


def named_measures(visual: Visual) -> list[tuple[str, Measure]]:
    """Each measure of a visual with its path below the visual."""
    if isinstance(visual, Line | Table):
        return [(f"values[{i}]", measure) for i, measure in enumerate(visual.values)]
    sized = [("size", visual.size)] if isinstance(visual, HeatMap) and visual.size is not None else []
    return [("value", visual.value), *sized]


def named_dimensions(visual: Visual) -> list[tuple[str, Dimension]]:
    """Each dimension of a visual with its path below the visual, drill-down included."""
    if isinstance(visual, Kpi):
        return []
    if isinstance(visual, Line):
        return [("x", visual.x)]
    if isinstance(visual, Bar):
        return [("category", visual.category), *((f"drill[{i}]", d) for i, d in enumerate(visual.drill))]
    if isinstance(visual, Donut):
        return [("category", visual.category)]
    if isinstance(visual, Table):
        return [(f"group_by[{i}]", dimension) for i, dimension in enumerate(visual.group_by)]
    return [("rows", visual.rows), ("columns", visual.columns)]
