"""Tokens of a definition, `${Name}`, replaced by the values of one environment."""

import json
import re
from collections.abc import Mapping

from shoplake_core.errors import ConfigError

__all__ = ["MOST_POLLS", "TOKEN", "bind", "tokens_in"]

MOST_POLLS = 699
"""The most that `${MostPolls}` may be: an execution ends for good at 25,000 events, one look costs about nine, and a run
waits for four things (replication, its loads, a marker, the crawler) before its jobs begin."""

TOKEN = re.compile(r"\$\{([A-Za-z][A-Za-z0-9]*)\}")


def tokens_in(definition_text: str) -> frozenset[str]:
    """The names of the tokens in a definition."""
    return frozenset(TOKEN.findall(definition_text))


def bind(definition_text: str, tokens: Mapping[str, str]) -> str:
    """The definition with every token replaced; values are escaped as JSON, for tokens stand within JSON strings.

    Raises:
        ConfigError: A token has no value, or a value has no token: each is named; or `MostPolls` is too large.

    """
    wanted, given = tokens_in(definition_text), frozenset(tokens)
    missing, unused = sorted(wanted - given), sorted(given - wanted)
    if missing or unused:
        parts = [f"without a value: {', '.join(missing)}"] if missing else []
        parts += [f"without a place: {', '.join(unused)}"] if unused else []
        raise ConfigError(
            f"the state machine's tokens do not fit its definition: {'; '.join(parts)}",
            hint="give a value for every ${Token} of the definition, and no other",
            missing=tuple(missing),
            unused=tuple(unused),
        )
    polls = tokens.get("MostPolls", "1")
    if not (polls.isdecimal() and 1 <= int(polls) <= MOST_POLLS):
        raise ConfigError(
            f"MostPolls must be a whole number from 1 to {MOST_POLLS}, found {polls!r}: an execution's history has an end",
            hint="wait longer between two looks instead: PollSeconds",
            found=polls,
        )
    return TOKEN.sub(lambda match: json.dumps(tokens[match[1]], ensure_ascii=False)[1:-1], definition_text)
