"""Runs rotations: the steps of one secret's function in their order, each only after the one before it succeeded."""

import json
import logging
import threading
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.endpoints import AwsEndpoint

__all__ = ["Rotation", "Rotations"]

_STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_TEST = "testSecret"
_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"
_PRINCIPAL = "secretsmanager.amazonaws.com"
_LONGEST_CALL_SECONDS = 960  # a function may run for 15 minutes
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """One rotation.

    Attributes:
        secret_arn: Of the secret.
        function_arn: Its function.
        token: The version that is to be current.
        test_only: Whether only the function's test is called, and the version is taken away after it.

    """

    secret_arn: str
    function_arn: str
    token: str
    test_only: bool = False


class Rotations:
    """Rotations under way, each in a thread; one a secret.

    A step that fails ends the rotation: AWSCURRENT and AWSPENDING stay where they are.

    Args:
        front: Where Lambda and Secrets Manager are; the caller is the service itself.

    """

    def __init__(self, front: AwsEndpoint) -> None:
        self._front = front
        self._lock = threading.Lock()
        self._running: dict[str, threading.Thread] = {}
        self._waiting: set[str] = set()

    def start(self, rotation: Rotation) -> None:
        """Begin it, after the one of that secret that is under way; where another waits for that already, it will do."""
        arn = rotation.secret_arn
        with self._lock:
            if arn in self._waiting:
                return
            self._waiting.add(arn)
            before = self._running.get(arn)
            thread = threading.Thread(target=self._rotate_after, args=(before, rotation), name="rotation", daemon=True)
            self._running[arn] = thread
            thread.start()

    def close(self) -> None:
        """Wait for the rotations under way."""
        with self._lock:
            threads = list(self._running.values())
        for thread in threads:
            thread.join()

    def may_invoke(self, function_arn: str) -> bool:
        """Whether there is such a function, and its policy lets Secrets Manager invoke it."""
        client = self._client("lambda")
        try:
            policy = json.loads(client.get_policy(FunctionName=function_arn)["Policy"])
        except client.exceptions.ResourceNotFoundException:
            return False
        return any(statement["Principal"].get("Service") == _PRINCIPAL for statement in policy["Statement"])

    def rotate_again(self, secret_arn: str) -> None:
        """Ask for the rotation of a secret whose time has come.

        Raises:
            ClientError: It is refused.
            BotoCoreError: The front does not answer.

        """
        self._client("secretsmanager").rotate_secret(SecretId=secret_arn)

    def _rotate_after(self, before: threading.Thread | None, rotation: Rotation) -> None:
        if before is not None:
            before.join()
        with self._lock:
            self._waiting.discard(rotation.secret_arn)
        self._rotate(rotation)

    def _rotate(self, rotation: Rotation) -> None:
        try:
            described = self._client("secretsmanager").describe_secret(SecretId=rotation.secret_arn)
            if _CURRENT in described["VersionIdsToStages"].get(rotation.token, []):
                return  # the attempt that was under way did it
            for step in (_TEST,) if rotation.test_only else _STEPS:
                if not self._step_succeeds(rotation, step):
                    break
            if rotation.test_only:
                self._client("secretsmanager").update_secret_version_stage(
                    SecretId=rotation.secret_arn, VersionStage=_PENDING, RemoveFromVersionId=rotation.token
                )
        except (ClientError, BotoCoreError) as error:
            _log.warning("the rotation of %s broke off: %s", rotation.secret_arn, error)

    def _step_succeeds(self, rotation: Rotation, step: str) -> bool:
        event = {"Step": step, "SecretId": rotation.secret_arn, "ClientRequestToken": rotation.token}
        answer = self._client("lambda").invoke(FunctionName=rotation.function_arn, Payload=json.dumps(event).encode())
        if "FunctionError" not in answer:
            return True
        said = answer["Payload"].read().decode("utf-8", "replace")
        _log.warning("the rotation of %s failed at %s: %s", rotation.secret_arn, step, said[:2000])
        return False

    def _client(self, service: str) -> Any:
        return boto3.session.Session().client(
            service,  # type: ignore[call-overload]
            endpoint_url=self._front.url,
            region_name=self._front.region,
            aws_access_key_id=self._front.access_key_id,
            aws_secret_access_key=self._front.secret_access_key,
            config=Config(read_timeout=_LONGEST_CALL_SECONDS, retries={"total_max_attempts": 1}),
        )
