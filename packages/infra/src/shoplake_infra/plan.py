"""A plan as data: what would be created, changed and deleted. It prints itself and calls nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from shoplake_infra.diff import Absent, Change
from shoplake_infra.resource import Resource, Unknown

__all__ = ["Action", "Kept", "Plan", "PlannedChange"]

_SHOWN_CHARACTERS = 120


class Action(StrEnum):
    """What is done to a resource, as its sign in the text."""

    CREATE = "+"
    UPDATE = "~"
    DELETE = "-"


_WORDS = {Action.CREATE: "create", Action.UPDATE: "update", Action.DELETE: "delete"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """One resource and what is done to it; `reason` says why where the changes do not."""

    action: Action
    resource: Resource
    changes: tuple[Change, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A resource that a destroy leaves, and why."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything to do, in order.

    Attributes:
        changes: What to do; empty where all is as desired.
        attributes: Address -> attributes of what was there when the plan was made, for references.
        kept: What a destroy leaves.
        delete_data: Whether resources that hold data may be deleted.

    """

    changes: tuple[PlannedChange, ...]
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    kept: tuple[Kept, ...] = ()
    delete_data: bool = False

    def count(self, action: Action) -> int:
        """How many changes are of this action; a replacement counts as one deleted and one created."""
        return sum(change.action is action for change in self.changes)

    def as_json(self) -> dict[str, Any]:
        """The plan for programs; equal plans give equal documents."""
        return {
            "schema_version": 1,
            "add": self.count(Action.CREATE),
            "change": self.count(Action.UPDATE),
            "destroy": self.count(Action.DELETE),
            "changes": [
                {
                    "action": _WORDS[planned.action],
                    "kind": planned.resource.kind,
                    "name": planned.resource.name,
                    "reason": planned.reason,
                    "properties": [
                        {"path": ".".join(change.path), "old": _value(change.old), "new": _value(change.new)}
                        for change in planned.changes
                    ],
                }
                for planned in self.changes
            ],
        }

    def lines(self) -> tuple[str, ...]:
        """The plan for readers, one line a resource and one a changed property."""
        lines: list[str] = []
        for planned in self.changes:
            reason = f"  ({planned.reason})" if planned.reason else ""
            lines.append(f"{planned.action} {planned.resource.address}{reason}")
            for change in planned.changes:
                path = ".".join(change.path)
                if planned.action is Action.CREATE:
                    lines.append(f"    {path} = {_text(change.new)}")
                else:
                    lines.append(f"    {path}: {_text(change.old)} -> {_text(change.new)}")
        lines += [f"  {kept.address} stays: {kept.reason}" for kept in self.kept]
        if not self.changes:
            return (*lines, "no changes")
        counts = f"{self.count(Action.CREATE)} to add, {self.count(Action.UPDATE)} to change"
        return (*lines, f"{counts}, {self.count(Action.DELETE)} to destroy")


def _value(value: Any) -> Any:
    if isinstance(value, Unknown | Absent):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _value(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_value(member) for member in value]
    return value


def _text(value: Any) -> str:
    if isinstance(value, Unknown | Absent):
        return str(value)
    text = json.dumps(_value(value), sort_keys=True)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
