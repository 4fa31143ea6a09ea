"""S3 as a COPY reads it: with the keys of the role that it names, held to what that role may."""

import threading
from collections.abc import Callable

import pyarrow.fs as pafs
from shoplake_core.endpoints import AwsEndpoint

from shoplake_local.redshift.refusals import NotLocalError, RedshiftRefusalError
from shoplake_local.redshift.target import Target
from shoplake_local.service import ServiceError

__all__ = ["CopyFilesystems"]


class CopyFilesystems:
    """One filesystem for each pair of keys.

    Args:
        object_store: S3, with the operator's keys; None refuses COPY.
        keys_of: ARN of a role that trusts Redshift -> its access key id and secret.

    """

    def __init__(self, object_store: AwsEndpoint | None, keys_of: Callable[[str], tuple[str, str]] | None) -> None:
        self._object_store = object_store
        self._keys_of = keys_of
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], pafs.FileSystem] = {}

    def of(self, target: Target | None, role: str) -> pafs.FileSystem:
        """S3 for a COPY whose IAM_ROLE says `role`; where there is no namespace, S3 as the operator sees it.

        Raises:
            RedshiftRefusalError: The role is not the namespace's, or cannot be assumed.
            NotLocalError: There is no object store.

        """
        if self._object_store is None:
            raise NotLocalError("COPY: it was started without an object store")
        if target is None or self._keys_of is None:
            return self._filesystem(self._object_store.access_key_id, self._object_store.secret_access_key)
        arn = target.copying_role(role)
        try:
            key_id, secret = self._keys_of(arn)
        except ServiceError as error:
            raise RedshiftRefusalError(f"User is not authorized to assume IAM Role {arn}", error.message) from error
        return self._filesystem(key_id, secret)

    def _filesystem(self, key_id: str, secret: str) -> pafs.FileSystem:
        assert self._object_store is not None
        scheme, _, host = (self._object_store.url or "https://s3.amazonaws.com").partition("://")
        with self._lock:
            if (key_id, secret) not in self._made:
                self._made[key_id, secret] = pafs.S3FileSystem(
                    access_key=key_id,
                    secret_key=secret,
                    region=self._object_store.region,
                    endpoint_override=host,
                    scheme="https" if scheme == "https" else "http",
                )
            return self._made[key_id, secret]
