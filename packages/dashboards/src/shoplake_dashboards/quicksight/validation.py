"""What of QuickSight's service model a value breaks. botocore alone checks names, types, required members and minima; it lets
every enum, maximum, pattern and "exactly one member" pass. This walk over the same model holds them too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

__all__ = ["model_faults"]

# Only some of QuickSight's unions are marked as such in the model; of these the documentation says one member only.
_UNIONS = frozenset(
    {
        "CategoryFilterConfiguration",
        "ColumnHierarchy",
        "DimensionField",
        "FieldSortOptions",
        "Filter",
        "FilterControl",
        "FilterScopeConfiguration",
        "LayoutConfiguration",
        "MeasureField",
        "NumericFormatConfiguration",
        "ParameterControl",
        "ParameterDeclaration",
        "PhysicalTable",
        "SheetControlLayoutConfiguration",
        "TimeRangeFilterValue",
        "Visual",
    }
)


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("quicksight")


@cache
def _shape(name: str) -> Shape:
    return _model().shape_for(name)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # The models' patterns are Java's: another end of text, and letters, marks and digits of any script by name.
    return re.compile(pattern.replace("\\z", "\\Z").replace("\\p{L}\\p{M}\\p{N}", "\\w"))


def model_faults(value: Mapping[str, Any], shape_name: str) -> list[str]:
    """Every fault of `value` as a shape such as "DashboardVersionDefinition", each with its path; [] for none."""
    shape = _shape(shape_name)
    report = ParamValidator().validate(value, shape)
    faults = report.generate_report().splitlines() if report.has_errors() else []
    return [*faults, *_walk(value, shape, shape_name)]


def _walk(value: Any, shape: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        if shape.name in _UNIONS or getattr(shape, "is_tagged_union", False):
            given = sorted(key for key in value if key in shape.members)
            if len(given) != 1:
                yield f"{path}: exactly one member is needed, and there are {', '.join(given) or 'none'}"
        for name, member in value.items():
            if name in shape.members:
                yield from _walk(member, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list" and isinstance(value, Sequence):
        yield from _size(len(value), shape, path, " entries")
        for number, entry in enumerate(value):
            yield from _walk(entry, shape.member, f"{path}[{number}]")
    elif shape.type_name == "map" and isinstance(value, Mapping):
        yield from _size(len(value), shape, path, " entries")
        for key, entry in value.items():
            yield from _walk(key, shape.key, f"{path} key {key!r}")
            yield from _walk(entry, shape.value, f"{path}.{key}")
    elif shape.type_name == "string" and isinstance(value, str):
        yield from _size(len(value), shape, path, " characters")
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value!r} is none of {', '.join(shape.enum)}"
        pattern = shape.metadata.get("pattern")
        if pattern and not _compiled(pattern).fullmatch(value):
            yield f"{path}: {value!r} does not match {pattern}"
    elif shape.type_name in {"integer", "long", "float", "double"} and isinstance(value, int | float):
        yield from _size(value, shape, path, "")


def _size(size: float, shape: Any, path: str, of: str) -> Iterator[str]:
    highest = shape.metadata.get("max")  # botocore holds the minimum
    if highest is not None and size > highest:
        yield f"{path}: {size}{of}, at most {highest}"
