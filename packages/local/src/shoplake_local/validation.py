"""Every request held against AWS's own model: required, unknown, type, length, enum, pattern and maximum.

botocore checks the first four before it sends; it lets a wrong enum, pattern or maximum pass, and AWS then refuses at
run time. The local AWS refuses here, and `refuse_wrong_parameters` makes a client refuse before it sends anything.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import regex
from botocore.exceptions import ParamValidationError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

__all__ = ["findings", "refuse_wrong_parameters"]

# Java's way to say "every character beyond 16 bits"; Python counts whole characters
_SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"
_WHOLE_CHARACTERS = r"\U00010000-\U0010FFFF"
_SHOWN_CHARACTERS = 80
_NUMBERS = frozenset({"integer", "long", "float", "double"})


@cache
def _pattern(text: str) -> Any:
    return regex.compile(text.replace(_SURROGATES, _WHOLE_CHARACTERS))


def findings(operation: OperationModel, parameters: dict[str, Any]) -> tuple[str, ...]:
    """Everything that is wrong with the parameters, each with its path; empty where AWS would take them."""
    shape = operation.input_shape
    if shape is None:
        return tuple(f'Unknown parameter in input: "{name}"' for name in parameters)
    report = ParamValidator().validate(parameters, shape)
    found = report.generate_report().splitlines() if report.has_errors() else []
    return (*found, *_walk(shape, parameters, ""))


def refuse_wrong_parameters(params: dict[str, Any], model: OperationModel, **_: Any) -> None:
    """A botocore event handler: `session.events.register("before-parameter-build.*.*", refuse_wrong_parameters)`.

    Raises:
        ParamValidationError: Before anything is sent, for what botocore itself lets pass.

    """
    found = findings(model, params)
    if found:
        raise ParamValidationError(report="\n".join(found))


def _walk(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        if isinstance(value, dict):
            for name, member in value.items():
                if name in shape.members:
                    yield from _walk(shape.members[name], member, f"{path}.{name}" if path else name)
    elif isinstance(shape, ListShape):
        if isinstance(value, list | tuple):
            yield from _too_long(shape, len(value), path, "items")
            for number, member in enumerate(value):
                yield from _walk(shape.member, member, f"{path}[{number}]")
    elif isinstance(shape, MapShape):
        if isinstance(value, dict):
            yield from _too_long(shape, len(value), path, "entries")
            for key, member in value.items():
                yield from _walk(shape.key, key, f"{path} (key)")
                yield from _walk(shape.value, member, f"{path}.{key}")
    elif isinstance(shape, StringShape) and isinstance(value, str):
        yield from _wrong_text(shape, value, path)
    elif shape.type_name in _NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
        maximum = shape.metadata.get("max")
        if maximum is not None and value > maximum:
            yield f"Invalid value for parameter {path}, value: {value}, valid max value: {maximum}"


def _too_long(shape: Shape, length: int, path: str, unit: str) -> Iterator[str]:
    maximum = shape.metadata.get("max")
    if maximum is not None and length > maximum:
        yield f"Invalid length for parameter {path}: {length} {unit}, valid max length: {maximum}"


def _wrong_text(shape: StringShape, value: str, path: str) -> Iterator[str]:
    shown = value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}..."
    yield from _too_long(shape, len(value), path, "characters")
    if shape.enum and value not in shape.enum:
        yield f'Invalid value for parameter {path}: "{shown}" is none of {", ".join(shape.enum)}'
    pattern = shape.metadata.get("pattern")
    if pattern and not _pattern(pattern).fullmatch(value):
        yield f'Invalid value for parameter {path}: "{shown}" does not match {pattern}'
