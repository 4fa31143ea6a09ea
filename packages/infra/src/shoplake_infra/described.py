"""The one thing that a describing call finds by its name, where AWS answers a list of one or an error."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from shoplake_infra.aws import or_none

__all__ = ["described"]


def described(
    call: Callable[..., Any], answer_key: str, absent: Collection[str], **parameters: Any
) -> Mapping[str, Any] | None:
    """The first one under the answer's key, or None: with an empty list, or an error code that means "there is none"."""
    answer = or_none(call, absent, **parameters)
    found: list[Mapping[str, Any]] = answer[answer_key] if answer else []
    return found[0] if found else None
