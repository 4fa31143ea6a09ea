"""What takes minutes to come and to go: waited for before the next call, which AWS refuses until then."""

from shoplake_infra.aws import Aws
from shoplake_infra.handler import Handler, Observed
from shoplake_infra.resource import Resource
from shoplake_infra.waiting import wait_until

__all__ = ["AVAILABLE", "DELETING", "come_to_rest", "made_again", "stay_at_rest"]

AVAILABLE = "available"
DELETING = "deleting"
_POLLS_IN_A_ROW = 6  # half a minute: a changed server still calls itself available for a while


def stay_at_rest(handler: Handler, aws: Aws, resource: Resource) -> None:
    """Wait until it has settled and stays so: for what tells of a change only some time after it took it.

    Raises:
        ResourceError: It took longer than the kind's timeout, or failed.

    """
    in_a_row = 0

    def stays() -> bool:
        nonlocal in_a_row
        in_a_row = in_a_row + 1 if handler.settled(aws, resource) else 0
        return in_a_row >= _POLLS_IN_A_ROW

    wait_until(
        stays,
        clock=aws.clock,
        timeout_seconds=handler.timeout_seconds,
        address=resource.address,
        what="come to rest",
    )


def come_to_rest(handler: Handler, aws: Aws, resource: Resource) -> None:
    """Wait until it has settled.

    Raises:
        ResourceError: It took longer than the kind's timeout, or failed.

    """
    wait_until(
        lambda: handler.settled(aws, resource),
        clock=aws.clock,
        timeout_seconds=handler.timeout_seconds,
        address=resource.address,
        what="come to rest",
    )


def made_again(handler: Handler, aws: Aws, resource: Resource, observed: Observed) -> bool:
    """Whether it was being deleted, as its property "state" says, and was therefore waited for and created anew.

    What is being deleted may have lost its tags before itself. It is observed with ours, for nobody takes it over.
    """
    if observed.properties["state"] != DELETING:
        return False
    wait_until(
        lambda: handler.observe(aws, resource) is None,
        clock=aws.clock,
        timeout_seconds=handler.timeout_seconds,
        address=resource.address,
        what="be gone",
    )
    handler.create(aws, resource)
    return True
