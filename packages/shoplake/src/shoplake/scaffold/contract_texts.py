"""Contracts in TOML from the shape of a MySQL table: silver as it is, and a gold model that carries it on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
from shoplake_core.contracts import MASKED_TYPE, Pii
from shoplake_core.logical_types import Kind, LogicalType
from shoplake_mysql.tables import SourceColumn, TableShape

from shoplake.scaffold.guesses import guessed_pii, is_credential, is_switch

__all__ = [
    "CarriedColumn",
    "CarriedTable",
    "carried_table",
    "gold_contract",
    "gold_name",
    "gold_select",
    "silver_contract",
]

_MAX_CHARACTERS = 16_383  # of a Redshift VARCHAR: 65,535 bytes, at most 4 a character
_NOT_IN_GOLD = frozenset({Kind.BINARY, Kind.TEXT, Kind.JSON})
_ARROW_KINDS: dict[pa.DataType, Kind] = {
    pa.bool_(): Kind.BOOLEAN,
    pa.int8(): Kind.INT8,
    pa.int16(): Kind.INT16,
    pa.int32(): Kind.INT32,
    pa.int64(): Kind.INT64,
    pa.uint8(): Kind.UINT8,
    pa.uint16(): Kind.UINT16,
    pa.uint32(): Kind.UINT32,
    pa.uint64(): Kind.UINT64,
    pa.float64(): Kind.FLOAT64,
    pa.date32(): Kind.DATE,
    pa.binary(): Kind.BINARY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedColumn:
    """One column of a first contract.

    Attributes:
        name: In silver, in snake_case.
        source: The column in MySQL.
        type: The narrowest type that holds every value of it.
        pii: What its name tells of a person; never of a key, which must stay readable.

    """

    name: str
    source: SourceColumn
    type: LogicalType
    pii: Pii


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedTable:
    """One table of a first project.

    Attributes:
        name: In silver, in snake_case.
        shape: The table in MySQL.
        columns: What is carried.
        key: Names of the key's columns.
        left_out: Columns that are not carried because their names are those of credentials.

    """

    name: str
    shape: TableShape
    columns: tuple[CarriedColumn, ...]
    key: tuple[str, ...]
    left_out: tuple[str, ...]


def carried_table(shape: TableShape) -> CarriedTable:
    """The first contract's content for a table with a primary key."""
    key = {name.lower() for name in shape.primary_key}
    columns: list[CarriedColumn] = []
    left_out: list[str] = []
    for source in shape.columns:
        in_key = source.name.lower() in key
        if is_credential(source.name) and not in_key:
            left_out.append(source.name)
            continue
        name = _unused(_snake_case(source.name), [column.name for column in columns])
        kind = _logical_type(source)
        pii = Pii.NONE if in_key else guessed_pii(shape.name, source.name, kind)
        columns.append(CarriedColumn(name=name, source=source, type=kind, pii=pii))
    names = {column.source.name.lower(): column.name for column in columns}
    return CarriedTable(
        name=_snake_case(shape.name),
        shape=shape,
        columns=tuple(columns),
        key=tuple(names[part.lower()] for part in shape.primary_key),
        left_out=tuple(left_out),
    )


def _snake_case(name: str) -> str:
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    plain = re.sub(r"[^a-z0-9_]+", "_", parted.lower()).strip("_") or "column"
    return (plain if not plain[0].isdigit() else f"_{plain}")[:60]


def _unused(name: str, taken: Iterable[str]) -> str:
    number = 2
    candidate = name
    while candidate in taken:
        candidate = f"{name}_{number}"
        number += 1
    return candidate


def _logical_type(column: SourceColumn) -> LogicalType:
    """Docs/data-format.md section 1, read backwards."""
    declared, found = column.type, column.arrow_type
    if column.declared_type.lower() == "tinyint(1)" and is_switch(column.name):
        return LogicalType(Kind.BOOLEAN)
    if pa.types.is_decimal(found):
        return LogicalType(Kind.DECIMAL, precision=found.precision, scale=found.scale)
    if declared.name in {"datetime", "timestamp", "time", "json"}:
        return LogicalType(Kind(declared.name))
    if pa.types.is_string(found):
        length = _characters(column)
        return LogicalType(Kind.STRING, length=length) if 0 < length <= _MAX_CHARACTERS else LogicalType(Kind.TEXT)
    return LogicalType(_ARROW_KINDS[found])


