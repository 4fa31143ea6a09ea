"""The members of an ENUM or SET, read from its declaration."""

import re

__all__ = ["members_of"]

_MEMBER = re.compile(r"'((?:[^']|'')*)'")


def members_of(declared_type: str) -> tuple[str, ...]:
    """The members of `enum('a','it''s')`, in order."""
    return tuple(match.replace("''", "'") for match in _MEMBER.findall(declared_type))
