"""Desired state beside AWS: the plan that makes them equal, or that takes it all away. Only reads."""

from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError
from shoplake_core.errors import ResourceError

from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change, diff
from shoplake_infra.handler import Observed, handler_of
from shoplake_infra.plan import Action, Kept, Plan, PlannedChange
from shoplake_infra.resource import Resource, in_creation_order, resolved
from shoplake_infra.tags import owned

__all__ = ["differences", "observe", "plan", "plan_destroy", "refuse_foreign"]


def observe(resource: Resource, aws: Aws) -> Observed | None:
    """The resource as it is, or None.

    Raises:
        ResourceError: AWS did not answer, or refused.

    """
    try:
        return handler_of(resource).observe(aws, resource)
    except (ClientError, BotoCoreError) as error:
        raise ResourceError(
            f"{resource.address} cannot be read: {error}",
            hint="check credentials, region and rights, then run it again",
            address=resource.address,
        ) from error


def differences(desired: Resource, observed: Observed | None) -> tuple[Change, ...]:
    """What differs, our tags included; tags of others are no difference."""
    tags = {name: value for name, value in (observed.tags if observed else {}).items() if name in desired.tags}
    return diff(
        {**desired.properties, "tags": dict(desired.tags)},
        {**observed.properties, "tags": tags} if observed else {},
    )


def refuse_foreign(resource: Resource, observed: Observed) -> None:
    """Stop at a resource that has our name and not our tags.

    Raises:
        ResourceError: It is not ours.

    """
    if not owned(resource.tags, observed.tags):
        raise ResourceError(
            f"{resource.address} exists and is not ours: it lacks our tags Project, Environment, ManagedBy=shoplake",
            hint="delete it, or use another environment name",
            address=resource.address,
        )


def plan(desired: tuple[Resource, ...], aws: Aws) -> Plan:
    """What must be done so that all is as desired; no changes where it is.

    Raises:
        ResourceError: AWS did not answer, a resource of our name is not ours, or one that holds data would be replaced.

    """
    attributes: dict[str, Mapping[str, str]] = {}
    changes: list[PlannedChange] = []
    for resource in in_creation_order(desired):
        wanted = resolved(resource, attributes)
        observed = observe(wanted, aws)
        if observed is None:
            changes.append(
                PlannedChange(action=Action.CREATE, resource=resource, changes=differences(wanted, observed))
            )
            continue
        refuse_foreign(resource, observed)
        different = differences(wanted, observed)
        fixed = [change for change in different if change.path[0] in handler_of(resource).replaced_for]
        if fixed:
            changes += _replacement(resource, wanted, observed, fixed)
            continue
        attributes[resource.address] = observed.attributes
        if different:
            changes.append(PlannedChange(action=Action.UPDATE, resource=resource, changes=different))
    return Plan(changes=tuple(changes), attributes=attributes)


def _replacement(
    resource: Resource, wanted: Resource, observed: Observed, fixed: list[Change]
) -> tuple[PlannedChange, PlannedChange]:
    names = ", ".join(sorted({change.path[0] for change in fixed}))
    if resource.holds_data:
        raise ResourceError(
            f"{resource.address} holds data and would have to be replaced: AWS cannot change its {names}",
            hint=f"set {names} back, or move the data and destroy it with its data first",
            address=resource.address,
        )
    reason = f"replaced: AWS cannot change {names}"
    return (
        PlannedChange(action=Action.DELETE, resource=resource, changes=tuple(fixed), reason=reason),
        PlannedChange(
            action=Action.CREATE,
            resource=resource,
            changes=differences(wanted, None),
            reason=f"{reason}; it was there as {observed.attributes.get('arn', resource.name)}",
        ),
    )


def plan_destroy(desired: tuple[Resource, ...], aws: Aws, *, delete_data: bool = False) -> Plan:
    """What must be deleted, last created first: only what carries our tags, and data only when asked.

    What a kept resource needs is kept too: a bucket without its key could not be read any more.

    Raises:
        ResourceError: AWS did not answer.

    """
    attributes: dict[str, Mapping[str, str]] = {}
    there: list[tuple[Resource, Observed]] = []
    for resource in in_creation_order(desired):
        observed = observe(resolved(resource, attributes), aws)
        if observed is not None:
            attributes[resource.address] = observed.attributes
            if not observed.ending:
                there.append((resource, observed))
    changes: list[PlannedChange] = []
    kept: dict[str, Kept] = {}
    needed_by: dict[str, str] = {}
    for resource, observed in reversed(there):
        if not owned(resource.tags, observed.tags):
            reason = "it does not carry our tags"
        elif resource.holds_data and not delete_data:
            reason = "it holds data, and deleting data was not asked for"
        elif resource.address in needed_by:
            reason = f"{needed_by[resource.address]} stays and needs it"
        else:
            changes.append(PlannedChange(action=Action.DELETE, resource=resource))
            continue
        kept[resource.address] = Kept(resource.address, reason)
        if owned(resource.tags, observed.tags):
            needed_by |= dict.fromkeys(resource.needs, resource.address)
    return Plan(changes=tuple(changes), attributes=attributes, kept=tuple(kept.values()), delete_data=delete_data)
