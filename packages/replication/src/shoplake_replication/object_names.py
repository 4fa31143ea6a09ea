"""Names of bronze objects: hexadecimal counters for loads, strictly increasing times for changes."""

import re
from datetime import UTC, datetime, timedelta

__all__ = ["change_name", "last_load_number", "load_name"]

_LOAD = re.compile(r"LOAD([0-9A-F]{8})\.parquet")
_CHANGE = re.compile(r"\d{8}-\d{9}\.parquet")
_MILLISECOND = timedelta(milliseconds=1)


def load_name(number: int) -> str:
    """The name of a load's file, such as `LOAD0000000A.parquet`."""
    return f"LOAD{number:08X}.parquet"


def last_load_number(names: list[str]) -> int:
    """The greatest load number among those names; 0 for none."""
    return max((int(match.group(1), 16) for name in names if (match := _LOAD.fullmatch(name))), default=0)


def last_change_name(names: list[str]) -> str:
    """The greatest change file's name among those; "" for none."""
    return max((name for name in names if _CHANGE.fullmatch(name)), default="")


def _text(time: datetime) -> str:
    return f"{time:%Y%m%d-%H%M%S}{time.microsecond // 1000:03d}.parquet"


def change_name(now: datetime, last_name: str) -> str:
    """The name of a change file written now; greater than `last_name` even if the clock stepped back."""
    name = _text(now)
    if name > last_name:
        return name
    last = datetime.strptime(last_name[:18], "%Y%m%d-%H%M%S%f").replace(tzinfo=UTC)
    return _text(last + _MILLISECOND)
