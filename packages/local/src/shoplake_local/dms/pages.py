"""Filters, MaxRecords and Marker, as every describe call of DMS has them."""

import base64
import binascii
from collections.abc import Callable, Collection, Mapping
from typing import Any

from shoplake_local.dms.faults import invalid, not_found

__all__ = ["Reader", "filtered", "page"]

_SMALLEST_PAGE, _DEFAULT_PAGE = 20, 100
_PREFIX = "after:"

Reader = Callable[[Mapping[str, Any]], Collection[str]]


def filtered(
    items: list[dict[str, Any]], parameters: Mapping[str, Any], names: Mapping[str, str | Reader], *, what: str = ""
) -> list[dict[str, Any]]:
    """The items that match every filter.

    Args:
        items: All there are.
        parameters: Of the request.
        names: Filter name -> the member that it asks, or what reads the values of which one must be wanted.
        what: What the items are called, where DMS calls it an error that none matches; "" where it does not.

    Raises:
        ServiceError: A filter has a name that DMS does not know, or none matches.

    """
    found = items
    for one in parameters.get("Filters", ()):
        reader = names.get(one["Name"])
        if reader is None:
            raise invalid(f"Filter {one['Name']} is not supported: valid names are {' | '.join(sorted(names))}")
        wanted = set(one["Values"])
        found = [item for item in found if wanted & _values(reader, item)]
    if what and parameters.get("Filters") and not found:
        raise not_found(f"No {what} found matching provided filters")
    return found


def page(
    items: list[dict[str, Any]], parameters: Mapping[str, Any], member: str, *, largest: int = 100
) -> dict[str, Any]:
    """The answer with the page that was asked for, and the Marker of the next one where there is one."""
    size = int(parameters.get("MaxRecords", _DEFAULT_PAGE))
    if not _SMALLEST_PAGE <= size <= largest:
        raise invalid(f"MaxRecords is {size}: it must be between {_SMALLEST_PAGE} and {largest}")
    begin = _place(parameters.get("Marker", ""))
    answer: dict[str, Any] = {member: items[begin : begin + size]}
    if begin + size < len(items):
        answer["Marker"] = base64.urlsafe_b64encode(f"{_PREFIX}{begin + size}".encode()).decode("ascii")
    return answer


def _values(reader: str | Reader, item: Mapping[str, Any]) -> set[str]:
    return {str(item.get(reader, ""))} if isinstance(reader, str) else set(reader(item))


def _place(marker: str) -> int:
    if not marker:
        return 0
    try:
        text = base64.urlsafe_b64decode(marker.encode()).decode()
        return int(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else -1
    except (binascii.Error, ValueError):
        raise invalid(f'"{marker}" is no Marker of this list') from None
