"""AWS Signature Version 4, on the server's side: who signed a request, for which service, and is it true."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

__all__ = ["Signature", "parse_signature", "signature_is_true"]

_ALGORITHM = "AWS4-HMAC-SHA256"
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

    `headers` has lower-case names; `path` is percent-encoded as it came: every service but S3 signs it encoded twice.
    """
    moment = headers.get("x-amz-date", "")
    if "host" not in signature.signed_headers or not moment.startswith(signature.date):
        return False
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}" for name in signature.signed_headers]
    parameters = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    canonical = "\n".join(
        [
            method,
            quote(path or "/", safe="/~"),
            "&".join(f"{name}={value}" for name, value in parameters),
            *lines,
            "",
            ";".join(signature.signed_headers),
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{signature.date}/{signature.region}/{signature.service}/aws4_request"
    to_sign = "\n".join([_ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret_access_key}".encode()
    for part in (signature.date, signature.region, signature.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, signature.value)
