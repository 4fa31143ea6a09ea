"""A signed HTTP request of any AWS protocol as an operation and its parameters, read by botocore's model.

moto's router and parsers do the work where a form or a path has to be taken apart. They drop what the model does not
know; here it is refused, because a caller who misspells a parameter must hear of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import ListShape, OperationModel, Shape
from botocore.serialize import create_serializer
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from werkzeug.exceptions import NotFound

from shoplake_local.models import decoded, decoded_as, service_model
from shoplake_local.service import ServiceError, UnsupportedOperationError

__all__ = ["HttpRequest", "ParsedRequest", "parsed_request", "protocol_of"]

_FORM = "application/x-www-form-urlencoded"
_FORM_PROTOCOLS = ("query", "ec2")
_FORM_ENVELOPE = frozenset({"Action", "Version"})


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came.

    Attributes:
        method: "GET", "POST" ...
        raw_path: Percent-encoded, as the caller signed it.
        query: Without the question mark.
        headers: By lower-case name.
        body: As sent.

    """

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def target(self) -> str:
        """What it asks for, as a message names it."""
        return self.headers.get("x-amz-target") or self._action or f"{self.method} {self.raw_path}"

    @property
    def is_form(self) -> bool:
        """Whether the body is a form."""
        return self.headers.get("content-type", "").startswith(_FORM)

    @property
    def form(self) -> dict[str, str]:
        """The body as a form; empty where it is none."""
        if not self.is_form:
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def _action(self) -> str:
        return self.form.get("Action", "")

    def for_moto(self) -> MotoRequest:
        """The same request as moto reads it."""
        url = f"https://{self.headers.get('host', 'localhost')}{self.raw_path}"
        if self.query:
            url += f"?{self.query}"
        return MotoRequest.from_primitives(self.method, url, self.headers, self.body)


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """What a request asks for.

    Attributes:
        operation: botocore's model of the operation.
        parameters: As boto3's caller gave them.

    """

    operation: OperationModel
    parameters: dict[str, Any]


def protocol_of(service_name: str, request: HttpRequest) -> str:
    """The protocol that the request speaks, one of the service's own; the service's first where nothing tells."""
    model = service_model(service_name)
    supported = [str(name) for name in model.metadata.get("protocols", [model.metadata["protocol"]])]
    if request.is_form:
        for protocol in _FORM_PROTOCOLS:
            if protocol in supported:
                return protocol
    return str(model.resolved_protocol)


def parsed_request(service_name: str, request: HttpRequest) -> ParsedRequest:
    """The operation and its parameters, not yet validated.

    Raises:
        UnsupportedOperationError: The service has no such operation.
        ServiceError: The body is not of the protocol.

    """
    protocol = protocol_of(service_name, request)
    if protocol == "json":
        return _parsed_json(service_name, request)
    routed, labels = _routed(service_name, request)
    operation = service_model(service_name).operation_model(routed.name)
    try:
        if protocol == "rest-json":
            return ParsedRequest(operation, _rest_json_parameters(operation, request, labels))
        moto_request = request.for_moto()
        parameters = PROTOCOL_PARSERS[protocol](routed).parse(
            {
                "method": request.method,
                "values": moto_request.values,
                "headers": moto_request.headers,
                "body": request.body,
                "url_path": moto_request.path,
                "url_params": labels,
            }
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise ServiceError("SerializationException", f"{routed.name} cannot be read: {error}") from error
    if protocol in _FORM_PROTOCOLS:
        _refuse_unknown_fields(protocol, operation, parameters, request.form)
    return ParsedRequest(operation, parameters)


def _parsed_json(service_name: str, request: HttpRequest) -> ParsedRequest:
    model = service_model(service_name)
    target = request.headers.get("x-amz-target", "")
    prefix, _, name = target.rpartition(".")
    if prefix != model.metadata.get("targetPrefix") or name not in model.operation_names:
        raise UnsupportedOperationError(f'operation "{request.target}" of {service_name}')
    operation = model.operation_model(name)
    return ParsedRequest(operation, decoded(operation, _json_members(request.body)))


def _routed(service_name: str, request: HttpRequest) -> tuple[Any, dict[str, Any]]:
    try:
        routed, labels = get_service_router(service_name).match(request.for_moto())
    except (NotFound, NotImplementedError):
        raise UnsupportedOperationError(f'operation "{request.target}" of {service_name}') from None
    return routed, labels


def _rest_json_parameters(operation: OperationModel, request: HttpRequest, labels: Mapping[str, str]) -> dict[str, Any]:
    shape = operation.input_shape
    if shape is None:
        return {}
    found: dict[str, Any] = {}
    query = parse_qsl(request.query, keep_blank_values=True)
    for name, member in shape.members.items():
        wire = str(member.serialization.get("name", name))
        location = member.serialization.get("location")
        if location == "uri" and wire in labels:
            found[name] = _from_text(member, labels[wire])
        elif location == "querystring":
            values = [value for key, value in query if key == wire]
            if isinstance(member, ListShape) and values:
                found[name] = [_from_text(member.member, value) for value in values]
            elif member.type_name == "map":
                raise UnsupportedOperationError(f'parameter "{name}" of {operation.name}')
            elif values:
                found[name] = _from_text(member, values[0])
        elif location == "header" and wire.lower() in request.headers:
            found[name] = _from_text(member, request.headers[wire.lower()])
        elif location == "headers":
            start = wire.lower()
            found[name] = {key[len(start) :]: value for key, value in request.headers.items() if key.startswith(start)}
    payload = shape.serialization.get("payload")
    if payload is not None:
        body_shape = shape.members[payload]
        if body_shape.type_name == "blob":
            if request.body:
                found[payload] = request.body
        elif body_shape.type_name == "string":
            found[payload] = request.body.decode("utf-8")
        else:
            found[payload] = decoded_as(body_shape, _json_members(request.body))
        return found
    body_members = decoded_as(shape, _json_members(request.body)) if request.body else {}
    in_body = {name for name, member in shape.members.items() if "location" not in member.serialization}
    # what stands in the body but belongs into the path is unknown there
    return found | {name if name in in_body else f"{name} (in the body)": value for name, value in body_members.items()}


def _from_text(shape: Shape, text: str) -> Any:
    if shape.type_name == "boolean":
        if text not in {"true", "false"}:
            raise ValueError(f"{text!r} is no boolean")
        return text == "true"
    if shape.type_name in {"integer", "long"}:
        return int(text)
    if shape.type_name in {"float", "double"}:
        return float(text)
    if shape.type_name == "timestamp":
        return decoded_as(shape, float(text) if text.replace(".", "", 1).isdigit() else text)
    return text


def _refuse_unknown_fields(
    protocol: str, operation: OperationModel, parameters: dict[str, Any], form: Mapping[str, str]
) -> None:
    # what botocore would send for the parameters that were understood; every other field was misspelled
    sent = create_serializer(protocol, include_validation=False).serialize_to_request(parameters, operation)["body"]
    unknown = sorted(set(form) - set(sent) - _FORM_ENVELOPE)
    if unknown:
        names = ", ".join(f'"{name}"' for name in unknown)
        raise ServiceError("ValidationError", f"Unknown parameter in input: {names}, of {operation.name}")


def _json_members(body: bytes) -> dict[str, Any]:
    try:
        members = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"the body is not JSON: {error}") from error
    if not isinstance(members, dict):
        raise ServiceError("SerializationException", "the body is no JSON object")
    return members
