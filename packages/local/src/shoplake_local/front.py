"""The one HTTP endpoint of the local AWS: signed requests in, the right service's answer or AWS-shaped error out."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from botocore.model import OperationModel
from botocore.validate import ParamValidator
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from shoplake_local.buckets.service import BucketService
from shoplake_local.identity.identity import Caller, Identity, current_caller
from shoplake_local.models import service_model
from shoplake_local.moto_services.service import MotoService
from shoplake_local.protocols.answers import HttpAnswer, answer_of, error_answer
from shoplake_local.protocols.requests import HttpRequest, ParsedRequest, parsed_request, protocol_of
from shoplake_local.service import Service, ServiceError, UnsupportedOperationError
from shoplake_local.signatures import Signature, parse_signature, signature_is_true
from shoplake_local.validation import findings

__all__ = ["HEALTH_PATH", "RECORDED_ACTIONS_PATH", "Front", "fingerprint"]

HEALTH_PATH = "/_shoplake/health"
RECORDED_ACTIONS_PATH = "/_shoplake/recorded-actions"
_FORBIDDEN = 403
_MAXIMUM_BODY_BYTES = 512 * 1024 * 1024  # an operator's object; code of 50 MB as base64 is the next largest
_SERVER_ERROR = 500
# Errors that every AWS service may answer although its model does not list them.
_COMMON_ERRORS = frozenset(
    {"ValidationException", "AccessDeniedException", "AccessDenied", "NotImplemented", "InternalFailure"}
)

_log = logging.getLogger(__name__)

AnyService = Service | MotoService | BucketService


def fingerprint(access_key_id: str) -> str:
    """What the health page says of an operator: whoever started a front knows its own by it."""
    return sha256(access_key_id.encode()).hexdigest()[:16]


class Front:
    """A WSGI application over the services that it is given.

    Args:
        services: Each answers the requests whose credential scope names it.
        secrets: Access key id -> secret access key of the operators, who may do everything.
        identity: Roles that may call, too, each held to its policies; none where it is not given.
        check_answers: Hold every answer against the model, too, and fail loudly where it does not fit: for tests.

    """

    def __init__(
        self,
        services: Iterable[AnyService],
        *,
        secrets: Mapping[str, str],
        identity: Identity | None = None,
        check_answers: bool = False,
    ) -> None:
        self.services = {_signing_name(service.service_name): service for service in services}
        self._secrets = dict(secrets)
        self._identity = identity
        self._check_answers = check_answers

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """WSGI."""
        return self._response(Request(environ))(environ, start_response)

    def close(self) -> None:
        """Close every service."""
        for service in self.services.values():
            service.close()
        if self._identity is not None:
            self._identity.close()

    def tags_of(self, arn: str) -> dict[str, str]:
        """The tags of a secret, or of a resource of our own services.

        Raises:
            UnsupportedOperationError: Its service cannot be asked here.

        """
        service = self.services.get(arn.split(":")[2])
        found = service.tags_of(arn) if isinstance(service, MotoService) else None
        if found is not None:
            return found
        if isinstance(service, MotoService | BucketService) or service is None:
            raise UnsupportedOperationError(f'tags of "{arn}", on which a policy decides')
        if service.service_name == "dms":
            answer = service.call("ListTagsForResource", {"ResourceArn": arn})
            return {tag["Key"]: tag["Value"] for tag in answer["TagList"]}
        if service.service_name == "redshift-serverless":
            answer = service.call("ListTagsForResource", {"resourceArn": arn})
            return {tag["key"]: tag["value"] for tag in answer["tags"]}
        raise UnsupportedOperationError(f'tags of "{arn}", on which a policy decides')

    def _response(self, request: Request) -> Response:
        request.max_content_length = _MAXIMUM_BODY_BYTES
        if request.path == HEALTH_PATH:
            operators = [fingerprint(access_key_id) for access_key_id in self._secrets]
            return _json_response({"status": "ok", "services": sorted(self.services), "operators": operators})
        if request.path == RECORDED_ACTIONS_PATH and self._identity is not None:
            return _json_response([asdict(action) for action in self._identity.recorded_actions()])
        try:
            asked = _http_request(request)
        except HTTPException as error:
            refused = ServiceError("InvalidRequest", str(error), error.code or _SERVER_ERROR)
            return _response(error_answer(refused))
        return _response(self._answer(asked))

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        signature = parse_signature(request.headers.get("authorization", ""))
        service = self.services.get(signature.service) if signature is not None else None
        name = service.service_name if service is not None else None
        protocol = protocol_of(name, request) if name is not None else "query" if request.is_form else "json"
        try:
            caller = self._caller(signature, request)
            if service is None:
                raise self._no_such_service(signature, request)  # noqa: TRY301 - answered in this protocol's form below
            if isinstance(service, BucketService):
                return self._answer_of_buckets(service, request, caller)
            return self._answer_of_service(service, request, protocol=protocol, caller=caller)
        except ServiceError as error:
            return error_answer(error, service_name=name, protocol=protocol)
        except Exception as error:  # noqa: BLE001 - a caller gets an AWS-shaped answer whatever happens; the log has the rest
            _log.exception("%s failed", request.target)
            message = f"the local AWS failed: {type(error).__name__}; its log says more"
            failure = ServiceError("InternalFailure", message, _SERVER_ERROR)
            return error_answer(failure, service_name=name, protocol=protocol)

    def _answer_of_buckets(self, service: BucketService, request: HttpRequest, caller: Caller) -> HttpAnswer:
        if caller.access_key_id not in self._secrets:
            message = "roles go to the object store's own endpoint, which holds them to their policies"
            raise ServiceError("AccessDenied", message, _FORBIDDEN)
        return service.answer(request)

    def _answer_of_service(
        self, service: Service | MotoService, request: HttpRequest, *, protocol: str, caller: Caller
    ) -> HttpAnswer:
        parsed = parsed_request(service.service_name, request)
        wrong = findings(parsed.operation, parsed.parameters)
        if wrong:
            count = f"{len(wrong)} validation error{'s' if len(wrong) > 1 else ''} detected"
            raise ServiceError("ValidationException", f"{count}: {'; '.join(wrong)}")
        if self._identity is not None:
            self._identity.check(caller, parsed.operation, parsed.parameters)
        if isinstance(service, MotoService):
            return service.answer(request, parsed)
        token = current_caller.set(caller)
        try:
            members = self._members(service, parsed)
            if self._identity is not None:
                self._identity.answered(caller, parsed.operation, members)
            return answer_of(parsed.operation, protocol, members)
        finally:
            current_caller.reset(token)

    def _members(self, service: Service, parsed: ParsedRequest) -> dict[str, Any]:
        operation = parsed.operation
        try:
            answer = service.call(operation.name, parsed.parameters)
        except ServiceError as error:
            if error.code not in _known_errors(operation):
                _log.warning("%s answered %s, which AWS's model does not know", operation.name, error.code)
                if self._check_answers:
                    raise RuntimeError(f"{operation.name} must not answer {error.code}") from error
            raise
        if self._check_answers:
            _check_answer(operation, answer)
        return answer

    def _no_such_service(self, signature: Signature | None, request: HttpRequest) -> UnsupportedOperationError:
        return UnsupportedOperationError(
            f'service "{signature.service if signature else ""}" (asked: {request.target}; '
            f"there are {', '.join(sorted(self.services))})"
        )

    def _caller(self, signature: Signature | None, request: HttpRequest) -> Caller:
        if signature is None:
            raise ServiceError("MissingAuthenticationTokenException", "the request is not signed (SigV4)", _FORBIDDEN)
        secret = self._secrets.get(signature.access_key_id)
        if secret is not None:
            caller: Caller | None = Caller(signature.access_key_id, secret)
        else:
            caller = self._identity.caller(signature.access_key_id) if self._identity is not None else None
        if caller is None:
            raise ServiceError(
                "UnrecognizedClientException",
                f"the local AWS knows no access key id {signature.access_key_id}; are these your AWS credentials? "
                "Nothing was sent to AWS.",
                _FORBIDDEN,
            )
        true = signature_is_true(
            signature,
            caller.secret_access_key,
            method=request.method,
            path=request.raw_path,
            query=request.query,
            headers=request.headers,
            body=request.body,
        )
        if not true:
            raise ServiceError("InvalidSignatureException", "the request's signature does not match", _FORBIDDEN)
        return caller


def _known_errors(operation: OperationModel) -> set[str]:
    shapes: list[Any] = operation.error_shapes
    # XML services name an error on the wire other than its shape: NoSuchEntityException is "NoSuchEntity"
    return {shape.name for shape in shapes} | {str(shape.error_code) for shape in shapes} | _COMMON_ERRORS


def _signing_name(service_name: str) -> str:
    model = service_model(service_name)
    return str(model.metadata.get("signingName", model.metadata["endpointPrefix"]))


def _http_request(request: Request) -> HttpRequest:
    # the path as it was signed; werkzeug's own has lost which slashes were encoded
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.path
    return HttpRequest(
        method=request.method,
        raw_path=urlsplit(raw).path if "://" in raw.partition("?")[0] else raw.partition("?")[0] or "/",
        query=request.query_string.decode("ascii", "replace"),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(),
    )


def _response(answer: HttpAnswer) -> Response:
    response = Response(answer.body, status=answer.status, headers=answer.headers)
    for name, value in answer.headers.items():
        if name.lower() == "content-length":  # the answer to HEAD tells the length of what it does not send
            response.headers["Content-Length"] = value
    return response


def _json_response(members: Any) -> Response:
    return Response(json.dumps(members), mimetype="application/json")


def _check_answer(operation: OperationModel, answer: dict[str, Any]) -> None:
    shape = operation.output_shape
    if shape is None:
        if answer:
            raise RuntimeError(f"{operation.name} answers nothing on AWS, here {sorted(answer)}")
        return
    report = ParamValidator().validate({key: value for key, value in answer.items() if value is not None}, shape)
    if report.has_errors():
        raise RuntimeError(f"{operation.name}: the answer does not fit AWS's model: {report.generate_report()}")
