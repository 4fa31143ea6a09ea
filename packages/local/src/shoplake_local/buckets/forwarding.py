"""A request to S3 sent on to the object store, signed anew by who may do everything there."""

import http.client
from collections.abc import Mapping
from urllib.parse import urlsplit

from shoplake_core.endpoints import AwsEndpoint

from shoplake_local.protocols.answers import HttpAnswer
from shoplake_local.protocols.requests import HttpRequest
from shoplake_local.service import ServiceError
from shoplake_local.signatures import signed_authorization

__all__ = ["Forwarding"]

_TIMEOUT_SECONDS = 60.0
_BAD_GATEWAY = 502
# of one connection, or set anew
_OWN = frozenset({"host", "authorization", "connection", "expect", "transfer-encoding", "content-length", "keep-alive"})


class Forwarding:
    """Sends requests to one object store.

    Args:
        object_store: Where it is, and the key that signs.

    """

    def __init__(self, object_store: AwsEndpoint) -> None:
        self._object_store = object_store
        self._host = urlsplit(str(object_store.url)).netloc

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """The object store's answer.

        Raises:
            ServiceError: It does not answer.

        """
        headers = {name: value for name, value in request.headers.items() if name not in _OWN} | {"host": self._host}
        headers["authorization"] = signed_authorization(
            self._object_store,
            service="s3",
            method=request.method,
            path=request.raw_path,
            query=request.query,
            headers=headers,
        )
        target = request.raw_path + (f"?{request.query}" if request.query else "")
        connection = http.client.HTTPConnection(self._host, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(request.method, target, body=request.body or None, headers=_sent(request, headers))
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            message = f"the object store at {self._host} does not answer: {error}"
            raise ServiceError("InternalError", message, _BAD_GATEWAY) from error
        finally:
            connection.close()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in _OWN - {"content-length"}}
        return HttpAnswer(response.status, body, kept)


def _sent(request: HttpRequest, headers: Mapping[str, str]) -> dict[str, str]:
    """A PUT without a body says so: the object store waits for one otherwise."""
    if not request.body and request.method in {"PUT", "POST"}:
        return {**headers, "content-length": "0"}
    return dict(headers)
