"""AWS's own service models, as botocore ships them: what a request may hold, and how JSON becomes Python and back."""

import base64
import binascii
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.loaders
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

__all__ = ["decoded", "decoded_as", "encoded", "service_model"]


@cache
def service_model(service_name: str) -> ServiceModel:
    """Botocore's model of the service."""
    return ServiceModel(botocore.loaders.Loader().load_service_model(service_name, "service-2"), service_name)


def decoded(operation: OperationModel, members: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a JSON body: blobs as bytes, timestamps as datetimes, nulls left out.

    What does not fit its shape stays as it is, for the validation to name.

    """
    shape = operation.input_shape
    if shape is None:
        return dict(members)
    value = decoded_as(shape, dict(members))
    return value if isinstance(value, dict) else dict(members)


def decoded_as(shape: Shape, value: Any) -> Any:
    """A JSON value as that shape has it, its members by the names that boto3 uses."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        # a few members have another name on the wire
        names = {str(member.serialization.get("name", name)): name for name, member in shape.members.items()}
        return {
            names.get(wire, wire): decoded_as(shape.members[names[wire]], member) if wire in names else member
            for wire, member in value.items()
            if member is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [decoded_as(shape.member, member) for member in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: decoded_as(shape.value, member) for key, member in value.items()}
    if shape.type_name == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            return value
    if shape.type_name == "timestamp" and isinstance(value, int | float) and math.isfinite(value):
        return datetime.fromtimestamp(value, tz=UTC)
    return value


def encoded(value: Any) -> Any:
    """The JSON form of an answer: datetimes as seconds, bytes as base64, members that are None left out."""
    if isinstance(value, Mapping):
        return {key: encoded(member) for key, member in value.items() if member is not None}
    if isinstance(value, list | tuple):
        return [encoded(member) for member in value]
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value
