"""What shall be: one frozen description a resource, with typed references to what another one will be called by AWS.

It knows no AWS call: handlers do (`resources/`), and the plan and its printing work on these values alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shoplake_core.errors import ConfigError

__all__ = ["Ref", "Resource", "Unknown", "in_creation_order", "resolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource as it shall be.

    Attributes:
        kind: Which handler looks after it, such as "bucket".
        name: Its name in AWS; deterministic, so that names and tags are the only state.
        properties: Everything about it that we decide, as JSON values and `Ref`s.
        tags: Ours; others may stand beside them.
        depends_on: Addresses of what must be there first, beside all that it refers to.
        holds_data: Destroying it loses what cannot be made again.

    """

    kind: str
    name: str
    properties: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    holds_data: bool = False

    @property
    def address(self) -> str:
        """What the plan calls it: kind and name."""
        return f"{self.kind} {self.name}"

    @property
    def needs(self) -> frozenset[str]:
        """Addresses of all that must be there before it."""
        return frozenset(self.depends_on) | {ref.address for ref in _refs(self.properties)}


@dataclass(frozen=True, slots=True)
class Ref:
    """The place of another resource's attribute, such as `Ref(key, "arn")`, filled in when it is known.

    With `after`, only what comes after the last such text: AWS names some things by the last part of their ARN.
    """

    resource: Resource
    attribute: str
    after: str = ""

    @property
    def address(self) -> str:
        """Whose attribute it is."""
        return self.resource.address


@dataclass(frozen=True, slots=True)
class Unknown:
    """A reference whose target is not there yet."""

    address: str
    attribute: str

    def __str__(self) -> str:
        return f"({self.attribute} of {self.address}, known after apply)"


def _refs(value: Any) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _refs(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _refs(member)


def _filled(value: Any, attributes: Mapping[str, Mapping[str, str]]) -> Any:
    if isinstance(value, Ref):
        known = attributes.get(value.address)
        if known is None:
            return Unknown(value.address, value.attribute)
        if value.attribute not in known:
            raise ConfigError(
                f"{value.address} has no attribute {value.attribute!r}; it has {', '.join(sorted(known))}",
                hint="refer to one of these",
            )
        text = known[value.attribute]
        return text.rpartition(value.after)[2] if value.after else text
    if isinstance(value, Mapping):
        return {name: _filled(member, attributes) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(member, attributes) for member in value]
    return value


def resolved(resource: Resource, attributes: Mapping[str, Mapping[str, str]]) -> Resource:
    """The resource with every reference filled in, from address -> attributes; the others become `Unknown`.

    Raises:
        ConfigError: A reference names an attribute that its target does not have.

    """
    return replace(resource, properties=_filled(resource.properties, attributes))


def in_creation_order(resources: tuple[Resource, ...]) -> tuple[Resource, ...]:
    """The resources, each after all that it needs, otherwise in the given order.

    Raises:
        ConfigError: Two have one address, one needs what is not among them, or they need each other in a circle.

    """
    by_address: dict[str, Resource] = {}
    for resource in resources:
        if resource.address in by_address:
            raise ConfigError(f"{resource.address} is desired twice", hint="take one of the two out")
        by_address[resource.address] = resource
    order: dict[str, Resource] = {}

    def place(resource: Resource, path: tuple[str, ...]) -> None:
        if resource.address in path:
            circle = " -> ".join((*path, resource.address))
            raise ConfigError(f"resources need each other in a circle: {circle}", hint="remove one reference")
        if resource.address in order:
            return
        for address in sorted(resource.needs):
            if address not in by_address:
                raise ConfigError(f"{resource.address} needs {address}, which is not desired", hint="add it")
            place(by_address[address], (*path, resource.address))
        order[resource.address] = resource

    for resource in resources:
        place(resource, ())
    return tuple(order.values())
