"""What lets the simulated shop live on by itself: a schedule that asks its function for a small load. Pure."""

import json
from collections.abc import Mapping

from shoplake_core.names import ResourceNames

from shoplake_infra.resource import Ref, Resource
from shoplake_infra.resources.schedule import Target, schedule

__all__ = ["desired_shop_schedule"]

# short, so that one load has ended when the next begins; each time draws other transactions, a repeated call the same
_LOAD = {"action": "load", "seconds": 20, "rate": 2, "seed": "<aws.scheduler.scheduled-time>"}


def desired_shop_schedule(
    names: ResourceNames,
    every_minutes: int,
    *,
    function: Resource,
    role: Resource,
    group: Resource,
    tags: Mapping[str, str],
) -> Resource:
    """The schedule; `group` is the one of the environment, which carries the tags, and `role` may invoke the function."""
    return schedule(
        names.shop_schedule,
        group=group,
        expression=f"rate({every_minutes} minutes)",
        time_zone="UTC",
        target=Target(arn=Ref(function, "arn"), role=role, input=json.dumps(_LOAD)),
        enabled=True,
        tags=tags,
    )
