"""A role that was made a moment ago is not known everywhere: what takes one is asked again until it does."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws, error_code
from shoplake_infra.resource import Resource
from shoplake_infra.waiting import wait_until

__all__ = ["once_role_is_known"]

_SECONDS = 60.0


def once_role_is_known(aws: Aws, resource: Resource, call: Callable[[], Any], *, code: str, words: str) -> None:
    """Make the call, again and again while the service refuses the role.

    Args:
        aws: Its clock is waited on.
        resource: What is made with the role.
        call: Makes it.
        code: The refusal's error code.
        words: What its message holds, in lower case.

    Raises:
        ClientError: Another refusal.
        ResourceError: The role was refused for a minute: it does not trust the service.

    """
    refusal: list[ClientError] = []

    def made() -> bool:
        try:
            call()
        except ClientError as error:
            if error_code(error) != code or words not in str(error).lower():
                raise
            refusal.append(error)
            return False
        return True

    try:
        wait_until(made, clock=aws.clock, timeout_seconds=_SECONDS, address=resource.address, what="get its role taken")
    except ResourceError as error:
        raise error from (refusal[-1] if refusal else None)
