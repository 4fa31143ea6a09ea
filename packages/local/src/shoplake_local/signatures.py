"""AWS Signature Version 4: who signed a request, for which service, is it true; and a signature of our own for S3."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from shoplake_core.endpoints import AwsEndpoint

__all__ = ["Signature", "parse_signature", "signature_is_true", "signed_authorization"]

_ALGORITHM = "AWS4-HMAC-SHA256"
_S3 = "s3"
_CONTENT_HASH = "x-amz-content-sha256"
_SHA256 = re.compile("[0-9a-f]{64}")
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} +Credential=(?P<key>[^/,\s]+)/(?P<date>\d{{8}})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request"
    r", *SignedHeaders=(?P<headers>[^,\s]+), *Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Signature:
    """What an `Authorization` header says.

    Attributes:
        access_key_id: Who signed.
        date: yyyymmdd of the scope.
        region: Region of the scope.
        service: Signing name of the service, such as "glue".
        signed_headers: Names of the headers that are covered, lower case.
        value: The signature, in hex.

    """

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    value: str


def parse_signature(authorization: str) -> Signature | None:
    """The signature of that header; None where it is none."""
    match = _AUTHORIZATION.fullmatch(authorization.strip())
    if match is None:
        return None
    return Signature(
        access_key_id=match["key"],
        date=match["date"],
        region=match["region"],
        service=match["service"],
        signed_headers=tuple(match["headers"].split(";")),
        value=match["signature"],
    )


def signature_is_true(
    signature: Signature,
    secret_access_key: str,
    *,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
) -> bool:
    """Whether the request was signed with that secret and not changed since.

    `headers` has lower-case names; `path` is percent-encoded as it came. S3 signs that path and names the body's hash in
    a header; every other service signs the path encoded twice, and the body itself.
    """
    moment = headers.get("x-amz-date", "")
    if "host" not in signature.signed_headers or not moment.startswith(signature.date):
        return False
    hashed = hashlib.sha256(body).hexdigest()
    if signature.service == _S3:
        told = headers.get(_CONTENT_HASH, "")
        if _CONTENT_HASH not in signature.signed_headers or (_SHA256.fullmatch(told) and told != hashed):
            return False
        hashed = told
    canonical = _canonical(
        method,
        path if signature.service == _S3 else quote(path or "/", safe="/~"),
        query=query,
        headers={name: headers.get(name, "") for name in signature.signed_headers},
        body_hash=hashed,
    )
    scope = f"{signature.date}/{signature.region}/{signature.service}/aws4_request"
    return hmac.compare_digest(_value(secret_access_key, canonical, moment=moment, scope=scope), signature.value)


def signed_authorization(
    signer: AwsEndpoint, *, service: str, method: str, path: str, query: str, headers: Mapping[str, str]
) -> str:
    """The `Authorization` header of a request to S3 by the endpoint's key: every given header is signed.

    `headers` has lower-case names, `x-amz-date` and `x-amz-content-sha256` among them; `path` is percent-encoded.
    """
    moment = headers["x-amz-date"]
    scope = f"{moment[:8]}/{signer.region}/{service}/aws4_request"
    canonical = _canonical(method, path, query=query, headers=headers, body_hash=headers[_CONTENT_HASH])
    value = _value(signer.secret_access_key, canonical, moment=moment, scope=scope)
    names = ";".join(sorted(headers))
    return f"{_ALGORITHM} Credential={signer.access_key_id}/{scope}, SignedHeaders={names}, Signature={value}"


def _canonical(method: str, path: str, *, query: str, headers: Mapping[str, str], body_hash: str) -> str:
    names = sorted(headers)
    parameters = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    return "\n".join(
        [
            method,
            path or "/",
            "&".join(f"{name}={value}" for name, value in parameters),
            *(f"{name}:{' '.join(headers[name].split())}" for name in names),
            "",
            ";".join(names),
            body_hash,
        ]
    )


def _value(secret_access_key: str, canonical: str, *, moment: str, scope: str) -> str:
    to_sign = "\n".join([_ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
