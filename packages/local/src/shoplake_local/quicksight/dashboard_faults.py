"""What QuickSight finds in a definition after it took it: data sets and columns that are not there. Pure.

The words and types are those that accounts report for such dashboards.
"""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["dashboard_faults"]

_IDENTIFIER, _COLUMN = "DataSetIdentifier", "ColumnName"


def dashboard_faults(definition: Mapping[str, Any], columns: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """The Errors of a version with that definition; [] for none.

    Args:
        definition: A DashboardVersionDefinition.
        columns: ARN of each data set that is there -> column -> type.

    """
    arns = {one["Identifier"]: one["DataSetArn"] for one in definition["DataSetIdentifierDeclarations"]}
    faults: list[dict[str, Any]] = [
        {"Type": "DATA_SET_NOT_FOUND", "Message": f"The data set '{arn}' of '{name}' is not found"}
        for name, arn in sorted(arns.items())
        if arn not in columns
    ]
    calculated = {(one[_IDENTIFIER], one["Name"]) for one in definition.get("CalculatedFields", [])}
    seen: set[tuple[str, str]] = set()
    for path, identifier, column in _columns(definition, ""):
        if (identifier, column) in seen | calculated:
            continue
        seen.add((identifier, column))
        arn = arns.get(identifier)
        if arn is None:
            message = f"The data set identifier '{identifier}' is not declared"
            faults.append({"Type": "DATA_SET_NOT_FOUND", "Message": message, "ViolatedEntities": [{"Path": path}]})
        elif column not in columns.get(arn, {column: ""}):
            message = f"Required column '{column}' is missing in data set '{arn}'"
            fault = {"Type": "COLUMN_REPLACEMENT_MISSING", "Message": message, "ViolatedEntities": [{"Path": path}]}
            faults.append(fault)
    return faults


def _columns(value: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Path, data set identifier and name of every column that is named."""
    if isinstance(value, Mapping):
        if _IDENTIFIER in value and _COLUMN in value:
            yield path, value[_IDENTIFIER], value[_COLUMN]
        for name, member in value.items():
            yield from _columns(member, f"{path}/{name}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _columns(member, f"{path}/{number}")
