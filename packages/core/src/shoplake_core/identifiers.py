"""Names that may stand in SQL, keys and paths: checked once, so that everything built from a contract is safe."""

import re

from shoplake_core.errors import ContractError

__all__ = ["checked_identifier"]

_IDENTIFIER = re.compile(r"^[a-z_][a-z0-9_]{0,62}$")


def checked_identifier(name: str, what: str) -> str:
    """`name` itself, where it is lower-case snake_case of at most 63 characters.

    Args:
        name: The name to check.
        what: What it names, for the message ("column", "table orders: key").

    Raises:
        ContractError: It is not such a name.

    """
    if not _IDENTIFIER.match(name):
        raise ContractError(
            f'{what} "{name}" is not a lower-case snake_case name of at most 63 characters',
            hint="rename it in the contract; `source_name` keeps the name that MySQL uses",
            name=name,
        )
    return name
