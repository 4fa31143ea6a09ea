"""DMS table mappings (JSON) -> which tables are captured, under which names, with which header columns.

What is not honoured is refused with the path of the rule: a mapping that DMS would apply and we would not is a lie.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from shoplake_core.errors import ConfigError

from shoplake_replication.errors import UnsupportedSettingError

__all__ = ["HeaderColumn", "TableMappings", "TableRoute", "parse_table_mappings"]

_WILDCARD = re.compile(r"%|_|\[[^\]]*\]|[^%_\[]+|\[")


class HeaderColumn(Enum):
    """DMS header variables that a mapping may add as a column."""

    SEQUENCE = "$AR_H_CHANGE_SEQ"
    STREAM_POSITION = "$AR_H_STREAM_POSITION"


@dataclass(frozen=True, slots=True)
class TableRoute:
    """One captured table and its names in bronze."""

    schema: str
    table: str
    target_schema: str
    target_table: str

    @property
    def source(self) -> str:
        """`schema.table` in MySQL."""
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True)
class _Locator:
    """A pair of name patterns; `%`, `_` and `[...]` as DMS has them, letters without regard to case."""

    schema: re.Pattern[str]
    table: re.Pattern[str]

    def matches(self, schema: str, table: str) -> bool:
        return bool(self.schema.fullmatch(schema) and self.table.fullmatch(table))


@dataclass(frozen=True, slots=True)
class _Selection:
    locator: _Locator
    include: bool


@dataclass(frozen=True, slots=True)
class _Rename:
    locator: _Locator
    target: str
    value: str


@dataclass(frozen=True, slots=True)
class _AddColumn:
    locator: _Locator
    column: HeaderColumn
    name: str


@dataclass(frozen=True, slots=True)
class TableMappings:
    """Parsed table mappings."""

    selections: tuple[_Selection, ...]
    renames: tuple[_Rename, ...]
    added: tuple[_AddColumn, ...]

    def route(self, schema: str, table: str) -> TableRoute | None:
        """The route of a table; None where it is not captured. An exclusion wins over any inclusion, as in DMS."""
        chosen = [rule.include for rule in self.selections if rule.locator.matches(schema, table)]
        if not chosen or not all(chosen):
            return None
        names = {"schema": schema, "table": table}
        for rule in self.renames:
            if rule.locator.matches(schema, table):
                names[rule.target] = rule.value
        return TableRoute(schema, table, names["schema"], names["table"])

    def header_name(self, schema: str, table: str, column: HeaderColumn) -> str:
        """Name of that header column in the table's files; "" where no rule adds it."""
        for rule in self.added:
            if rule.column is column and rule.locator.matches(schema, table):
                return rule.name
        return ""


def _pattern(text: str) -> re.Pattern[str]:
    parts = []
    for piece in _WILDCARD.findall(text):
        if piece == "%":
            parts.append(".*")
        elif piece == "_":
            parts.append(".")
        elif piece.startswith("[") and len(piece) > 2:
            parts.append(piece)
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _refuse_unknown(rule: Mapping[str, Any], known: set[str], path: str) -> None:
    for key in rule:
        if key not in known:
            raise UnsupportedSettingError(
                f"{path}.{key} is not honoured by this replicator", hint="take it out", path=f"{path}.{key}"
            )


def _locator(rule: Mapping[str, Any], path: str) -> _Locator:
    locator = rule.get("object-locator")
    if not isinstance(locator, dict) or "schema-name" not in locator:
        raise ConfigError(f"{path}.object-locator needs schema-name and table-name", hint="add them", path=path)
    _refuse_unknown(locator, {"schema-name", "table-name"}, f"{path}.object-locator")
    return _Locator(_pattern(str(locator["schema-name"])), _pattern(str(locator.get("table-name", "%"))))


_RULE = {"rule-type", "rule-id", "rule-name", "rule-action", "object-locator"}


def _selection(rule: Mapping[str, Any], path: str) -> _Selection:
    _refuse_unknown(rule, _RULE | {"filters"}, path)
    if rule.get("filters"):
        raise UnsupportedSettingError(
            f"{path}.filters is not honoured by this replicator", hint="capture the whole table", path=f"{path}.filters"
        )
    action = rule.get("rule-action")
    if action not in {"include", "exclude"}:
        raise UnsupportedSettingError(
            f'{path}.rule-action is "{action}", expected include or exclude', path=f"{path}.rule-action"
        )
    return _Selection(_locator(rule, path), action == "include")


def _transformation(rule: Mapping[str, Any], path: str) -> _Rename | _AddColumn:
    _refuse_unknown(rule, _RULE | {"rule-target", "value", "expression", "data-type"}, path)
    action, target, value = rule.get("rule-action"), rule.get("rule-target"), str(rule.get("value", ""))
    if action == "rename" and target in {"schema", "table"} and value:
        return _Rename(_locator(rule, path), str(target), value)
    if action == "add-column" and target == "column" and value:
        try:
            column = HeaderColumn(rule.get("expression"))
        except ValueError:
            known = ", ".join(member.value for member in HeaderColumn)
            raise UnsupportedSettingError(
                f'{path}.expression is "{rule.get("expression")}", expected one of {known}', path=f"{path}.expression"
            ) from None
        data_type = rule.get("data-type")
        if not isinstance(data_type, dict) or data_type.get("type") != "string":
            raise UnsupportedSettingError(
                f"{path}.data-type must be a string: header columns are text", path=f"{path}.data-type"
            )
        return _AddColumn(_locator(rule, path), column, value)
    raise UnsupportedSettingError(
        f'{path}: rule-action "{action}" on "{target}" is not honoured by this replicator',
        hint="use rename of a schema or table, or add-column with a header variable",
        path=path,
    )


def parse_table_mappings(document: Any, *, where: str = "table_mappings") -> TableMappings:
    """The mappings of a DMS table-mapping document.

    Raises:
        ConfigError: It is none, or selects nothing.
        UnsupportedSettingError: A rule is not honoured here; the message has its path.

    """
    if not isinstance(document, dict) or not isinstance(document.get("rules"), list):
        raise ConfigError(f'{where} must be an object with "rules"', hint="see shoplake_replication.standard_settings")
    _refuse_unknown(document, {"rules"}, where)
    selections: list[_Selection] = []
    renames: list[_Rename] = []
    added: list[_AddColumn] = []
    for index, rule in enumerate(document["rules"]):
        path = f"{where}.rules[{index}]"
        match rule.get("rule-type"):
            case "selection":
                selections.append(_selection(rule, path))
            case "transformation":
                parsed = _transformation(rule, path)
                if isinstance(parsed, _Rename):
                    renames.append(parsed)
                else:
                    added.append(parsed)
            case other:
                raise UnsupportedSettingError(f'{path}.rule-type "{other}" is not honoured here', path=path)
    if not any(rule.include for rule in selections):
        raise ConfigError(f"{where} selects no table", hint="add a selection rule with rule-action include")
    return TableMappings(tuple(selections), tuple(renames), tuple(added))