def _characters(column: SourceColumn) -> int:
    """Most characters that a text can have; 0 where MySQL states no small limit."""
    if column.type.name == "enum":
        return max(map(len, column.type.members))
    if column.type.name == "set":
        return sum(map(len, column.type.members)) + len(column.type.members) - 1
    match = re.match(r"(?:var)?char\((\d+)\)", column.declared_type.lower())
    return int(match.group(1)) if match else 0


def silver_contract(table: CarriedTable) -> str:
    """TOML for `contracts/silver/<name>.toml`: what MySQL declares, and nothing that only the data could tell."""
    lines = [f'grain = "one row per {_singular(table.name)}"', f"key = {_toml_list(table.key)}"]
    if table.name != table.shape.name:
        lines.append(f"source_name = {_toml_text(table.shape.name)}")
    if table.left_out:
        lines.append(f"# not carried, by their names: {', '.join(_one_line(name) for name in table.left_out)}")
    for column in table.columns:
        lines += ["", f"[columns.{column.name}]", f'type = "{column.type}"']
        if column.source.name.lower() != column.name:
            lines.append(f"source_name = {_toml_text(column.source.name)}")
        if column.source.nullable and column.name not in table.key:
            lines.append("nullable = true")
        if column.source.type.name == "enum" and column.pii is Pii.NONE and "" not in column.source.type.members:
            lines.append(f"accepted = {_toml_list(column.source.type.members)}")
        if column.pii is not Pii.NONE:
            lines.append(f'pii = "{column.pii.value}" # guessed from the name: masked from silver on')
    return "\n".join(lines) + "\n"


def _singular(name: str) -> str:
    for ending, one in (("ies", "y"), ("sses", "ss"), ("ss", "ss"), ("s", "")):
        if name.endswith(ending):
            return f"{name.removesuffix(ending)}{one}".replace("_", " ")
    return name.replace("_", " ")


def _gold_columns(table: CarriedTable) -> list[CarriedColumn]:
    masked = [column for column in table.columns if column.pii is not Pii.NONE or column.type.kind not in _NOT_IN_GOLD]
    return [column for column in masked if column.pii is not Pii.NOTE]


def gold_name(table: CarriedTable) -> str:
    """The gold model's name: silver and gold share one name space."""
    return f"current_{table.name}"


def gold_contract(table: CarriedTable) -> str:
    """TOML for `contracts/gold/<gold name>.toml`: the table as it is now, without long texts, reconciled with silver."""
    lines = [
        f'grain = "one row of {table.name}, as it is now"',
        f"key = {_toml_list(table.key)}",
        f"reads = {_toml_list([table.name])}",
        f"scope = {_toml_list(table.key)}",
        "",
        "[touched]",
        f'{table.name} = "select {", ".join(table.key)} from changes"',
        "",
        "[[reconciles]]",
        f'source = "{table.name}"',
    ]
    sums = [c.name for c in _gold_columns(table) if c.type.kind is Kind.DECIMAL and c.name not in table.key]
    if sums:
        pairs = ", ".join(f'{name} = "{name}"' for name in sums)
        lines.append(f"sums = {{ {pairs} }}")
    for column in _gold_columns(table):
        kind = column.type if column.pii is Pii.NONE else MASKED_TYPE
        lines += ["", f"[columns.{column.name}]", f'type = "{kind}"']
        if column.source.nullable and column.name not in table.key:
            lines.append("nullable = true")
    return "\n".join(lines) + "\n"


def gold_select(table: CarriedTable) -> str:
    """SQL for `gold/<gold name>.sql`."""
    columns = ",\n".join(f"    t.{column.name}" for column in _gold_columns(table))
    join = " and ".join(f"s.{name} = t.{name}" for name in table.key)
    return f"select\n{columns}\nfrom {table.name} t\njoin scope s on {join}\n"


def _toml_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def _toml_list(texts: Iterable[str]) -> str:
    return f"[{', '.join(_toml_text(text) for text in texts)}]"


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
