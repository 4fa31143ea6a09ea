"""What a kind of resource must be able to do, and where the handlers are found: one module a kind in `resources/`."""

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, Protocol

from shoplake_core.errors import ConfigError

from shoplake_infra import resources
from shoplake_infra.aws import Aws
from shoplake_infra.diff import Change
from shoplake_infra.resource import Resource

__all__ = ["Handler", "Observed", "handler_of", "handlers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One resource as it is.

    Attributes:
        properties: In the shape of `Resource.properties`, the same names, AWS's own additions left out.
        tags: All of them.
        attributes: What others may refer to: "arn", "id".
        ending: It is being deleted, or waits for its deletion: there for a plan, gone for a destroy.

    """

    properties: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    ending: bool = False


class Handler(Protocol):
    """All calls for one kind of resource. Resources come with every reference filled in.

    Attributes:
        kind: The kind's name.
        replaced_for: Properties that AWS cannot change: to change one is to delete the resource and create it again.
        timeout_seconds: Longest time that creating, changing or deleting may take.

    """

    kind: ClassVar[str]
    replaced_for: ClassVar[frozenset[str]] = frozenset()
    timeout_seconds: ClassVar[float] = 300.0

    def observe(self, aws: Aws, resource: Resource) -> Observed | None:
        """The resource as it is, or None; only reads."""
        ...

    def create(self, aws: Aws, resource: Resource) -> None:
        """Create it, with its tags in the first call that makes it exist; a half is finished by `update`."""
        ...

    def update(self, aws: Aws, resource: Resource, observed: Observed, changes: tuple[Change, ...]) -> None:
        """Make the changes; each call may be repeated."""
        ...

    def delete(self, aws: Aws, resource: Resource, observed: Observed) -> None:
        """Delete it with all that is in it."""
        ...

    def settled(self, aws: Aws, resource: Resource) -> bool:  # noqa: ARG002 - most kinds are there when the call returns
        """Whether it has come to rest after a create or update, so that others may use it; only reads."""
        return True


@cache
def handlers() -> Mapping[str, Handler]:
    """Every kind's handler: the `HANDLER` of each module in `resources/`."""
    found: dict[str, Handler] = {}
    for module in pkgutil.iter_modules(resources.__path__):
        handler: Handler = import_module(f"{resources.__name__}.{module.name}").HANDLER
        found[handler.kind] = handler
    return found


def handler_of(resource: Resource) -> Handler:
    """The handler of the resource's kind.

    Raises:
        ConfigError: There is none.

    """
    try:
        return handlers()[resource.kind]
    except KeyError:
        kinds = ", ".join(sorted(handlers()))
        raise ConfigError(f"{resource.address}: no such kind of resource", hint=f"one of: {kinds}") from None
