"""Every call held against AWS's own model before it is sent: enum, pattern and maximum, which botocore lets pass.

botocore itself checks required and unknown members, types and minima. Cross-field rules are in no model.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import regex
from botocore.exceptions import ParamValidationError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

__all__ = ["findings", "refuse_wrong_parameters"]

# Java's way to say "every character beyond 16 bits"; Python counts whole characters
_SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"
_WHOLE_CHARACTERS = r"\U00010000-\U0010FFFF"
_NUMBERS = frozenset({"integer", "long", "float", "double"})


@cache
def _pattern(text: str) -> Any:
    return regex.compile(text.replace(_SURROGATES, _WHOLE_CHARACTERS))


def refuse_wrong_parameters(params: dict[str, Any], model: OperationModel, **_: Any) -> None:
    """A botocore event handler: `session.events.register("before-parameter-build.*.*", refuse_wrong_parameters)`.

    Raises:
        ParamValidationError: Naming every wrong parameter, before anything is sent. No value is shown: it may be secret.

    """
    found = findings(model, params)
    if found:
        raise ParamValidationError(report="\n".join(found))


def findings(operation: OperationModel, parameters: dict[str, Any]) -> tuple[str, ...]:
    """What is wrong with the parameters' enums, patterns and maxima, each with its path."""
    shape = operation.input_shape
    return tuple(_walk(shape, parameters, operation.name)) if shape else ()


def _walk(shape: Shape, value: Any, path: str) -> Iterator[str]:
    maximum = shape.metadata.get("max")
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, member in value.items():
            if name in shape.members:
                yield from _walk(shape.members[name], member, f"{path}.{name}")
    elif isinstance(shape, ListShape) and isinstance(value, list | tuple):
        if maximum is not None and len(value) > maximum:
            yield f"{path}: {len(value)} items, at most {maximum} are allowed"
        for number, member in enumerate(value):
            yield from _walk(shape.member, member, f"{path}[{number}]")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        if maximum is not None and len(value) > maximum:
            yield f"{path}: {len(value)} entries, at most {maximum} are allowed"
        for key, member in value.items():
            yield from _walk(shape.key, key, f"{path} (key)")
            yield from _walk(shape.value, member, f"{path}.{key}")
    elif isinstance(shape, StringShape) and isinstance(value, str):
        if maximum is not None and len(value) > maximum:
            yield f"{path}: {len(value)} characters, at most {maximum} are allowed"
        if shape.enum and value not in shape.enum:
            yield f"{path}: none of {', '.join(shape.enum)}"
        pattern = shape.metadata.get("pattern")
        if pattern and not _pattern(pattern).fullmatch(value):
            yield f"{path}: does not match {pattern}"
    elif shape.type_name in _NUMBERS and isinstance(value, int | float) and maximum is not None and value > maximum:
        yield f"{path}: {value}, at most {maximum} is allowed"
