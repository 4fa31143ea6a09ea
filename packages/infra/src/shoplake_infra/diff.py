"""Desired beside observed: what differs, as data. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from shoplake_infra.resource import Unknown

__all__ = ["Absent", "Change", "applied", "diff", "touches"]


class Absent(Enum):
    """A property that is not there: unlike None, which is a value of JSON."""

    ABSENT = "(absent)"

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True)
class Change:
    """One property that differs: its path, and its value before and after."""

    path: tuple[str, ...]
    old: Any
    new: Any


def diff(desired: Mapping[str, Any], observed: Mapping[str, Any]) -> tuple[Change, ...]:
    """Every property that differs, ordered by path; empty where `observed` is as desired.

    Mappings are walked; everything else, lists too, is one value. A value that is not known yet always differs.
    """
    return tuple(_walk(desired, observed, ()))


def _walk(desired: Mapping[str, Any], observed: Mapping[str, Any], path: tuple[str, ...]) -> Iterable[Change]:
    for name in sorted({*desired, *observed}):
        new, old = desired.get(name, Absent.ABSENT), observed.get(name, Absent.ABSENT)
        here = (*path, name)
        if isinstance(new, Mapping) and isinstance(old, Mapping):
            yield from _walk(new, old, here)
        elif _differ(new, old):
            yield Change(here, old, new)


def _differ(new: Any, old: Any) -> bool:
    if isinstance(new, Unknown) or type(new) is not type(old):
        return True  # True == 1 in Python, not in JSON
    if isinstance(new, Mapping):
        return new.keys() != old.keys() or any(_differ(member, old[name]) for name, member in new.items())
    if isinstance(new, list):
        return len(new) != len(old) or any(_differ(*pair) for pair in zip(new, old, strict=True))
    return bool(new != old)


def applied(changes: Iterable[Change], observed: Mapping[str, Any]) -> dict[str, Any]:
    """`observed` after the changes."""
    result: dict[str, Any] = dict(observed)
    for change in changes:
        *parents, last = change.path
        place = result
        for name in parents:
            place[name] = dict(place[name])
            place = place[name]
        if change.new is Absent.ABSENT:
            del place[last]
        else:
            place[last] = change.new
    return result


def touches(changes: Iterable[Change], *properties: str) -> bool:
    """Whether a change is of, or inside, one of these properties."""
    return any(change.path[0] in properties for change in changes)
