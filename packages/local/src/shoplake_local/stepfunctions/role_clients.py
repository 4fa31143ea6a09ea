"""boto3 clients that act as a machine's role, aimed at the front; S3 goes to the object store."""

import threading
from collections.abc import Callable
from typing import Any

import boto3
from botocore.client import Config
from shoplake_core.endpoints import AwsEndpoint

from shoplake_local.service import ServiceError
from shoplake_local.stepfunctions.faults import StateError

__all__ = ["RoleClients"]

_ATTEMPTS = 4
# a function may run for 15 minutes; an earlier end would have it invoked twice
_LONGEST_CALL_SECONDS = 960


class RoleClients:
    """Makes each client once a role and service: any number of threads may use one.

    Args:
        front: Where every service but S3 is.
        object_store: Where S3 is, with its own keys: it knows no roles.
        keys_of: Access key id and secret of a role.

    """

    def __init__(
        self, front: AwsEndpoint, *, object_store: AwsEndpoint | None, keys_of: Callable[[str], tuple[str, str]]
    ) -> None:
        self._front = front
        self._object_store = object_store
        self._keys_of = keys_of
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, str], Any] = {}

    def __call__(self, service: str, role_arn: str) -> Any:
        """The client of botocore's service for that role.

        Raises:
            StateError: States.Runtime, where the role cannot be taken or there is no object store.

        """
        at = self._object_store if service == "s3" else self._front
        if at is None:
            raise StateError("States.Runtime", "The local AWS runs without an object store.")
        try:
            keys = (at.access_key_id, at.secret_access_key) if service == "s3" else self._keys_of(role_arn)
        except ServiceError as error:
            raise StateError("States.Runtime", error.message) from error
        with self._lock:
            wanted = (service, *keys)
            if wanted not in self._clients:
                self._clients[wanted] = boto3.session.Session().client(
                    service,  # type: ignore[call-overload]
                    endpoint_url=at.url,
                    region_name=at.region,
                    aws_access_key_id=keys[0],
                    aws_secret_access_key=keys[1],
                    config=Config(
                        s3={"addressing_style": "path"},
                        read_timeout=_LONGEST_CALL_SECONDS,
                        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                    ),
                )
            return self._clients[wanted]
