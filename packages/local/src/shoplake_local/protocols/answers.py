"""Answers and errors of our own services as bytes, in the form of the service's protocol."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from botocore.model import OperationModel
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

from shoplake_local.models import encoded, service_model
from shoplake_local.service import ServiceError

__all__ = ["HttpAnswer", "answer_of", "error_answer"]

_JSON_VERSION = "1.1"
_SERVER_ERROR = 500
# The same refusals have older names where AWS speaks XML.
_XML_NAMES = {
    "query": {
        "UnrecognizedClientException": "InvalidClientTokenId",
        "InvalidSignatureException": "SignatureDoesNotMatch",
        "MissingAuthenticationTokenException": "MissingAuthenticationToken",
        "ValidationException": "ValidationError",
        "AccessDeniedException": "AccessDenied",
    },
    "rest-xml": {
        "UnrecognizedClientException": "InvalidAccessKeyId",
        "InvalidSignatureException": "SignatureDoesNotMatch",
        "MissingAuthenticationTokenException": "AccessDenied",
    },
    "ec2": {
        "UnrecognizedClientException": "AuthFailure",
        "InvalidSignatureException": "AuthFailure",
        "MissingAuthenticationTokenException": "MissingAuthenticationToken",
        "ValidationException": "InvalidParameterValue",
        "ValidationError": "InvalidParameterValue",
        "AccessDeniedException": "UnauthorizedOperation",
    },
}


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes back to the caller."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def answer_of(operation: OperationModel, protocol: str, answer: dict[str, Any]) -> HttpAnswer:
    """The members of an answer, as that protocol has them."""
    service_name = operation.service_model.service_name
    if protocol == "json":
        body = json.dumps(encoded(answer)).encode()
        return HttpAnswer(200, body, {"Content-Type": _json_type(service_name)})
    routed = get_service_model(service_name).operation_model(operation.name)
    serializer = get_serializer_class(service_name, protocol)(routed, SerializationContext(str(uuid4())))
    made = serializer.serialize(_without_nulls(answer))
    # a payload that is not there is an empty body, as of a function that is invoked as an event
    body = made["body"].encode() if isinstance(made["body"], str) else bytes(made["body"] or b"")
    status = made["status_code"]
    shape = operation.output_shape
    for name, member in shape.members.items() if shape is not None else ():
        if member.serialization.get("location") == "statusCode" and answer.get(name) is not None:
            status = int(answer[name])
    return HttpAnswer(status, body, {name: str(value) for name, value in made["headers"].items()})


def error_answer(error: ServiceError, *, service_name: str | None = None, protocol: str = "json") -> HttpAnswer:
    """The error, in the protocol's form: JSON, or XML where the service speaks XML."""
    if protocol in {"query", "rest-xml", "ec2"}:
        return _xml_error(error, protocol)
    body = {"__type": error.code, "message": error.message, "Message": error.message} | error.members
    headers = {"x-amzn-ErrorType": error.code}
    is_rest = protocol == "rest-json"
    headers["Content-Type"] = "application/json" if is_rest else _json_type(service_name)
    return HttpAnswer(error.http_status, json.dumps(encoded(body)).encode(), headers)


def _json_type(service_name: str | None) -> str:
    version = _JSON_VERSION if service_name is None else service_model(service_name).metadata.get("jsonVersion")
    return f"application/x-amz-json-{version or _JSON_VERSION}"


def _xml_error(error: ServiceError, protocol: str) -> HttpAnswer:
    names = _XML_NAMES[protocol]
    code, message, request_id = escape(names.get(error.code, error.code)), escape(error.message), str(uuid4())
    fault = "Receiver" if error.http_status >= _SERVER_ERROR else "Sender"
    if protocol == "ec2":
        text = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        text = (
            f"<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()
    return HttpAnswer(error.http_status, body, {"Content-Type": "text/xml"})


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(member) for member in value]
    return value
