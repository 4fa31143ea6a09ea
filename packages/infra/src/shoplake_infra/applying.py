"""A plan carried out: in its order, each change waited for and read back, stopped at the first failure.

Nothing is remembered between runs: the next plan reads what is there and goes on from it.
"""

from collections.abc import Callable, Mapping

from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.errors import ConfigError, ResourceError

from shoplake_infra.aws import Aws
from shoplake_infra.handler import Observed, handler_of
from shoplake_infra.plan import Action, Plan, PlannedChange
from shoplake_infra.planning import differences, observe, refuse_foreign
from shoplake_infra.resource import Resource, resolved
from shoplake_infra.waiting import poll_seconds, wait_until

__all__ = ["apply"]

_READ_BACK_SECONDS = 60.0  # IAM and S3 may answer the old state for a while


def apply(plan: Plan, aws: Aws, *, done: Callable[[PlannedChange], None] = lambda _: None) -> None:
    """Carry the plan out; `done` hears of each change after it has settled.

    Raises:
        ResourceError: A change failed; it names the resource. What was done before stays; plan and apply again go on.

    """
    attributes = dict(plan.attributes)
    for number, change in enumerate(plan.changes, start=1):
        try:
            if change.action is Action.DELETE:
                _delete(change.resource, aws, attributes, delete_data=plan.delete_data)
                attributes.pop(change.resource.address, None)
            else:
                attributes[change.resource.address] = _bring_about(change.resource, aws, attributes).attributes
        except (ClientError, BotoCoreError) as error:
            raise ResourceError(
                f"{change.action} {change.resource.address} failed, change {number} of {len(plan.changes)}: {error}",
                hint="remove the cause and apply again: what is done stays done",
                address=change.resource.address,
            ) from error
        done(change)


def _bring_about(resource: Resource, aws: Aws, attributes: Mapping[str, Mapping[str, str]]) -> Observed:
    handler = handler_of(resource)
    wanted = resolved(resource, attributes)
    missing = sorted(address for address in resource.needs if address not in attributes)
    if missing:
        raise ConfigError(f"{resource.address} needs {', '.join(missing)}, which is not there", hint="plan again")
    observed = observe(wanted, aws)
    if observed is None:
        handler.create(aws, wanted)
    else:
        refuse_foreign(wanted, observed)
        different = differences(wanted, observed)
        if different:
            handler.update(aws, wanted, observed, different)
    wait_until(
        lambda: handler.settled(aws, wanted),
        clock=aws.clock,
        timeout_seconds=handler.timeout_seconds,
        address=resource.address,
        what="settle",
    )
    return _read_back(wanted, aws)


def _read_back(wanted: Resource, aws: Aws) -> Observed:
    deadline, delays = aws.clock.monotonic_seconds() + _READ_BACK_SECONDS, poll_seconds()
    while True:
        observed = observe(wanted, aws)
        different = differences(wanted, observed)
        if observed is not None and not different:
            return observed
        if aws.clock.monotonic_seconds() >= deadline:
            paths = ", ".join(".".join(change.path) for change in different)
            raise ResourceError(
                f"{wanted.address} was written and still reads differently: {paths}",
                hint="plan again to see old and new; somebody else may be changing it",
                address=wanted.address,
            )
        aws.clock.sleep(next(delays))


def _delete(resource: Resource, aws: Aws, attributes: Mapping[str, Mapping[str, str]], *, delete_data: bool) -> None:
    handler = handler_of(resource)
    wanted = resolved(resource, attributes)
    observed = observe(wanted, aws)
    if observed is None or observed.ending:
        return
    refuse_foreign(wanted, observed)
    if resource.holds_data and not delete_data:
        raise ResourceError(f"{resource.address} holds data", hint="ask for its data to be deleted too")
    handler.delete(aws, wanted, observed)

    def gone() -> bool:
        left = observe(wanted, aws)
        return left is None or left.ending

    wait_until(
        gone,
        clock=aws.clock,
        timeout_seconds=handler.timeout_seconds,
        address=resource.address,
        what="be deleted",
    )
