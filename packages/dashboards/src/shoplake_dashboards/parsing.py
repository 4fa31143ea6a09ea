"""A dashboard from TOML text. Only its form is read here: whether the columns exist is `checking`'s part.

    title = "Sales performance"
    question = "How much do we sell?"

    [[datasets]]
    name = "sales"
    table = "agg_sales_daily"
    date = "event_date"

    [[sheets]]
    name = "overview"
    title = "Overview"

    [[sheets.visuals]]
    kind = "kpi"
    id = "net_sales"
    title = "Net sales"
    alt = "Net sales of the period."
    dataset = "sales"
    value = { sum = "net_sales", unit = "currency" }

A measure names one aggregation and its column; `per` divides, `where` counts only some rows, `metric` takes all of it from
the metrics catalogue that the caller passes.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from enum import Enum
from typing import Any, TypeVar

from shoplake_core.errors import ConfigError
from shoplake_core.suggestions import did_you_mean

from shoplake_dashboards.findings import Findings
from shoplake_dashboards.tree import (
    Aggregate,
    Aggregation,
    Bar,
    CategoryFilter,
    Condition,
    Dashboard,
    Dataset,
    DateFilter,
    Dimension,
    Donut,
    Granularity,
    HeatMap,
    Join,
    Kpi,
    Line,
    Measure,
    Operator,
    Pivot,
    RollUp,
    Sheet,
    Table,
    Unit,
    Visual,
)

__all__ = ["parse_dashboard"]

KINDS: Mapping[str, type[Visual]] = {
    "kpi": Kpi,
    "line": Line,
    "bar": Bar,
    "donut": Donut,
    "table": Table,
    "pivot": Pivot,
    "heat_map": HeatMap,
}
_SIZES: Mapping[type[Visual], tuple[int, int]] = {  # width of 36 columns, height in rows
    Kpi: (9, 5),
    Line: (36, 10),
    Bar: (18, 10),
    Donut: (12, 10),
    Table: (36, 12),
    Pivot: (36, 10),
    HeatMap: (36, 12),
}
_LIMITS = {"top": (1, 60), "limit": (1, 1000), "sort_by": (0, 200)}
_MEASURE_FIELDS = ("label", "per", "unit", "lower_is_better", "where", "metric", *(a.value for a in Aggregation))
_NOTHING = Aggregate(aggregation=Aggregation.COUNT, column="")  # stands in after a fault, so that reading goes on
_PLAIN = re.compile(r"^[a-z][a-z0-9_]{0,62}$")
_E = TypeVar("_E", bound=Enum)


class _Reader:
    def __init__(self, found: Findings, metrics: Mapping[str, Measure]) -> None:
        self.found = found
        self.metrics = metrics

    def text(self, data: Mapping[str, Any], field: str, path: str, *, needed: bool = True) -> str:
        value = data.get(field, "")
        if not isinstance(value, str):
            self.found.add(f"{path}.{field}", f"a text is needed, and it is {value!r}")
            return ""
        if needed and not value.strip():
            why = ": say what a reader who cannot see it should know" if field == "alt" else ""
            self.found.add(f"{path}.{field}".lstrip("."), f"missing{why}")
        return value

    def name(self, data: Mapping[str, Any], field: str, path: str) -> str:
        value = self.text(data, field, path)
        if value and not _PLAIN.match(value):
            self.found.add(f"{path}.{field}", f'"{value}" is not snake_case (a-z, 0-9, _; 63 at most)')
        return value

    def number(self, data: Mapping[str, Any], field: str, path: str, limits: tuple[int, int], default: int) -> int:
        value = data.get(field, default)
        low, high = limits
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.found.add(f"{path}.{field}", f"{value!r} is not a whole number from {low} to {high}")
            return default
        return value

    def flag(self, data: Mapping[str, Any], field: str, path: str, default: Any) -> bool:
        value = data.get(field, default)
        if not isinstance(value, bool):
            self.found.add(f"{path}.{field}", f"{value!r} is neither true nor false")
            return bool(default)
        return value

    def member(self, kind: type[_E], value: Any, path: str, default: _E) -> _E:
        names = [str(member.value) for member in kind]
        if value in names:
            return kind(value)
        self.found.add(path, f"{value!r} is none of {', '.join(names)}{did_you_mean(str(value), names)}")
        return default

    def table(self, data: Mapping[str, Any], field: str, path: str) -> Mapping[str, Any]:
        value = data.get(field)
        if isinstance(value, Mapping):
            return value
        self.found.add(f"{path}.{field}", "missing" if value is None else f"a table is needed, and it is {value!r}")
        return {}

    def tables(self, data: Mapping[str, Any], field: str, path: str) -> list[Mapping[str, Any]]:
        value = data.get(field, [])
        if isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value):
            return value
        self.found.add(f"{path}.{field}".lstrip("."), "a list of tables is needed")
        return []

    def texts(self, data: Mapping[str, Any], field: str, path: str) -> tuple[str, ...]:
        value = data.get(field, [])
        value = [value] if isinstance(value, str) else value
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            return tuple(value)
        self.found.add(f"{path}.{field}".lstrip("."), "a list of texts is needed")
        return ()

    def conditions(self, data: Mapping[str, Any], path: str) -> tuple[Condition, ...]:
        if "where" not in data:
            return ()
        made = []
        for column, given in self.table(data, "where", path).items():
            here = f"{path}.where.{column}"
            if isinstance(given, Mapping):
                if len(given) != 1:
                    self.found.add(here, "exactly one of at_least, at_most, not_in is needed")
                    continue
                ((word, value),) = given.items()
                operator = self.member(Operator, word, here, Operator.IN)
            else:
                operator, value = Operator.IN, given
            values = tuple(value) if isinstance(value, list) else (value,)
            if not values or not all(isinstance(entry, str | int | bool) for entry in values):
                self.found.add(here, f"{value!r} is no text, whole number, true or false, nor a list of these")
            elif operator in {Operator.AT_LEAST, Operator.AT_MOST} and len(values) != 1:
                self.found.add(here, f"{operator.value} takes one value")
            else:
                made.append(Condition(column, operator, values))
        return tuple(made)

    def aggregate(self, data: Mapping[str, Any], path: str) -> Aggregate:
        named = [a for a in Aggregation if a.value in data]
        if len(named) != 1:
            words = ", ".join(a.value for a in Aggregation)
            self.found.add(path, f'exactly one of {words} is needed, as in {{ sum = "net_sales" }}')
            return _NOTHING
        return Aggregate(
            aggregation=named[0],
            column=self.text(data, named[0].value, path),
            where=self.conditions(data, path),
        )

    def measure(self, data: Mapping[str, Any], path: str, *, title: str) -> Measure:
        self.found.known(path, data, _MEASURE_FIELDS)
        if "metric" in data:
            name = self.text(data, "metric", path)
            if name in self.metrics:
                known = self.metrics[name]
                label = self.text(data, "label", path, needed=False) or known.label
                for field in data:
                    if field not in {"metric", "label"}:
                        self.found.add(f"{path}.{field}", "the metric says it already")
                return replace(known, label=label)
            self.found.add(f"{path}.metric", f'no metric "{name}"{did_you_mean(name, self.metrics)}')
            return Measure(label=title, value=_NOTHING)
        per = None
        if "per" in data:
            inner = self.table(data, "per", path)
            self.found.known(f"{path}.per", inner, ("where", *(a.value for a in Aggregation)))
            per = self.aggregate(inner, f"{path}.per")
        return Measure(
            label=self.text(data, "label", path, needed=False) or title,
            value=self.aggregate(data, path),
            per=per,
            unit=self.member(Unit, data.get("unit", "number"), f"{path}.unit", Unit.NUMBER),
            lower_is_better=self.flag(data, "lower_is_better", path, default=False),
        )

    def dimension(self, data: Mapping[str, Any], path: str) -> Dimension:
        self.found.known(path, data, ("column", "label", "by", "order"))
        column = self.text(data, "column", path)
        by = data.get("by")
        return Dimension(
            column=column,
            label=self.text(data, "label", path, needed=False) or column.replace("_", " ").capitalize(),
            granularity=None if by is None else self.member(Granularity, by, f"{path}.by", Granularity.DAY),
            order=self.texts(data, "order", path),
        )

    def dataset(self, data: Mapping[str, Any], path: str) -> Dataset:
        self.found.known(path, data, ("name", "table", "date", "joins", "where", "roll_up"))
        joins = []
        for number, join in enumerate(self.tables(data, "joins", path)):
            here = f"{path}.joins[{number}]"
            self.found.known(here, join, ("table", "on", "columns"))
            joins.append(
                Join(
                    table=self.text(join, "table", here),
                    on=self.texts(join, "on", here),
                    columns=self.texts(join, "columns", here),
                )
            )
        return Dataset(
            name=self.name(data, "name", path),
            table=self.text(data, "table", path),
            date=self.text(data, "date", path, needed=False),
            joins=tuple(joins),
            where=self.conditions(data, path),
            roll_up=self.roll_up(data, path),
        )

    def roll_up(self, data: Mapping[str, Any], path: str) -> RollUp | None:
        if "roll_up" not in data:
            return None
        given, here = self.table(data, "roll_up", path), f"{path}.roll_up"
        self.found.known(here, given, ("table", "date", "totals"))
        return RollUp(
            table=self.text(given, "table", here),
            date=self.text(given, "date", here),
            totals=self.texts(given, "totals", here),
        )

    def visual(self, data: Mapping[str, Any], path: str) -> Visual | None:
        kind = KINDS.get(str(data.get("kind")))
        if kind is None:
            word = str(data.get("kind", "(missing)"))
            self.found.add(f"{path}.kind", f'"{word}" is none of {", ".join(KINDS)}{did_you_mean(word, KINDS)}')
            return None
        members = {field.name: field for field in fields(kind)}
        self.found.known(path, data, ("kind", *members))
        width, height = _SIZES[kind]
        title = self.text(data, "title", path)
        made: dict[str, Any] = {
            "id": self.name(data, "id", path),
            "title": title,
            "alt": self.text(data, "alt", path),
            "dataset": self.text(data, "dataset", path),
            "note": self.text(data, "note", path, needed=False),
            "empty": self.text(data, "empty", path, needed=False),
            "width": self.number(data, "width", path, (6, 36), width),
            "height": self.number(data, "height", path, (3, 21), height),
        }
        for name, field in members.items():
            here = f"{path}.{name}"
            if name in made:
                continue
            if name not in data and field.default is not MISSING:
                continue
            if name in {"value", "size"}:
                made[name] = self.measure(self.table(data, name, path), here, title=title)
            elif name == "values":
                entries = self.tables(data, name, path)
                made[name] = tuple(self.measure(v, f"{here}[{i}]", title=title) for i, v in enumerate(entries))
                if not entries:
                    self.found.add(here, "at least one measure is needed")
            elif name in {"x", "category", "rows", "columns"}:
                made[name] = self.dimension(self.table(data, name, path), here)
            elif name in {"group_by", "drill"}:
                entries = self.tables(data, name, path)
                made[name] = tuple(self.dimension(v, f"{here}[{i}]") for i, v in enumerate(entries))
                if not entries:
                    self.found.add(here, "at least one dimension is needed")
            elif isinstance(field.default, str):
                made[name] = self.text(data, name, path)
            elif isinstance(field.default, bool):
                made[name] = self.flag(data, name, path, default=field.default)
            else:
                made[name] = self.number(data, name, path, _LIMITS[name], int(field.default))  # type: ignore[arg-type]
        if not made["note"] and isinstance(value := made.get("value"), Measure):
            made["note"] = value.definition
        return kind(**made)

    def sheet(self, data: Mapping[str, Any], path: str) -> Sheet:
        self.found.known(path, data, ("name", "title", "visuals"))
        visuals = [self.visual(v, f"{path}.visuals[{i}]") for i, v in enumerate(self.tables(data, "visuals", path))]
        return Sheet(
            name=self.name(data, "name", path),
            title=self.text(data, "title", path),
            visuals=tuple(visual for visual in visuals if visual is not None),
        )


def parse_dashboard(text: str, *, name: str, where: str, metrics: Mapping[str, Measure] | None = None) -> Dashboard:
    """The dashboard written in TOML `text`, not yet held against any contract.

    Args:
        text: The file's text.
        name: The dashboard's name: the file's, without suffix.
        where: The file's path, for messages.
        metrics: Measures that `metric = "..."` may name.

    Raises:
        ConfigError: Listing every fault of its form.

    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{where} is not valid TOML: {error}", hint="mend the line that it names", file=where
        ) from error
    found = Findings(where)
    read = _Reader(found, metrics or {})
    found.known("", data, ("title", "question", "datasets", "sheets", "dates", "filters", "direct_query"))
    if not _PLAIN.match(name):
        found.add("(file name)", f'"{name}" is not snake_case')
    dates = None
    if "dates" in data:
        given = read.table(data, "dates", "")
        found.known("dates", given, ("default", "periods"))
        dates = DateFilter(default=read.text(given, "default", "dates"), periods=read.texts(given, "periods", "dates"))
    filters = []
    for number, entry in enumerate(read.tables(data, "filters", "")):
        path = f"filters[{number}]"
        found.known(path, entry, ("column", "label"))
        filters.append(CategoryFilter(column=read.text(entry, "column", path), label=read.text(entry, "label", path)))
    dashboard = Dashboard(
        name=name,
        title=read.text(data, "title", ""),
        question=read.text(data, "question", ""),
        datasets=tuple(read.dataset(d, f"datasets[{i}]") for i, d in enumerate(read.tables(data, "datasets", ""))),
        sheets=tuple(read.sheet(s, f"sheets[{i}]") for i, s in enumerate(read.tables(data, "sheets", ""))),
        dates=dates,
        filters=tuple(filters),
        direct_query=read.flag(data, "direct_query", "", default=False),
        where=where,
    )
    found.raise_if_any()
    return dashboard
