"""What a rotation changes in moto's Secrets Manager: played, written down and played again like any request.

moto's own RotateSecret asks moto's own Lambda, and gives the new version the stage of the current one before the function
has made it. Here it only begins; the function's calls do the rest, as on AWS.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shoplake_local.moto_services.determinism import moto_random
from shoplake_local.protocols.answers import HttpAnswer

__all__ = ["begin_rotation", "follow_current"]

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
_DAY_SECONDS = 86_400


def begin_rotation(backend: Any, body: bytes, *, now: datetime) -> HttpAnswer:
    """The rotation's settings kept, and a version of the token staged as AWSPENDING.

    It has no value: the function makes one. A rotation that is not to be done at once has the current value, for the
    function's test alone.

    """
    asked: Mapping[str, Any] = json.loads(body)
    secret = backend.secrets[asked["SecretId"]]
    token = asked.get("ClientRequestToken") or str(moto_random().uuid4())
    if token not in secret.versions:
        version: dict[str, Any] = {
            "createdate": int(now.timestamp()),
            "version_id": token,
            "version_stages": [PENDING],
        }
        if not asked.get("RotateImmediately", True):
            current = secret.versions[_current(secret)]
            version |= {name: current[name] for name in ("secret_string", "secret_binary") if name in current}
        secret.remove_version_stages_from_old_versions([PENDING])
        secret.versions[token] = version
    secret.rotation_requested = secret.rotation_enabled = True
    secret.rotation_lambda_arn = asked.get("RotationLambdaARN") or secret.rotation_lambda_arn
    days = asked.get("RotationRules", {}).get("AutomaticallyAfterDays")
    secret.auto_rotate_after_days = days or secret.auto_rotate_after_days
    _plan_next(secret, now)
    answer = {"ARN": secret.arn, "Name": secret.name, "VersionId": token}
    return HttpAnswer(200, json.dumps(answer).encode(), {"Content-Type": "application/x-amz-json-1.1"})


def follow_current(backend: Any, body: bytes, *, now: datetime) -> None:
    """After a stage was moved: who asks for no version gets the current one, and versions without a stage are gone.

    moto 5.2.5 goes on to answer the version that was current before.

    """
    secret = backend.secrets[json.loads(body)["SecretId"]]
    current = _current(secret)
    secret.versions = {name: one for name, one in secret.versions.items() if one["version_stages"]}
    if secret.default_version_id != current:
        secret.set_default_version_id(current)
        if secret.rotation_enabled:
            secret.last_rotation_date = int(now.timestamp())
            _plan_next(secret, now)


def _current(secret: Any) -> str:
    return next(str(name) for name, version in secret.versions.items() if CURRENT in version["version_stages"])


def _plan_next(secret: Any, now: datetime) -> None:
    if secret.auto_rotate_after_days:
        secret.next_rotation_date = int(now.timestamp()) + secret.auto_rotate_after_days * _DAY_SECONDS
