"""Subnets and security groups that a resource is in: desired by our names, answered by AWS as ids. Pure."""

from collections.abc import Iterable, Mapping

from shoplake_infra.resource import Ref, Resource

__all__ = ["member_refs", "named_members"]


def member_refs(members: Iterable[Resource]) -> dict[str, Ref]:
    """The members' ids by their names, as a property."""
    return {member.name: Ref(member, "id") for member in members}


def named_members(ids: Iterable[str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The ids by our names; one that is not ours stands under its id."""
    names = {member_id: name for name, member_id in wanted.items()}
    return {names.get(member_id, member_id): member_id for member_id in ids}
