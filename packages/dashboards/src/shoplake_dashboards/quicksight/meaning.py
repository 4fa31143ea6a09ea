"""What a definition must mean, beyond the service model: every name it uses exists, and none of the known ways in which
QuickSight shows a blank tile, an empty dashboard or an old label without any error.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shoplake_core.suggestions import did_you_mean

__all__ = ["meaning_faults"]

_COLUMNS = 36
_KPI_OPTIONS = (
    "ProgressBar",
    "TrendArrows",
    "SecondaryValue",
    "Comparison",
    "PrimaryValueDisplayType",
    "PrimaryValueFontConfiguration",
    "SecondaryValueFontConfiguration",
    "Sparkline",
    "VisualLayoutOptions",
)


def _found(value: Any, key: str, path: str) -> Iterator[tuple[str, Any]]:
    """Every value below `value` that stands under `key`, with its path."""
    if isinstance(value, Mapping):
        for name, entry in value.items():
            here = f"{path}.{name}"
            if name == key:
                yield here, entry
            yield from _found(entry, key, here)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _found(entry, key, f"{path}[{number}]")


def _visuals(sheet: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for visual in sheet.get("Visuals", ()):
        yield from visual.items()


def meaning_faults(definition: Mapping[str, Any], columns: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Every fault with its path; [] for none.

    Args:
        definition: A DashboardVersionDefinition.
        columns: Data set identifier -> column -> type as its InputColumns say (STRING, INTEGER, DECIMAL, DATETIME).

    """
    return [
        *_columns(definition, columns),
        *_references(definition),
        *(fault for sheet in definition.get("Sheets", ()) for fault in _sheet(sheet)),
        *_unique(definition),
    ]


