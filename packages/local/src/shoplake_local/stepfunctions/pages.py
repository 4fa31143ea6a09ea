"""Pages of a list: a token is where the next one begins."""

from collections.abc import Sequence
from typing import Any

from shoplake_local.service import ServiceError

__all__ = ["page", "page_bounds"]

_DEFAULT = 100
_LARGEST = 1000


def page_bounds(parameters: dict[str, Any]) -> tuple[int, int]:
    """Where the page begins and how many it has at most.

    Raises:
        ServiceError: InvalidToken.

    """
    token = parameters.get("nextToken", "0")
    if not token.isdecimal():
        raise ServiceError("InvalidToken", f"Invalid Token: '{token}'")
    return int(token), min(parameters.get("maxResults") or _DEFAULT, _LARGEST)


def page(members: Sequence[Any], parameters: dict[str, Any]) -> tuple[Sequence[Any], dict[str, str]]:
    """The page's members, and `nextToken` where there are more."""
    start, size = page_bounds(parameters)
    more = {"nextToken": str(start + size)} if start + size < len(members) else {}
    return members[start : start + size], more
