"""A PostgreSQL result as the Data API gives it: column metadata and typed fields, numbers and times as exact text."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

__all__ = ["StatementResult", "statement_result"]

_PAGE_ROWS = 1000
_MAX_RESULT_BYTES = 500 * 1024 * 1024  # of the Data API
_TYPE_NAMES = {
    16: "bool",
    17: "varbyte",
    18: "char",
    19: "name",
    20: "int8",
    21: "int2",
    23: "int4",
    25: "varchar",
    26: "oid",
    700: "float4",
    701: "float8",
    1042: "bpchar",
    1043: "varchar",
    1082: "date",
    1083: "time",
    1114: "timestamp",
    1184: "timestamptz",
    1186: "interval",
    1266: "timetz",
    1700: "numeric",
    3802: "super",
}
_INTEGERS = frozenset({20, 21, 23, 26})
_FLOATS = frozenset({700, 701})
_BOOLEAN = 16
_SIGNED = frozenset({20, 21, 23, 700, 701, 1700})
_TEXTS = frozenset({18, 19, 25, 1042, 1043})


@dataclass(frozen=True, slots=True)
class StatementResult:
    """What one statement gave.

    Attributes:
        columns: The API's ColumnMetadata; None where the statement gives no rows.
        pages: Each page's Records as JSON text.
        rows: Rows given or changed; -1 where neither is known.
        size_bytes: Length of all pages.

    """

    columns: list[dict[str, Any]] | None
    pages: list[str]
    rows: int
    size_bytes: int


def _field(text: bytes | None, oid: int) -> dict[str, Any]:
    if text is None:
        return {"isNull": True}
    if oid in _INTEGERS:
        return {"longValue": int(text)}
    if oid in _FLOATS:
        return {"doubleValue": float(text)}
    if oid == _BOOLEAN:
        return {"booleanValue": text == b"t"}
    return {"stringValue": text.decode()}


def _metadata(column: psycopg.Column) -> dict[str, Any]:
    oid = column.type_code
    precision, scale = column.precision or 0, column.scale or 0
    return {
        "name": column.name,
        "label": column.name,
        "typeName": _TYPE_NAMES.get(oid, "varchar"),
        "nullable": 1,
        "precision": precision if oid not in _TEXTS else (column.display_size or 0),
        "scale": scale,
        "length": 0,
        "isSigned": oid in _SIGNED,
        "isCaseSensitive": oid in _TEXTS,
        "isCurrency": False,
        "schemaName": "",
        "tableName": "",
        "columnDefault": "",
    }


def _pages(result: Any, oids: list[int]) -> Iterator[str]:
    for start in range(0, result.ntuples, _PAGE_ROWS):
        stop = min(start + _PAGE_ROWS, result.ntuples)
        yield json.dumps(
            [[_field(result.get_value(row, i), oid) for i, oid in enumerate(oids)] for row in range(start, stop)]
        )


def statement_result(cursor: psycopg.Cursor[Any]) -> StatementResult:
    """The cursor's result; the cursor must have been executed with text results."""
    result = cursor.pgresult
    if cursor.description is None or result is None:
        return StatementResult(None, [], cursor.rowcount, 0)
    pages: list[str] = []
    size_bytes = 0
    for page in _pages(result, [column.type_code for column in cursor.description]):
        size_bytes += len(page)
        if size_bytes > _MAX_RESULT_BYTES:
            raise ValueError(f"the result is larger than the Data API's {_MAX_RESULT_BYTES} bytes")
        pages.append(page)
    return StatementResult([_metadata(column) for column in cursor.description], pages, result.ntuples, size_bytes)
