"""The Lambda functions that stand near MySQL, called one at a time, each exactly once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.clock import Clock
from shoplake_core.errors import CredentialError, ResourceError
from shoplake_core.names import FunctionName, ResourceNames

__all__ = ["Functions", "lambda_client"]

_LONGEST_FUNCTION_SECONDS = 900  # of any function: Lambda's own limit
_PATIENCE_SECONDS = 60
_NOT_RUN = frozenset({"TooManyRequestsException", "EC2ThrottledException", "ResourceNotReadyException"})
_ATTEMPTS = 6
_ROTATION_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 2.0


def lambda_client(region: str) -> Any:
    """A boto3 Lambda client that waits longer than any function runs and never calls one again by itself.

    A client that gives up first, or repeats, would have MySQL read twice at the same time.
    """
    config = Config(
        read_timeout=_LONGEST_FUNCTION_SECONDS + _PATIENCE_SECONDS,
        retries={"total_max_attempts": 1},
        tcp_keepalive=True,  # a NAT gateway forgets a silent connection after 350 seconds
    )
    return boto3.client("lambda", region_name=region, config=config)


@dataclass(frozen=True, slots=True, kw_only=True)
class Functions:
    """The functions of one environment.

    Attributes:
        client: What has boto3's `invoke(FunctionName=..., Payload=...)`.
        names: The environment's resources.
        clock: Waits while Lambda is busy.

    """

    client: Any
    names: ResourceNames
    clock: Clock

    def answer(self, function: FunctionName, event: Mapping[str, Any]) -> dict[str, Any]:
        """The function's answer. A call that Lambda did not begin is made again, after a pause, and once a login that MySQL
        refused: the secret may have been read a moment before it was rotated.

        Raises:
            ResourceError: The function failed, or Lambda did not call it.

        """
        name = self.names.function(function)
        payload = json.dumps(event).encode()
        answer = self._invoked(name, payload)
        text = answer["Payload"].read()
        if "FunctionError" in answer and _told(text).startswith(CredentialError.__name__):
            self.clock.sleep(_ROTATION_SECONDS)
            answer = self._invoked(name, payload)
            text = answer["Payload"].read()
        if "FunctionError" in answer:
            raise ResourceError(
                f"the function {name} failed: {_told(text)}",
                hint=f"its log says more: /aws/lambda/{name}",
                function=name,
            )
        found: dict[str, Any] = json.loads(text)
        return found

    def _invoked(self, name: str, payload: bytes) -> Mapping[str, Any]:
        pause_seconds = _FIRST_PAUSE_SECONDS
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer: Mapping[str, Any] = self.client.invoke(FunctionName=name, Payload=payload)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _NOT_RUN or attempt == _ATTEMPTS:
                    raise _not_called(name, error) from error
            except BotoCoreError as error:
                raise _not_called(name, error) from error
            else:
                return answer
            self.clock.sleep(pause_seconds)
            pause_seconds *= 2
        raise AssertionError  # the last attempt answers or raises


def _not_called(name: str, error: Exception) -> ResourceError:
    return ResourceError(
        f"the function {name} could not be called: {error}", hint="check its name and this role's rights", function=name
    )


def _told(text: bytes) -> str:
    try:
        error = json.loads(text)
        return f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return text.decode("utf-8", "replace")