def _columns(definition: Mapping[str, Any], columns: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    declared = {entry["Identifier"] for entry in definition["DataSetIdentifierDeclarations"]}
    known = {name: dict(columns.get(name, {})) for name in declared}
    for entry in definition.get("CalculatedFields", ()):
        known.setdefault(entry["DataSetIdentifier"], {})[entry["Name"]] = "CALCULATED"
    for path, entry in _found(definition, "Column", "definition"):
        if not isinstance(entry, Mapping):
            continue
        identifier, name = entry.get("DataSetIdentifier", ""), entry.get("ColumnName", "")
        if identifier not in declared:
            yield f'{path}: data set "{identifier}" is not declared{did_you_mean(identifier, declared)}'
        elif name not in known[identifier]:
            yield f'{path}: no column "{name}" in data set {identifier}{did_you_mean(name, known[identifier])}'
        elif ".CategoricalDimensionField." in path and known[identifier][name] == "DATETIME":
            yield f'{path}: "{name}" is a date in a CategoricalDimensionField, which draws nothing'
        elif ".DateDimensionField." in path and known[identifier][name] not in {"DATETIME", "CALCULATED"}:
            yield f'{path}: "{name}" is {known[identifier][name]}, and a DateDimensionField needs a date'


def _references(definition: Mapping[str, Any]) -> Iterator[str]:
    filters = {
        f["FilterId"] for group in definition.get("FilterGroups", ()) for e in group["Filters"] for f in e.values()
    }
    parameters = {}
    for entry in definition.get("ParameterDeclarations", ()):
        for kind, parameter in entry.items():
            parameters[parameter["Name"]] = parameter
            defaults = parameter.get("DefaultValues", {})
            if kind == "DateTimeParameterDeclaration" and not (
                defaults.get("RollingDate") or defaults.get("StaticValues")
            ):
                yield f'ParameterDeclarations "{parameter["Name"]}": a date parameter without a default shows nothing'
    for path, name in _found(definition, "SourceFilterId", "definition"):
        if name not in filters:
            yield f'{path}: no filter "{name}"{did_you_mean(name, filters)}'
    controlled = set()
    for path, name in _found(definition, "SourceParameterName", "definition"):
        controlled.add(name)
        if name not in parameters:
            yield f'{path}: no parameter "{name}"{did_you_mean(name, parameters)}'
    for key in ("Parameter", "ParameterName"):
        for path, name in _found(definition.get("FilterGroups", []), key, "definition.FilterGroups"):
            if name not in parameters:
                yield f'{path}: no parameter "{name}"{did_you_mean(name, parameters)}'
            elif name not in controlled:
                yield f'{path}: parameter "{name}" has no control: every visual under this filter would be empty'


def _sheet(sheet: Mapping[str, Any]) -> Iterator[str]:
    where = f"sheet {sheet['SheetId']}"
    if len(sheet.get("Name", "")) < 2:
        yield f"{where}: its name has one letter or none, and such a sheet vanishes"
    ids = [visual["VisualId"] for _, visual in _visuals(sheet)]
    controls = [
        control[key]
        for kind, key in (("ParameterControls", "ParameterControlId"), ("FilterControls", "FilterControlId"))
        for entry in sheet.get(kind, ())
        for control in entry.values()
    ]
    for layouts, expected in (("Layouts", ids), ("SheetControlLayouts", controls)):
        placed = []
        for path, elements in _found(sheet.get(layouts, []), "Elements", f"{where}.{layouts}"):
            for number, element in enumerate(elements):
                placed.append(element["ElementId"])
                if element.get("ColumnIndex", 0) + element["ColumnSpan"] > _COLUMNS:
                    yield f"{path}[{number}]: column and span are over {_COLUMNS}"
        for name in placed:
            if name not in expected:
                yield f'{where}.{layouts}: places "{name}", which is not there{did_you_mean(name, expected)}'
        for name in expected:
            if placed.count(name) != 1:
                yield f'{where}.{layouts}: "{name}" is placed {placed.count(name)} times'
    for kind, visual in _visuals(sheet):
        yield from _visual(kind, visual, f"{where}, visual {visual['VisualId']}")


def _visual(kind: str, visual: Mapping[str, Any], where: str) -> Iterator[str]:
    if not visual.get("Title", {}).get("FormatText", {}).get("PlainText"):
        yield f"{where}: has no title"
    if not visual.get("VisualContentAltText"):
        yield f"{where}: has no alt text"
    chart = visual.get("ChartConfiguration", {})
    wells = {name for _, name in _found(chart.get("FieldWells", {}), "FieldId", where)}
    if not wells:
        yield f"{where}: has no field"
    for path, name in _found({key: entry for key, entry in chart.items() if key != "FieldWells"}, "FieldId", where):
        if name not in wells:
            yield f'{path}: no field "{name}" in the wells{did_you_mean(name, wells)}'
    for path, options in _found(chart, "AxisLabelOptions", where):
        if isinstance(options, list):
            for number, option in enumerate(options):
                if "CustomLabel" in option and "ApplyTo" not in option:
                    yield f"{path}[{number}]: a CustomLabel without ApplyTo is ignored"
    if kind == "KPIVisual":
        missing = [name for name in _KPI_OPTIONS if name not in chart.get("KPIOptions", {})]
        if missing:
            yield f"{where}: KPIOptions lacks {', '.join(missing)}; a part of the block gives an empty tile"
    hierarchies = {name for _, name in _found(visual.get("ColumnHierarchies", []), "HierarchyId", where)}
    for path, name in _found(chart, "HierarchyId", where):
        if name not in hierarchies:
            yield f'{path}: no hierarchy "{name}"{did_you_mean(name, hierarchies)}'


def _unique(definition: Mapping[str, Any]) -> Iterator[str]:
    for key in ("VisualId", "SheetId", "FilterId", "FilterGroupId", "ParameterControlId", "FilterControlId"):
        declared = [
            name
            for path, name in _found(definition, key, "definition")
            if not (key in {"VisualId", "SheetId"} and ".ScopeConfiguration." in path)
        ]
        for name in sorted({n for n in declared if declared.count(n) > 1}):
            yield f'definition: {key} "{name}" is there more than once'
