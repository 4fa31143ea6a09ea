"""Proof that a set of code is closed: all that our modules import is in it, in Python, or there already."""

import ast
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution

from shoplake_core.errors import ConfigError

from shoplake_infra.artifacts.distributions import Member, canonical_name, is_ours, members_of

__all__ = ["refuse_open_set"]

_IMPORT_NAMES = {"python-dateutil": "dateutil"}  # of the provided distributions, where it is not the name itself


def refuse_open_set(what: str, distributions: Iterable[Distribution], *, provided: frozenset[str]) -> None:
    """Hold every import of our modules, inside functions too, against the set.

    Args:
        what: Names the set in the error.
        distributions: All that is shipped.
        provided: Canonical names of distributions that are there without being shipped.

    Raises:
        ConfigError: Naming every import that would fail there.

    """
    shipped = list(distributions)
    members = {of: members_of(of) for of in shipped}
    known = {_top_level(member) for own in members.values() for member in own}
    known |= {_IMPORT_NAMES.get(name, name) for name in provided} | set(sys.stdlib_module_names)
    missing = sorted(
        f"{member.name}:{line} imports {name}"
        for of, own in members.items()
        if is_ours(canonical_name(of.metadata["Name"]))
        for member in own
        if member.name.endswith(".py")
        for name, line in _imports(member)
        if name not in known
    )
    if missing:
        raise ConfigError(
            f"{what} would not find all its modules: {'; '.join(missing)}",
            hint="add the distribution to the dependencies in the package's pyproject.toml",
        )


def _top_level(member: Member) -> str:
    return member.name.split("/")[0].split(".")[0]


def _imports(member: Member) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(member.path.read_bytes(), member.name)):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0], node.lineno
