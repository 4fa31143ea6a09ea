"""What is deleted while AWS still holds it: asked again until it is let go.

Lambda takes its network interfaces away some twenty minutes after the last function that used them, DMS, Glue and Redshift
within a few: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-enis
"""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws, error_code
from shoplake_infra.resource import Resource
from shoplake_infra.waiting import wait_until

__all__ = ["once_let_go"]

_SECONDS = 2_700.0
_HELD = frozenset({"DependencyViolation"})


def once_let_go(aws: Aws, resource: Resource, call: Callable[[], Any]) -> None:
    """Make the deleting call, again and again while something of AWS's still stands in the way.

    Raises:
        ClientError: Another refusal.
        ResourceError: It was held for three quarters of an hour: something of somebody else's is in it.

    """
    refusal: list[ClientError] = []

    def deleted() -> bool:
        try:
            call()
        except ClientError as error:
            if error_code(error) not in _HELD:
                raise
            refusal[:] = [error]
            return False
        return True

    try:
        wait_until(deleted, clock=aws.clock, timeout_seconds=_SECONDS, address=resource.address, what="be let go")
    except ResourceError as error:
        raise ResourceError(
            f"{error.message}: {refusal[-1] if refusal else ''}",
            hint="see in the EC2 console which network interface is in it, and whose; then destroy again",
            address=resource.address,
        ) from (refusal[-1] if refusal else error)
