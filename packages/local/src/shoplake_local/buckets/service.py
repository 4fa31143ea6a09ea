"""S3 for operators: what a bucket is set to, and everything else as the object store answers it.

Roles never come here: they hold keys of the object store itself, which knows what each may do.
"""

from pathlib import Path
from urllib.parse import parse_qsl, unquote
from uuid import uuid4
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from shoplake_core.endpoints import AwsEndpoint

from shoplake_local.buckets.forwarding import Forwarding
from shoplake_local.buckets.settings_store import BucketSettingsStore
from shoplake_local.protocols.answers import HttpAnswer
from shoplake_local.protocols.requests import HttpRequest
from shoplake_local.service import ServiceError, UnsupportedOperationError

__all__ = ["BucketService"]

# What the object store refuses or forgets: the element that a document must be, and AWS's error where there is none.
_KEPT = {
    "encryption": ("ServerSideEncryptionConfiguration", "ServerSideEncryptionConfigurationNotFoundError"),
    "publicAccessBlock": ("PublicAccessBlockConfiguration", "NoSuchPublicAccessBlockConfiguration"),
    "lifecycle": ("LifecycleConfiguration", "NoSuchLifecycleConfiguration"),
}
# What the object store knows of a bucket; any other setting is not there.
_STORED = frozenset({"versioning", "policy", "tagging", "location", "versions", "uploads", "delete", "acl"})
_PARAMETERS = frozenset(
    {
        "list-type",
        "prefix",
        "delimiter",
        "marker",
        "max-keys",
        "continuation-token",
        "start-after",
        "fetch-owner",
        "encoding-type",
        "key-marker",
        "version-id-marker",
        "upload-id-marker",
        "max-uploads",
        "x-id",
    }
)
_NOT_FOUND = 404
_OK = 200
_NO_CONTENT = 204
_METHODS = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}


class BucketService:
    """The service "s3" of the front.

    Args:
        path: The SQLite file of the settings.
        object_store: Where buckets and objects are.

    """

    service_name = "s3"

    def __init__(self, path: Path, object_store: AwsEndpoint) -> None:
        self._settings = BucketSettingsStore(path)
        self._forwarding = Forwarding(object_store)

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """The answer to one request of an operator.

        Raises:
            UnsupportedOperationError: It is about a setting that neither this service nor the object store has.

        """
        bucket, _, key = unquote(request.raw_path).lstrip("/").partition("/")
        parameters = {name for name, _ in parse_qsl(request.query, keep_blank_values=True)}
        if key or not bucket:
            return self._forwarding.answer(request)
        for name in _KEPT.keys() & parameters:
            return self._setting(bucket, name, request)
        unknown = sorted(parameters - _STORED - _PARAMETERS)
        if unknown:
            raise UnsupportedOperationError(f"bucket setting {', '.join(unknown)} ({request.method})")
        answer = self._forwarding.answer(request)
        if request.method == "DELETE" and not parameters - {"x-id"} and answer.status in {_OK, _NO_CONTENT}:
            self._settings.forget(bucket)
        return answer

    def close(self) -> None:
        """Close the settings."""
        self._settings.close()

    def _setting(self, bucket: str, name: str, request: HttpRequest) -> HttpAnswer:
        there = self._forwarding.answer(HttpRequest("HEAD", f"/{bucket}", "", _signed_only(request), b""))
        if there.status == _NOT_FOUND:
            self._settings.forget(bucket)  # it was deleted behind our back
            return _error("NoSuchBucket", f"The specified bucket does not exist: {bucket}")
        element, missing = _KEPT[name]
        if request.method == "GET":
            document = self._settings.read(bucket, name)
            if document is None:
                return _error(missing, f"{bucket} has no {name} configuration")
            return HttpAnswer(_OK, document, {"Content-Type": "application/xml"})
        if request.method == "DELETE":
            self._settings.forget(bucket, name)
            return HttpAnswer(_NO_CONTENT, b"", {})
        if request.method != "PUT":
            raise UnsupportedOperationError(f"{request.method} of bucket setting {name}")
        try:
            root = ET.fromstring(request.body)  # noqa: S314 - from a signed operator on loopback
        except ET.ParseError as error:
            raise ServiceError("MalformedXML", f"the {name} configuration is no XML: {error}") from error
        if root.tag.rpartition("}")[2] != element:
            raise ServiceError("MalformedXML", f"expected {element}, found {root.tag}")
        self._settings.write(bucket, name, request.body)
        return HttpAnswer(_OK, b"", {})


def _signed_only(request: HttpRequest) -> dict[str, str]:
    """The headers of a request without a body, at the same moment."""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of nothing
    return {"x-amz-date": request.headers["x-amz-date"], "x-amz-content-sha256": empty}


def _error(code: str, message: str) -> HttpAnswer:
    text = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message><RequestId>{uuid4()}</RequestId></Error>"
    return HttpAnswer(
        _NOT_FOUND, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(), {"Content-Type": "application/xml"}
    )
