"""What one AWS service of the local AWS looks like to the front: operations in, dictionaries out, errors by AWS's names."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

__all__ = ["Service", "ServiceError", "UnsupportedOperationError", "refuse_unsupported"]

_BAD_REQUEST = 400
_NOT_IMPLEMENTED = 501


class ServiceError(Exception):
    """An error that the service's model knows, answered to the caller as AWS answers it.

    Args:
        code: AWS's name for it, such as "EntityNotFoundException".
        message: What the caller reads.
        http_status: 400 for a mistake of the caller, 500 for one of ours.
        members: Further members of the error's shape.

    """

    def __init__(
        self, code: str, message: str, http_status: int = _BAD_REQUEST, *, members: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = http_status
        self.members = dict(members or {})


class UnsupportedOperationError(ServiceError):
    """AWS has the operation or parameter, the local AWS has not: answered with HTTP 501, which boto3 does not retry."""

    def __init__(self, what: str) -> None:
        super().__init__("NotImplemented", f"the local AWS has no {what}", _NOT_IMPLEMENTED)


def refuse_unsupported(operation: str, parameters: Mapping[str, Any], supported: Collection[str]) -> None:
    """Pass where every parameter is one that the operation (such as "Glue's CreateJob") honours here.

    Raises:
        UnsupportedOperationError: For one that AWS has and the local AWS has not: never ignored.

    """
    for name in parameters:
        if name not in supported:
            raise UnsupportedOperationError(f'parameter "{name}" of {operation}')


class Service(Protocol):
    """One service. The front calls it from several threads at once.

    Attributes:
        service_name: botocore's name of it, such as "glue" or "redshift-data".

    """

    service_name: str

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The members of the answer. Parameters were checked against botocore's model before.

        Datetimes in the answer may be `datetime` values: the front writes them as the protocol wants.

        Raises:
            ServiceError: An error of the operation's model.
            UnsupportedOperationError: The operation, or what the parameters ask for, is not there.

        """
        ...

    def close(self) -> None:
        """Release what the service holds; called once, when the front ends."""
        ...
