"""Times as Step Functions writes and reads them: RFC 3339 in UTC, milliseconds, a Z."""

import re
from datetime import UTC, datetime
from typing import Any

__all__ = ["iso_text", "parsed_time"]

_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


def iso_text(at: float | datetime) -> str:
    """The moment (or epoch seconds) as "2026-11-25T06:00:00.000Z"."""
    moment = at if isinstance(at, datetime) else datetime.fromtimestamp(at, tz=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parsed_time(text: Any) -> datetime | None:
    """The moment, or None where it is no such text."""
    if not isinstance(text, str) or not _FORM.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
