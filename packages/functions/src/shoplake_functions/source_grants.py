"""Which rights MySQL's user needs, as data, beside those that it has. Pure.

Capture: https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Source.MySQL.html. Reading: on MySQL the sums are read under
a lock of some milliseconds, which RDS gives only table by table. The marker's table is ours. The simulated shop makes,
fills and drops its tables.
"""

import re
from collections.abc import Iterable, Mapping

from shoplake_core.names import MARKER_SCHEMA
from shoplake_mysql.connections import quote_name
from shoplake_mysql.server_facts import Flavour

__all__ = [
    "Grants",
    "excess_rights",
    "grant_statements",
    "granted_rights",
    "lacking_rights",
    "needed_rights",
    "scope_of",
]

Grants = Mapping[str, frozenset[str]]
"""Scope, as SHOW GRANTS writes it, -> rights."""

_EVERYWHERE = "*.*"
_ALL, _NONE, _PASS_ON = "ALL PRIVILEGES", "USAGE", "GRANT OPTION"
_GRANT = re.compile(r"GRANT (?P<rights>.+?) ON (?P<scope>.+?) TO .+?(?P<pass_on> WITH GRANT OPTION)?$")
_ROLE = re.compile(r"GRANT (?P<role>[`'\"].+?) TO ")
_PARTS = re.compile(r"\\?.")
_WILDCARDS = {"%": ".*", "_": "."}
_CAPTURE = frozenset({"REPLICATION CLIENT", "REPLICATION SLAVE"})
_MARKER = frozenset({"SELECT", "INSERT"})
_SHOP = frozenset({"INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES"})
_OTHER_NAMES = {"BINLOG MONITOR": "REPLICATION CLIENT"}  # MariaDB since 10.5


def scope_of(schema: str) -> str:
    """All tables of a schema: `_` and `%` in its name would stand for others as well."""
    pattern = re.sub(r"([_%])", r"\\\1", schema)
    return f"{quote_name(pattern)}.*"


def needed_rights(schema: str, *, flavour: Flavour, simulated_shop: bool) -> Grants:
    """What the user needs for capture, reading and markers, and to play the shop."""
    reading = {"SELECT", "LOCK TABLES"} if flavour is Flavour.MYSQL else {"SELECT"}
    return {
        _EVERYWHERE: _CAPTURE,
        scope_of(schema): frozenset(reading | (_SHOP if simulated_shop else frozenset())),
        scope_of(MARKER_SCHEMA): _MARKER,
    }


def granted_rights(lines: Iterable[str]) -> Grants:
    """What SHOW GRANTS tells; a role is a scope of its own without rights, for what it gives is not told."""
    found: dict[str, frozenset[str]] = {}
    for line in lines:
        grant = _GRANT.match(line)
        if grant is None:
            role = _ROLE.match(line)
            if role is not None:
                found[f"role {role['role']}"] = frozenset()
            continue
        rights = {_OTHER_NAMES.get(right, right) for right in re.split(r", (?![^(]*\))", grant["rights"].upper())}
        rights |= {_PASS_ON} if grant["pass_on"] else set()
        found[grant["scope"]] = found.get(grant["scope"], frozenset()) | (rights - {_NONE})
    return {scope: rights for scope, rights in found.items() if rights or scope.startswith("role ")}


def lacking_rights(needed: Grants, found: Grants) -> Grants:
    """What is needed and not there; a right on everything, or on a pattern that fits a schema, counts for it."""
    lacking: dict[str, frozenset[str]] = {}
    for scope, rights in needed.items():
        held: frozenset[str] = frozenset().union(*(given for at, given in found.items() if _covers(at, scope)))
        if _ALL not in held and rights - held:
            lacking[scope] = rights - held
    return lacking


def _covers(found: str, needed: str) -> bool:
    if found in {_EVERYWHERE, needed}:
        return True
    if needed == _EVERYWHERE or not found.endswith("`.*"):
        return False
    name = re.sub(r"\\(.)", r"\1", needed)
    parts = (part if part.startswith("\\") else _WILDCARDS.get(part, re.escape(part)) for part in _PARTS.findall(found))
    return re.fullmatch("".join(parts), name) is not None


def excess_rights(needed: Grants, found: Grants) -> Grants:
    """What is there and not needed; a role is one."""
    return {
        scope: rights - needed.get(scope, frozenset())
        for scope, rights in found.items()
        if scope.startswith("role ") or rights - needed.get(scope, frozenset())
    }


def grant_statements(rights: Grants, account: str) -> tuple[str, ...]:
    """The statements that give these rights; `account` is quoted, such as 'shoplake'@'%'."""
    return tuple(f"GRANT {', '.join(sorted(held))} ON {scope} TO {account}" for scope, held in rights.items())
