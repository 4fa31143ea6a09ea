"""Parameters and answers between Step Functions' PascalCase and an API's own names, by its botocore model."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from shoplake_local.stepfunctions.times import iso_text

__all__ = ["api_parameters", "pascal", "pascal_answer"]


def pascal(name: str) -> str:
    """The name with a capital first letter."""
    return name[:1].upper() + name[1:]


def api_parameters(shape: Shape | None, value: Any) -> Any:
    """A value of a definition by the API's names; what the API does not know stays, for the client to refuse."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        names: dict[str, str] = {pascal(name): name for name in shape.members}
        return {
            names.get(str(name), str(name)): api_parameters(shape.members.get(names.get(str(name), str(name))), member)
            for name, member in value.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [api_parameters(shape.member, member) for member in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {key: api_parameters(shape.value, member) for key, member in value.items()}
    return value if value is not None or shape is not None else {}


def pascal_answer(shape: Shape | None, value: Any) -> Any:
    """An answer as JSON: times as text, bytes as text, and nothing that the model does not list."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {
            pascal(name): pascal_answer(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [pascal_answer(shape.member, member) for member in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {str(key): pascal_answer(shape.value, member) for key, member in value.items()}
    if shape is None:
        return {}
    if isinstance(value, datetime):
        return iso_text(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "read"):
        return value.read().decode("utf-8", "replace")
    return value
