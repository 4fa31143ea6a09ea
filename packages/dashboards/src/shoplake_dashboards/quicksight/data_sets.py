"""The data sets behind a dashboard: one SELECT each over gold, kept in SPICE and refreshed from a look-back window."""

import re
from collections.abc import Mapping
from typing import Any

from shoplake_core.errors import ConfigError
from shoplake_core.logical_types import Kind, LogicalType

from shoplake_dashboards.sql import Contracts, base_query, column_type, dataset_columns
from shoplake_dashboards.tree import Dashboard, Measure, measures_of, named_dimensions

__all__ = ["column_types", "data_set_id", "data_set_request", "refresh_properties", "used_columns"]

_PARAMETER = re.compile(r":(p\d+)\b")


def data_set_id(dashboard: Dashboard, dataset: str, *, prefix: str) -> str:
    """The DataSetId: `<prefix>-<dashboard>-<dataset>`, hyphens for underscores."""
    return f"{prefix}-{dashboard.name}-{dataset}".replace("_", "-")


def _measure_columns(measure: Measure) -> set[str]:
    found = set()
    for aggregate in (measure.value, measure.per):
        if aggregate is not None:
            found |= {aggregate.column, *(condition.column for condition in aggregate.where)}
    return found


def used_columns(dashboard: Dashboard, name: str, contracts: Contracts) -> tuple[str, ...]:
    """The columns of a dataset that its visuals, filters and period need, in the order of the tables."""
    dataset = dashboard.dataset(name)
    wanted = {dataset.date} | {chosen.column for chosen in dashboard.filters}
    for visual in dashboard.visuals:
        if visual.dataset == name:
            wanted |= {dimension.column for _, dimension in named_dimensions(visual)}
            for measure in measures_of(visual):
                wanted |= _measure_columns(measure)
    return tuple(column for column in dataset_columns(dataset, contracts) if column in wanted)


def _input_type(kind: LogicalType) -> str:
    if kind.kind in {Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP}:
        return "DATETIME"
    if kind.is_integer and kind.kind is not Kind.UINT64:  # which is NUMERIC(20,0) in the warehouse
        return "INTEGER"
    return "DECIMAL" if kind.is_numeric else "STRING"  # a boolean is 'yes' or 'no' in the SELECT


def column_types(dashboard: Dashboard, name: str, contracts: Contracts) -> dict[str, str]:
    """Column -> its InputColumn type."""
    dataset = dashboard.dataset(name)
    return {
        column: _input_type(column_type(dataset, column, contracts))
        for column in used_columns(dashboard, name, contracts)
    }


def _literal_sql(sql: str, parameters: Mapping[str, str]) -> str:
    # A data set takes no bound parameters. The values are those of the project's own file.
    def literal(match: re.Match[str]) -> str:
        value = parameters[match.group(1)]
        if "\\" in value:
            raise ConfigError(
                f"a data set's SQL cannot hold the text {value!r} safely",
                hint="put the condition in the gold model's SQL, as a column of its own",
            )
        return "'" + value.replace("'", "''") + "'"

    return _PARAMETER.sub(literal, sql)


def data_set_request(
    dashboard: Dashboard,
    name: str,
    *,
    contracts: Contracts,
    account_id: str,
    data_source_arn: str,
    prefix: str,
) -> dict[str, Any]:
    """The request of `create_data_set`, without permissions and tags."""
    types = column_types(dashboard, name, contracts)
    query = base_query(dashboard.dataset(name), tuple(types), contracts)
    return {
        "AwsAccountId": account_id,
        "DataSetId": data_set_id(dashboard, name, prefix=prefix),
        "Name": f"{dashboard.title}: {name}",
        "PhysicalTableMap": {
            "gold": {
                "CustomSql": {
                    "DataSourceArn": data_source_arn,
                    "Name": name,
                    "SqlQuery": _literal_sql(query.sql, query.parameters),
                    "Columns": [{"Name": column, "Type": kind} for column, kind in types.items()],
                }
            }
        },
        "ImportMode": "DIRECT_QUERY" if dashboard.direct_query else "SPICE",
    }


def refresh_properties(dashboard: Dashboard, name: str, *, lookback_days: int) -> dict[str, Any] | None:
    """The DataSetRefreshProperties of an incremental refresh; None where every refresh is a full one.

    Args:
        dashboard: A checked dashboard.
        name: One of its datasets.
        lookback_days: How far back gold may still change: a smaller window would leave SPICE with other numbers.

    """
    dataset = dashboard.dataset(name)
    if dashboard.direct_query or not dataset.date:
        return None
    window = {"ColumnName": dataset.date, "Size": lookback_days, "SizeUnit": "DAY"}
    return {"RefreshConfiguration": {"IncrementalRefresh": {"LookbackWindow": window}}}
