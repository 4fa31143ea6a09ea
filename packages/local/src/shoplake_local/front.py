"""The one HTTP endpoint of the local AWS: signed JSON requests in, the right service's answer or AWS-shaped error out."""

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.model import OperationModel
from botocore.validate import ParamValidator
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from shoplake_local.models import decoded, encoded, service_model
from shoplake_local.service import Service, ServiceError, UnsupportedOperationError
from shoplake_local.signatures import Signature, parse_signature, signature_is_true
from shoplake_local.validation import findings

__all__ = ["HEALTH_PATH", "Front"]

HEALTH_PATH = "/_shoplake/health"
_JSON = "application/x-amz-json-1.1"
_FORBIDDEN = 403
_MAXIMUM_BODY_BYTES = 16 * 1024 * 1024
_SERVER_ERROR = 500
# Errors that every AWS service may answer although its model does not list them.
_COMMON_ERRORS = frozenset({"ValidationException", "AccessDeniedException", "NotImplemented", "InternalFailure"})

_log = logging.getLogger(__name__)


class Front:
    """A WSGI application over the services that it is given.

    Args:
        services: Each answers the requests whose credential scope names it.
        secrets: Access key id -> secret access key of everybody who may call.
        check_answers: Hold every answer against the model, too, and fail loudly where it does not fit: for tests.

    """

    def __init__(self, services: Iterable[Service], *, secrets: Mapping[str, str], check_answers: bool = False) -> None:
        self.services = {_signing_name(service.service_name): service for service in services}
        self._secrets = dict(secrets)
        self._check_answers = check_answers

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """WSGI."""
        return self._answer(Request(environ))(environ, start_response)

    def close(self) -> None:
        """Close every service."""
        for service in self.services.values():
            service.close()

    def _answer(self, request: Request) -> Response:
        request.max_content_length = _MAXIMUM_BODY_BYTES
        if request.path == HEALTH_PATH:
            return Response(
                json.dumps({"status": "ok", "services": sorted(self.services)}), mimetype="application/json"
            )
        try:
            return Response(json.dumps(encoded(self._answered(request))), content_type=_JSON)
        except ServiceError as error:
            return _error_response(error)
        except HTTPException as error:
            return _error_response(ServiceError("InvalidRequest", str(error), error.code or _SERVER_ERROR))
        except Exception as error:  # noqa: BLE001 - a caller gets an AWS-shaped answer whatever happens; the log has the rest
            _log.exception("%s failed", request.headers.get("X-Amz-Target", request.path))
            message = f"the local AWS failed: {type(error).__name__}; its log says more"
            return _error_response(ServiceError("InternalFailure", message, _SERVER_ERROR))

    def _answered(self, request: Request) -> dict[str, Any]:
        body = request.get_data()
        signature = self._checked_signature(request, body)
        target = request.headers.get("X-Amz-Target", "")
        service = self.services.get(signature.service)
        if service is None:
            raise UnsupportedOperationError(
                f'service "{signature.service}" (asked: {target or f"{request.method} {request.path}"}; '
                f"there are {', '.join(sorted(self.services))}, and S3 at the object store's own endpoint)"
            )
        model = service_model(service.service_name)
        prefix, _, name = target.rpartition(".")
        if prefix != model.metadata["targetPrefix"] or name not in model.operation_names:
            raise UnsupportedOperationError(f'operation "{target}" of {service.service_name}')
        operation = model.operation_model(name)
        parameters = decoded(operation, _json_members(body))
        wrong = findings(operation, parameters)
        if wrong:
            count = f"{len(wrong)} validation error{'s' if len(wrong) > 1 else ''} detected"
            raise ServiceError("ValidationException", f"{count}: {'; '.join(wrong)}")
        try:
            answer = service.call(name, parameters)
        except ServiceError as error:
            known = {shape.name for shape in operation.error_shapes} | _COMMON_ERRORS
            if error.code not in known:
                _log.warning("%s answered %s, which AWS's model does not know", target, error.code)
                if self._check_answers:
                    raise RuntimeError(f"{target} must not answer {error.code}") from error
            raise
        if self._check_answers:
            _check_answer(operation, answer)
        return answer

    def _checked_signature(self, request: Request, body: bytes) -> Signature:
        signature = parse_signature(request.headers.get("Authorization", ""))
        if signature is None:
            raise ServiceError("MissingAuthenticationTokenException", "the request is not signed (SigV4)", _FORBIDDEN)
        secret = self._secrets.get(signature.access_key_id)
        if secret is None:
            raise ServiceError(
                "UnrecognizedClientException",
                f"the local AWS knows no access key id {signature.access_key_id}; are these your AWS credentials? "
                "Nothing was sent to AWS.",
                _FORBIDDEN,
            )
        true = signature_is_true(
            signature,
            secret,
            method=request.method,
            path=request.path,
            query=request.query_string.decode("ascii", "replace"),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        if not true:
            raise ServiceError("InvalidSignatureException", "the request's signature does not match", _FORBIDDEN)
        return signature


def _signing_name(service_name: str) -> str:
    model = service_model(service_name)
    return str(model.metadata.get("signingName", model.metadata["endpointPrefix"]))


def _json_members(body: bytes) -> dict[str, Any]:
    try:
        members = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"the body is not JSON: {error}") from error
    if not isinstance(members, dict):
        raise ServiceError("SerializationException", "the body is no JSON object")
    return members


def _check_answer(operation: OperationModel, answer: dict[str, Any]) -> None:
    shape = operation.output_shape
    if shape is None:
        if answer:
            raise RuntimeError(f"{operation.name} answers nothing on AWS, here {sorted(answer)}")
        return
    report = ParamValidator().validate({key: value for key, value in answer.items() if value is not None}, shape)
    if report.has_errors():
        raise RuntimeError(f"{operation.name}: the answer does not fit AWS's model: {report.generate_report()}")


def _error_response(error: ServiceError) -> Response:
    body = {"__type": error.code, "message": error.message, "Message": error.message} | error.members
    return Response(
        json.dumps(encoded(body)),
        status=error.http_status,
        content_type=_JSON,
        headers={"x-amzn-ErrorType": error.code},
    )
