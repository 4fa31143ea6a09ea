"""The columns of a catalogue table: what it has, joined with what new files hold. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from shoplake_local.crawler.glue_types import glue_type, wider_type

__all__ = ["ColumnUnion", "joined_columns"]


@dataclass(frozen=True, slots=True)
class ColumnUnion:
    """The outcome of joining files' schemas onto a table.

    Attributes:
        columns: Name (lower case) -> Glue type; known columns first, in their order, new ones after them.
        added: Names of new columns.
        widened: "column: old type -> new type".
        faults: What cannot be represented, each naming the column and the file.

    """

    columns: dict[str, str]
    added: tuple[str, ...]
    widened: tuple[str, ...]
    faults: tuple[str, ...]


def joined_columns(known: Mapping[str, str], schemas: Mapping[str, pa.Schema]) -> ColumnUnion:
    """The union of `known` columns and the schemas of files (file name -> schema), in the order of the files."""
    columns = dict(known)
    faults: list[str] = []
    for file, schema in schemas.items():
        spelled: dict[str, str] = {}
        for field in schema:
            name = field.name.lower()
            if name in spelled:
                faults.append(f'{file}: columns "{spelled[name]}" and "{field.name}" are one name to the catalogue')
                continue
            spelled[name] = field.name
            kind = glue_type(field.type)
            if kind is None:
                faults.append(f'{file}: column "{field.name}" has type {field.type}, which Glue cannot read')
                continue
            before = columns.get(name, kind)
            wider = wider_type(before, kind)
            if wider is None:
                faults.append(
                    f'{file}: column "{field.name}" has type {kind}, the table so far {before}: no type holds both'
                )
                continue
            columns[name] = wider
    return ColumnUnion(
        columns=columns,
        added=tuple(name for name in columns if name not in known),
        widened=tuple(
            f"{name}: {before} -> {columns[name]}" for name, before in known.items() if columns[name] != before
        ),
        faults=tuple(faults),
    )
