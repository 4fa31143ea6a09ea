"""What a QUERY event's statement does to replication, told from its text. In row format it is control or DDL."""

import re
from dataclasses import dataclass
from enum import Enum

__all__ = ["Statement", "StatementKind", "classify_statement"]


class StatementKind(Enum):
    """What a statement means for the rows read so far and after."""

    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    NOTHING = "nothing"
    EMPTIED = "emptied"
    """Rows of the named tables went without row events: TRUNCATE, DROP, RENAME."""
    ALTERED = "altered"
    ROWS_AS_STATEMENT = "rows as statement"
    """Rows changed and only the statement was logged: not row format."""
    XA = "xa"


@dataclass(frozen=True, slots=True)
class Statement:
    """A classified statement.

    Attributes:
        kind: What it means.
        verb: How it did it, in words ("truncated", "dropped", ...).
        tables: (schema, table) that it names; "" for all tables of that schema.

    """

    kind: StatementKind
    verb: str = ""
    tables: tuple[tuple[str, str], ...] = ()


_COMMENT = re.compile(r"/\*(?!M?!).*?\*/|--\s[^\n]*|#[^\n]*", re.DOTALL)
_EXECUTABLE = re.compile(r"/\*M?!\d*\s?(.*?)\*/", re.DOTALL)
_NAME = r"(?:`(?:[^`]|``)+`|\"(?:[^\"]|\"\")+\"|[\w$\u0080-\uffff]+)"
_TABLE = rf"({_NAME})(?:\s*\.\s*({_NAME}))?"
_TABLES = re.compile(_TABLE)
_TRUNCATE = re.compile(rf"truncate\s+(?:table\s+)?{_TABLE}", re.IGNORECASE)
_DROP = re.compile(r"drop\s+tables?\s+(?:if\s+exists\s+)?(.*)", re.IGNORECASE | re.DOTALL)
_DROP_SCHEMA = re.compile(rf"drop\s+(?:database|schema)\s+(?:if\s+exists\s+)?({_NAME})", re.IGNORECASE)
_RENAME = re.compile(r"rename\s+tables?\s+(?:if\s+exists\s+)?(.*)", re.IGNORECASE | re.DOTALL)
_ALTER = re.compile(
    rf"alter\s+(?:online\s+|ignore\s+)*table\s+(?:if\s+exists\s+)?{_TABLE}(.*)", re.IGNORECASE | re.DOTALL
)
_REPLACE_TABLE = re.compile(rf"create\s+or\s+replace\s+table\s+(?:if\s+not\s+exists\s+)?{_TABLE}", re.IGNORECASE)
_ALTER_RENAMES = re.compile(rf"\brename\s+(?:(?:to|as)\s+)?(?!column\b|index\b|key\b){_TABLE}", re.IGNORECASE)
_ALTER_EMPTIES = re.compile(
    r"\b(?:truncate|drop|exchange|discard|import|convert)\s+(?:partition|tablespace)\b", re.IGNORECASE
)
_ROWS = re.compile(r"(?:insert|update|delete|replace|load|with|call|do)\b", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)


def _plain(name: str) -> str:
    if name[:1] in {"`", '"'}:
        return name[1:-1].replace(name[0] * 2, name[0])
    return name


def _table(first: str, second: str | None, schema: str) -> tuple[str, str]:
    return (_plain(first), _plain(second)) if second else (schema, _plain(first))


def _all_tables(text: str, schema: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        _table(match.group(1), match.group(2), schema)
        for match in _TABLES.finditer(text)
        if match.group(1).lower() not in {"to", "restrict", "cascade", "wait", "nowait"}
    )


def _altered(match: re.Match[str], schema: str) -> Statement:
    table = _table(match.group(1), match.group(2), schema)
    rest = _QUOTED.sub("''", match.group(3))
    renames = _ALTER_RENAMES.search(rest)
    if renames:
        target = _table(renames.group(1), renames.group(2), table[0])
        return Statement(StatementKind.EMPTIED, "renamed", (table, target))
    if _ALTER_EMPTIES.search(rest):
        return Statement(StatementKind.EMPTIED, "emptied in part", (table,))
    return Statement(StatementKind.ALTERED, "altered", (table,))


def classify_statement(schema: str, sql: str) -> Statement:
    """What the statement means; `schema` is the session's default."""
    text = _EXECUTABLE.sub(r"\1 ", _COMMENT.sub(" ", sql)).strip()
    word = text[:10].split(None, 1)[0].upper().rstrip(";") if text else ""
    match word:
        case "BEGIN":
            return Statement(StatementKind.BEGIN)
        case "COMMIT":
            return Statement(StatementKind.COMMIT)
        case "ROLLBACK":
            whole = not re.match(r"rollback\s+(?:work\s+)?to\b", text, re.IGNORECASE)
            return Statement(StatementKind.ROLLBACK if whole else StatementKind.NOTHING)
        case "XA":
            return Statement(StatementKind.XA, text.split()[1].lower() if len(text.split()) > 1 else "")
        case "START":
            return Statement(StatementKind.BEGIN if "TRANSACTION" in text.upper() else StatementKind.NOTHING)
    if found := _TRUNCATE.match(text):
        return Statement(StatementKind.EMPTIED, "truncated", (_table(found.group(1), found.group(2), schema),))
    if found := _DROP.match(text):
        return Statement(StatementKind.EMPTIED, "dropped", _all_tables(found.group(1), schema))
    if found := _DROP_SCHEMA.match(text):
        return Statement(StatementKind.EMPTIED, "dropped", ((_plain(found.group(1)), ""),))
    if found := _RENAME.match(text):
        return Statement(StatementKind.EMPTIED, "renamed", _all_tables(found.group(1), schema))
    if found := _REPLACE_TABLE.match(text):
        return Statement(StatementKind.EMPTIED, "replaced", (_table(found.group(1), found.group(2), schema),))
    if found := _ALTER.match(text):
        return _altered(found, schema)
    if _ROWS.match(text):
        return Statement(StatementKind.ROWS_AS_STATEMENT, text[:120])
    return Statement(StatementKind.NOTHING)
