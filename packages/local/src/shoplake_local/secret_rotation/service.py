"""Secrets Manager: moto's API, with rotation by the functions that are here."""

import json
import logging
import threading
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.clock import Clock

from shoplake_local.moto_services.backends import MotoBackends
from shoplake_local.moto_services.service import MotoService
from shoplake_local.protocols.answers import HttpAnswer
from shoplake_local.protocols.requests import HttpRequest, ParsedRequest
from shoplake_local.secret_rotation.rotations_aws import Rotation, Rotations
from shoplake_local.service import ServiceError, refuse_unsupported

__all__ = ["SecretsService"]

_SUCCESS = 200
_LOOK_SECONDS = 60.0
_PARAMETERS = frozenset({"SecretId", "ClientRequestToken", "RotationLambdaARN", "RotationRules", "RotateImmediately"})
_log = logging.getLogger(__name__)


class SecretsService(MotoService):
    """Secrets that rotate.

    Args:
        backends: moto's services.
        rotations: Runs them.
        clock: Time.

    """

    def __init__(self, backends: MotoBackends, rotations: Rotations, *, clock: Clock) -> None:
        super().__init__("secretsmanager", backends)
        self._moto = backends
        self._rotations = rotations
        self._clock = clock
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._look_now_and_then, name="rotations", daemon=True)
        self._thread.start()

    def answer(self, request: HttpRequest, parsed: ParsedRequest) -> HttpAnswer:
        """Moto's answer; a rotation goes on after it."""
        if parsed.operation.name != "RotateSecret":
            return super().answer(request, parsed)
        parameters = parsed.parameters
        function_arn = self._checked(parameters)
        answer = super().answer(request, parsed)
        if answer.status == _SUCCESS:
            made = json.loads(answer.body)
            at_once = parameters.get("RotateImmediately", True)
            self._rotations.start(
                Rotation(
                    secret_arn=made["ARN"],
                    function_arn=function_arn,
                    token=made["VersionId"],
                    test_only=not at_once,
                )
            )
        return answer

    def close(self) -> None:
        """End what runs, then close moto's journal."""
        self._closing.set()
        self._thread.join()
        self._rotations.close()
        super().close()

    def look(self) -> None:
        """Begin the rotation of every secret whose time has come."""
        if not self._moto.has_written("secretsmanager", "RotateSecret"):
            return  # moto is slow to import: not where nothing rotates
        now = self._clock.now().timestamp()
        for secret in tuple(self._moto.backend("secretsmanager").secrets.values()):
            due = secret.rotation_enabled and not secret.is_deleted() and secret.auto_rotate_after_days
            if due and secret.next_rotation_date <= now:
                try:
                    self._rotations.rotate_again(secret.arn)
                except (ClientError, BotoCoreError) as error:
                    _log.warning("%s is due to be rotated: %s", secret.arn, error)

    def _look_now_and_then(self) -> None:
        while not self._closing.wait(_LOOK_SECONDS):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - the next look may do better; the log has the rest
                _log.exception("rotations could not be looked at")

    def _checked(self, parameters: Mapping[str, Any]) -> str:
        """The ARN of the function of a RotateSecret that AWS would take."""
        refuse_unsupported("Secrets Manager's RotateSecret", parameters, _PARAMETERS)
        rules = parameters.get("RotationRules", {})
        refuse_unsupported("RotationRules of Secrets Manager's RotateSecret", rules, {"AutomaticallyAfterDays"})
        secrets = self._moto.backend("secretsmanager").secrets
        if parameters["SecretId"] not in secrets:
            raise ServiceError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        secret = secrets[parameters["SecretId"]]
        if secret.is_deleted():
            raise _invalid("You can't perform this operation on the secret because it was marked for deletion.")
        function_arn = str(parameters.get("RotationLambdaARN") or secret.rotation_lambda_arn)
        if not function_arn:
            raise _invalid("No Lambda rotation function ARN is associated with this secret.")
        if not secret.versions:
            raise _invalid("The secret has no value that could be rotated.")
        if not self._rotations.may_invoke(function_arn):
            message = (
                f"Secrets Manager cannot invoke the specified Lambda function {function_arn}. "
                "Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com."
            )
            raise ServiceError("AccessDeniedException", message)
        pending = [token for token, version in secret.versions.items() if version["version_stages"] == ["AWSPENDING"]]
        if pending and parameters.get("ClientRequestToken") not in pending:
            self._rotations.start(Rotation(secret_arn=secret.arn, function_arn=function_arn, token=str(pending[0])))
            raise _invalid("A previous rotation isn't complete. That rotation will be reattempted.")
        return function_arn


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidRequestException", message)
