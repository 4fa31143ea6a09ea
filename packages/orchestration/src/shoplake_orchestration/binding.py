"""Tokens of a definition, `${Name}`, replaced by the values of one environment."""

import json
import re
from collections.abc import Mapping

from shoplake_core.errors import ConfigError

__all__ = ["TOKEN", "bind", "tokens_in"]

TOKEN = re.compile(r"\$\{([A-Za-z][A-Za-z0-9]*)\}")


def tokens_in(definition_text: str) -> frozenset[str]:
    """The names of the tokens in a definition."""
    return frozenset(TOKEN.findall(definition_text))


def bind(definition_text: str, tokens: Mapping[str, str]) -> str:
    """The definition with every token replaced; values are escaped as JSON, for tokens stand within JSON strings.

    Raises:
        ConfigError: A token has no value, or a value has no token: each is named.

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
    return TOKEN.sub(lambda match: json.dumps(tokens[match[1]], ensure_ascii=False)[1:-1], definition_text)
