"""The metrics catalogue, `metrics.toml`: each figure's name, formula, unit and caveat, written once. Tile titles, tool-tips, the
documentation and `shoplake metrics show` read it from here.

    [aov]
    title = "Average order value"
    table = "agg_store_daily"
    formula = "sum(order_value) / sum(orders)"
    unit = "currency"
    ...

A formula is the sum of a column, or one sum by another: that is right over any set of rows, where a mean of ratios is not.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from shoplake_core.contracts import TableContract
from shoplake_core.errors import ConfigError
from shoplake_core.identifiers import checked_identifier
from shoplake_core.suggestions import did_you_mean

__all__ = ["METRICS_FILE_NAME", "Metric", "MetricUnit", "parse_metrics"]

METRICS_FILE_NAME = "metrics.toml"
_TEXTS = ("title", "table", "formula", "grain", "unit", "owner", "definition", "source")
_FIELDS = (*_TEXTS, "date", "caveat", "lower_is_better")
_SUM = r"sum\(\s*([a-z][a-z0-9_]*)\s*\)"
_FORMULA = re.compile(rf"^{_SUM}(?:\s*/\s*{_SUM})?$")


class MetricUnit(Enum):
    """What a figure counts."""

    CURRENCY = "currency"
    COUNT = "count"
    PERCENT = "percent"
    NUMBER = "number"
    DAYS = "days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure.

    Attributes:
        name: What dashboards and commands call it.
        title: What a reader calls it.
        table: The gold table that it is a formula over.
        formula: As written: `sum(a)` or `sum(a) / sum(b)`.
        numerator: Column whose sum it is, or stands above the line.
        denominator: Column whose sum stands below the line; "" for none.
        date: Column of the table that a period filters; "" where the table holds one moment.
        grain: Which rows it may be taken over, in words.
        unit: What it counts; a currency is the store's.
        owner: Who says what it means.
        definition: One sentence.
        caveat: What a reader must know before comparing; "" for nothing.
        source: Where the definition comes from.
        lower_is_better: Whether a rise is bad news.

    """

    name: str
    title: str
    table: str
    formula: str
    numerator: str
    denominator: str = ""
    date: str = ""
    grain: str
    unit: MetricUnit
    owner: str
    definition: str
    caveat: str = ""
    source: str
    lower_is_better: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table that the formula names."""
        return (self.numerator, self.denominator) if self.denominator else (self.numerator,)

    @property
    def sql(self) -> str:
        """The formula as an SQL expression over the table's rows, in Redshift's, PostgreSQL's and Spark's words; null where the
        denominator is 0 or there is no row.
        """
        above = f'SUM("{self.numerator}")'
        return f'1.0 * {above} / NULLIF(SUM("{self.denominator}"), 0)' if self.denominator else above


class _Faults:
    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, path: str, fault: str) -> None:
        self.found.append(f"{path}: {fault}")


def _checked_columns(metric: Metric, contract: TableContract, faults: _Faults) -> None:
    for column in metric.columns:
        path = f"{metric.name}.formula"
        if column not in contract.column_names:
            near = did_you_mean(column, contract.column_names)
            faults.add(path, f'gold table {metric.table} has no column "{column}"{near}')
        elif not contract.column(column).type.is_numeric:
            faults.add(path, f"{metric.table}.{column} is {contract.column(column).type}: only numbers can be summed")
    if metric.date and metric.date not in contract.column_names:
        near = did_you_mean(metric.date, contract.column_names)
        faults.add(f"{metric.name}.date", f'gold table {metric.table} has no column "{metric.date}"{near}')


def _metric(name: str, data: Mapping[str, Any], gold: Mapping[str, TableContract], faults: _Faults) -> Metric | None:
    before = len(faults.found)
    try:
        checked_identifier(name, "metric")
    except ConfigError as error:
        faults.add(name, error.message)
    for field, value in data.items():
        if field not in _FIELDS:
            faults.add(f"{name}.{field}", f"unknown field{did_you_mean(field, _FIELDS)}")
        elif not isinstance(value, bool if field == "lower_is_better" else str):
            wanted = "true or false" if field == "lower_is_better" else "a text"
            faults.add(f"{name}.{field}", f"{wanted} is needed, and it is {value!r}")
    for field in _TEXTS:
        if not str(data.get(field, "")).strip():
            faults.add(f"{name}.{field}", "missing")
    formula, table, unit = (str(data.get(field, "")) for field in ("formula", "table", "unit"))
    parts = _FORMULA.match(formula.strip())
    if formula and parts is None:
        faults.add(f"{name}.formula", f'"{formula}" is neither sum(column) nor sum(column) / sum(column)')
    if table and table not in gold:
        faults.add(f"{name}.table", f'no gold table "{table}"{did_you_mean(table, gold)}')
    units = [member.value for member in MetricUnit]
    if unit and unit not in units:
        faults.add(f"{name}.unit", f'"{unit}" is none of {", ".join(units)}{did_you_mean(unit, units)}')
    if parts is None or len(faults.found) > before:
        return None
    metric = Metric(
        name=name,
        title=data["title"],
        table=table,
        formula=formula.strip(),
        numerator=parts.group(1),
        denominator=parts.group(2) or "",
        date=data.get("date", ""),
        grain=data["grain"],
        unit=MetricUnit(unit),
        owner=data["owner"],
        definition=data["definition"],
        caveat=data.get("caveat", ""),
        source=data["source"],
        lower_is_better=data.get("lower_is_better", False),
    )
    _checked_columns(metric, gold[table], faults)
    return metric


def parse_metrics(text: str, gold: Mapping[str, TableContract], *, where: str) -> dict[str, Metric]:
    """The metrics written in TOML `text`, by name and in the order of the file.

    Args:
        text: The file's text.
        gold: The project's gold contracts by name, which every formula is checked against.
        where: The file's path, for messages.

    Raises:
        ConfigError: Listing every fault of the file with its path and the nearest right name.

    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{where} is not valid TOML: {error}", hint="mend the line that it names", file=where
        ) from error
    faults = _Faults()
    metrics: dict[str, Metric] = {}
    for name, entry in data.items():
        if not isinstance(entry, Mapping):
            faults.add(name, f"[{name}] must be a table of fields, and it is {entry!r}")
        elif (metric := _metric(name, entry, gold, faults)) is not None:
            metrics[name] = metric
    if faults.found:
        lines = "\n".join(f"  - {fault}" for fault in faults.found)
        raise ConfigError(
            f"{where} is not a valid metrics catalogue:\n{lines}", hint=f"edit {where}", file=where, faults=faults.found
        )
    return metrics
