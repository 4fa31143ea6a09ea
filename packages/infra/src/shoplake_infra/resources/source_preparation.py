"""A new MySQL of ours, made ready for capture: the function inside its network does it, and says what is missing."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import ClientError
from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws, error_code
from shoplake_infra.diff import Change
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Ref, Resource, Unknown
from shoplake_infra.waiting import wait_until

__all__ = ["HANDLER", "PreparedSource", "SourcePreparationHandler", "source_preparation"]

_ABSENT = frozenset({"ResourceNotFoundException"})
# a new role's rights, and a new server's name, are not known everywhere at once
_MAY_PASS = frozenset({"CredentialError", "ResourceError"})
_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSource:
    """What the server shall be: the captured schema, hours that its binlog is kept, and whether our user plays the shop."""

    schema: str
    binlog_retention_hours: int
    simulated_shop: bool


def source_preparation(
    name: str,
    *,
    function: Resource,
    instance: Resource,
    secret: Resource,
    wanted: PreparedSource,
    tags: Mapping[str, str],
) -> Resource:
    """The instance has the schema, and the secret's user with its rights; `function` is `prepare_source`."""
    return Resource(
        kind="source_preparation",
        name=name,
        tags=tags,
        depends_on=(secret.address,),
        properties={
            "function": Ref(function, "name"),
            "administrator_secret": Ref(instance, "master_secret"),
            **asdict(wanted),
            "missing": [],
        },
    )


class _FunctionFailedError(Exception):
    """The function raised an error of this kind."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class SourcePreparationHandler(Handler):
    """All calls for preparations: each invokes the function."""

    kind = "source_preparation"

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """What the function finds missing; None where our user is not there.

        It has neither name nor tags: it is ours as the instance is. Where the function cannot tell, as of a server that
        was stopped, it is None, too: a destroy goes on, and an apply says why.
        """
        if any(isinstance(value, Unknown) for value in resource.properties.values()):
            return None
        try:
            found = _invoked(aws, resource, "ask")
        except ClientError as error:
            if error_code(error) not in _ABSENT:
                raise
            return None
        except _FunctionFailedError:
            return None
        if not found["has_user"]:
            return None
        return Observed(
            properties={**resource.properties, "missing": found["missing"]},
            tags=resource.tags,
            attributes={"name": resource.name},
        )

    def create(self, aws: Aws, resource: Resource) -> None:
        """Prepare it.

        Raises:
            ResourceError: The function could not, for a minute.

        """
        refusals: list[_FunctionFailedError] = []

        def prepared() -> bool:
            try:
                _invoked(aws, resource, "prepare")
            except _FunctionFailedError as error:
                refusals.append(error)
                return error.kind not in _MAY_PASS
            refusals.clear()
            return True

        try:
            wait_until(prepared, clock=aws.clock, timeout_seconds=_SECONDS, address=resource.address, what="succeed")
        except ResourceError:
            if not refusals:
                raise
        if refusals:
            raise _refused(resource, refusals[-1])

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Prepare it again: what is as it shall be is left alone."""
        del observed, changes
        self.create(aws, resource)

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:  # noqa: ARG002 - the port's signature
        """Take our user away; schemas and rows are data.

        Raises:
            ResourceError: The function could not.

        """
        try:
            _invoked(aws, resource, "withdraw")
        except _FunctionFailedError as error:
            raise _refused(resource, error) from error


def _refused(resource: Resource, error: _FunctionFailedError) -> ResourceError:
    return ResourceError(
        f"{resource.address} failed: {error.kind}: {error}",
        hint=f"remove the cause and apply again; the log of {resource.properties['function']} has more",
        address=resource.address,
    )


def _invoked(aws: Aws, resource: Resource, action: str) -> dict[str, Any]:
    wanted = {name: value for name, value in resource.properties.items() if name not in {"function", "missing"}}
    answer = aws.client("lambda").invoke(
        FunctionName=resource.properties["function"], Payload=json.dumps({**wanted, "action": action}).encode()
    )
    document = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise _FunctionFailedError(str(document.get("errorType", "")), str(document.get("errorMessage", document)))
    found: dict[str, Any] = document
    return found


HANDLER = SourcePreparationHandler()
