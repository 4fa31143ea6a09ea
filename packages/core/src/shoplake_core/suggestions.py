"""The nearest right name for a wrong one, as part of an error message."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean"]


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """' (did you mean "x"?)' for the nearest known name, or "" where none is near."""
    near = get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f' (did you mean "{near[0]}"?)' if near else ""
