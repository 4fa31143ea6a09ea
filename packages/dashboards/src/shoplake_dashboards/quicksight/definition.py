"""A dashboard as a DashboardVersionDefinition, checked against the service model and against itself before it is given out."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from shoplake_core.errors import ConfigError

from shoplake_dashboards.layout import placed
from shoplake_dashboards.parity import Rendering, account_for
from shoplake_dashboards.quicksight.data_sets import column_types
from shoplake_dashboards.quicksight.expressions import BEFORE, FROM, NOW, TO, CalculatedFields, span, span_name
from shoplake_dashboards.quicksight.meaning import meaning_faults
from shoplake_dashboards.quicksight.validation import model_faults
from shoplake_dashboards.quicksight.visuals import VisualMaker, compares
from shoplake_dashboards.sql import Contracts, dataset_columns
from shoplake_dashboards.tree import CategoryFilter, Dashboard, Dataset, Sheet

__all__ = ["definition_faults", "quicksight_definition", "sent_hash"]

Json = dict[str, Any]
ROLLING: Mapping[str, tuple[str, str]] = {  # period -> first and last day; the store's zone is the data source's
    **{
        f"last_{days}_days": (
            f"addDateTime(-{days}, 'DD', truncDate('DD', now()))",
            "addDateTime(-1, 'DD', truncDate('DD', now()))",
        )
        for days in (7, 28, 90, 365)
    },
    "last_7_days_so_far": ("addDateTime(-6, 'DD', truncDate('DD', now()))", "truncDate('DD', now())"),
    "month_to_date": ("truncDate('MM', now())", "truncDate('DD', now())"),
    "last_12_months": ("addDateTime(-12, 'MM', truncDate('MM', now()))", "truncDate('DD', now())"),
}
_CONTROL_COLUMNS = 6


def _parameters(dashboard: Dashboard) -> list[Json]:
    if dashboard.dates is None:
        return []
    return [
        {
            "DateTimeParameterDeclaration": {
                "Name": name,
                "DefaultValues": {"RollingDate": {"Expression": expression}},
                "TimeGranularity": "DAY",
            }
        }
        for name, expression in zip((FROM, TO), ROLLING[dashboard.dates.default], strict=True)
    ]


def _scope(dashboard: Dashboard, dataset: Dataset, *, comparing: bool) -> Json | None:
    """The visuals of a dataset that do, or do not, need the rows of the period before."""
    scopes = []
    for sheet in dashboard.sheets:
        ids = [v.id for v in sheet.visuals if v.dataset == dataset.name and compares(v) is comparing]
        if ids:
            scopes.append({"SheetId": sheet.name, "Scope": "SELECTED_VISUALS", "VisualIds": ids})
    return {"SelectedSheets": {"SheetVisualScopingConfigurations": scopes}} if scopes else None


def _date_filters(dashboard: Dashboard, fields: CalculatedFields) -> list[Json]:
    found: list[Json] = []
    for dataset in dashboard.datasets if dashboard.dates is not None else ():
        if not dataset.date:
            continue
        plain, both = (_scope(dashboard, dataset, comparing=comparing) for comparing in (False, True))
        if plain:
            within = {
                "FilterId": f"{dataset.name}_period",
                "Column": {"DataSetIdentifier": dataset.name, "ColumnName": dataset.date},
                "IncludeMinimum": True,
                "IncludeMaximum": True,
                "RangeMinimumValue": {"Parameter": FROM},
                "RangeMaximumValue": {"Parameter": TO},
                "NullOption": "NON_NULLS_ONLY",
                "TimeGranularity": "DAY",
            }
            found.append(_group(f"{dataset.name}_period_group", {"TimeRangeFilter": within}, plain, "SINGLE_DATASET"))
        if both:
            name = fields.named(dataset, span(dataset), span_name(dataset), dataset.name)
            either = {
                "FilterId": f"{dataset.name}_periods",
                "Column": {"DataSetIdentifier": dataset.name, "ColumnName": name},
                "Configuration": {
                    "FilterListConfiguration": {"MatchOperator": "CONTAINS", "CategoryValues": [NOW, BEFORE]}
                },
            }
            found.append(_group(f"{dataset.name}_periods_group", {"CategoryFilter": either}, both, "SINGLE_DATASET"))
    return found


def _group(group_id: str, filter_: Json, scope: Json, cross: str) -> Json:
    return {
        "FilterGroupId": group_id,
        "Filters": [filter_],
        "ScopeConfiguration": scope,
        "Status": "ENABLED",
        "CrossDataset": cross,
    }


def _category_filter(dashboard: Dashboard, chosen: CategoryFilter, contracts: Contracts) -> Json:
    holders = [d for d in dashboard.datasets if chosen.column in dataset_columns(d, contracts)]
    account_for(chosen, Rendering.QUICKSIGHT)
    made: Json = {
        "FilterId": f"filter_{chosen.column}",
        "Column": {"DataSetIdentifier": holders[0].name, "ColumnName": chosen.column},
        "Configuration": {
            "FilterListConfiguration": {
                "MatchOperator": "CONTAINS",
                "SelectAllOptions": "FILTER_ALL_VALUES",
                "NullOption": "ALL_VALUES",
            }
        },
    }
    if len(dashboard.sheets) > 1:
        scope: Json = {"AllSheets": {}}
        made["DefaultFilterControlConfiguration"] = {
            "Title": chosen.label,
            "ControlOptions": {"DefaultDropdownOptions": {"Type": "MULTI_SELECT"}},
        }
    else:
        sheet = {"SheetId": dashboard.sheets[0].name, "Scope": "ALL_VISUALS"}
        scope = {"SelectedSheets": {"SheetVisualScopingConfigurations": [sheet]}}
    cross = "ALL_DATASETS" if len(holders) > 1 else "SINGLE_DATASET"
    return _group(f"group_{chosen.column}", {"CategoryFilter": made}, scope, cross)


def _controls(dashboard: Dashboard, sheet: Sheet) -> tuple[list[Json], list[Json], list[str]]:
    """Parameter controls and filter controls of a sheet, and all their ids."""
    parameters: list[Json] = []
    if dashboard.dates is not None:
        account_for(dashboard.dates, Rendering.QUICKSIGHT)
        parameters = [
            {
                "DateTimePicker": {
                    "ParameterControlId": f"{sheet.name}_{name.lower()}",
                    "Title": title,
                    "SourceParameterName": name,
                    "DisplayOptions": {"DateTimeFormat": "YYYY-MM-DD"},
                }
            }
            for name, title in ((FROM, "From"), (TO, "To and with"))
        ]
    filters: list[Json] = []
    for chosen in dashboard.filters:
        control = {
            "FilterControlId": f"{sheet.name}_{chosen.column}",
            "SourceFilterId": f"filter_{chosen.column}",
        }
        if len(dashboard.sheets) > 1:
            filters.append({"CrossSheet": control})
        else:
            filters.append({"Dropdown": control | {"Title": chosen.label, "Type": "MULTI_SELECT"}})
    ids = [c["ParameterControlId"] for e in parameters for c in e.values()]
    ids += [c["FilterControlId"] for e in filters for c in e.values()]
    return parameters, filters, ids


def _sheet(dashboard: Dashboard, sheet: Sheet, maker: VisualMaker) -> Json:
    for visual in sheet.visuals:
        account_for(visual, Rendering.QUICKSIGHT)
    parameters, filters, ids = _controls(dashboard, sheet)
    elements = [
        {
            "ElementId": place.visual_id,
            "ElementType": "VISUAL",
            "ColumnIndex": place.column,
            "ColumnSpan": place.width,
            "RowIndex": place.row,
            "RowSpan": place.height,
        }
        for place in placed(sheet)
    ]
    made: Json = {
        "SheetId": sheet.name,
        "Name": sheet.title,
        "Title": f"{dashboard.title}: {sheet.title}",
        "Description": dashboard.question,
        "ContentType": "INTERACTIVE",
        "ParameterControls": parameters,
        "FilterControls": filters,
        "Visuals": [maker.make(visual) for visual in sheet.visuals],
        "Layouts": [{"Configuration": {"GridLayout": {"Elements": elements}}}],
    }
    if ids:
        per_row = 36 // _CONTROL_COLUMNS
        places = [
            {
                "ElementId": name,
                "ElementType": "PARAMETER_CONTROL" if number < len(parameters) else "FILTER_CONTROL",
                "ColumnIndex": number % per_row * _CONTROL_COLUMNS,
                "ColumnSpan": _CONTROL_COLUMNS,
                "RowIndex": number // per_row,
                "RowSpan": 1,
            }
            for number, name in enumerate(ids)
        ]
        made["SheetControlLayouts"] = [{"Configuration": {"GridLayout": {"Elements": places}}}]
    return made


def quicksight_definition(
    dashboard: Dashboard, contracts: Contracts, *, data_set_arns: Mapping[str, str], currency: str
) -> Json:
    """The dashboard as a DashboardVersionDefinition.

    Args:
        dashboard: A checked dashboard.
        contracts: The gold contracts by name.
        data_set_arns: Dataset -> the ARN of its QuickSight data set.
        currency: Of every amount, such as "EUR".

    Raises:
        ConfigError: QuickSight could not take it; the message lists every fault.

    """
    columns = {d.name: column_types(dashboard, d.name, contracts) for d in dashboard.datasets}
    fields = CalculatedFields(contracts, {name for known in columns.values() for name in known})
    maker = VisualMaker(dashboard, contracts, fields, currency)
    sheets = [_sheet(dashboard, sheet, maker) for sheet in dashboard.sheets]
    groups = [*_date_filters(dashboard, fields)]
    groups += [_category_filter(dashboard, chosen, contracts) for chosen in dashboard.filters]
    definition: Json = {
        "DataSetIdentifierDeclarations": [
            {"Identifier": d.name, "DataSetArn": data_set_arns[d.name]} for d in dashboard.datasets
        ],
        "Sheets": sheets,
        "CalculatedFields": fields.to_json(),
        "ParameterDeclarations": _parameters(dashboard),
        "FilterGroups": groups,
    }
    faults = definition_faults(definition, columns)
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise ConfigError(
            f"QuickSight could not take the dashboard {dashboard.name}:\n{lines}",
            hint=f"edit {dashboard.where or dashboard.name}",
            faults=tuple(faults),
        )
    return definition


def definition_faults(definition: Mapping[str, Any], columns: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Every fault of a definition: what the service model forbids, then what would mean nothing; [] for none."""
    faults = model_faults(definition, "DashboardVersionDefinition")
    return faults or meaning_faults(definition, columns)


def sent_hash(sent: Mapping[str, Any]) -> str:
    """SHA-256 of what is sent, in hex, for a tag: what QuickSight answers is reordered and reformatted, so an update is
    needed where this differs, not where the answer does.
    """
    return hashlib.sha256(json.dumps(sent, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()
