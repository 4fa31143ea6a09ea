"""Table contracts from TOML text. Reading files is the caller's part; every finding is reported, not only the first.

A silver contract (`contracts/silver/orders.toml`):

    grain = "one row per order"
    key = ["order_id"]
    tracks = ["customer_id"]

    [columns.order_id]
    type = "uint64"

    [columns.status]
    type = "string(20)"
    trim = true
    case = "lower"
    accepted = ["pending", "paid"]
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from shoplake_core.cleaning import DATE_FORMATS, PATTERNS
from shoplake_core.contracts import (
    CaseFold,
    ColumnContract,
    GoldTest,
    Layer,
    Pii,
    Rebuild,
    Reconciles,
    Severity,
    TableContract,
    Violation,
)
from shoplake_core.errors import ContractError
from shoplake_core.identifiers import checked_identifier
from shoplake_core.logical_types import Kind, parse_logical_type
from shoplake_core.suggestions import did_you_mean

__all__ = ["parse_table_contract"]

_TABLE_FIELDS = {
    Layer.SILVER: ("grain", "key", "columns", "source_name", "tracks", "doc"),
    Layer.GOLD: (
        "grain",
        "key",
        "columns",
        "reads",
        "rebuild",
        "scope",
        "touched",
        "everything",
        "distribution_key",
        "sort_key",
        "reconciles",
        "tests",
        "doc",
    ),
}
_TEST_FIELDS = ("name", "sql", "severity")
_COLUMN_FIELDS = (
    "type",
    "source_name",
    "source_type",
    "nullable",
    "pii",
    "trim",
    "case",
    "blank_is_null",
    "formats",
    "accepted",
    "pattern",
    "minimum",
    "maximum",
    "violation",
    "doc",
)
_E = TypeVar("_E", bound=Enum)


@dataclass
class _Findings:
    """Every fault of one contract file, each with its path."""

    where: str
    faults: list[str]

    def add(self, path: str, fault: str) -> None:
        self.faults.append(f"{path}: {fault}")

    def guarded(self, path: str, make: Callable[[], Any], default: Any) -> Any:
        try:
            return make()
        except ContractError as error:
            self.add(path, error.message)
            return default

    def known(self, path: str, given: Iterable[str], known: Iterable[str]) -> None:
        for name in given:
            if name not in known:
                self.add(path, f'unknown field "{name}"{did_you_mean(name, known)}')

    def member(self, path: str, kind: type[_E], value: Any, default: _E) -> _E:
        names = [str(member.value) for member in kind]
        if value in names:
            return kind(value)
        self.add(path, f'"{value}" is none of {", ".join(names)}{did_you_mean(str(value), names)}')
        return default


def _column(name: str, data: Mapping[str, Any], found: _Findings) -> ColumnContract:
    path = f"columns.{name}"
    found.known(path, data, _COLUMN_FIELDS)
    found.guarded(path, lambda: checked_identifier(name, "column"), None)
    text = parse_logical_type("text")
    kind = found.guarded(f"{path}.type", lambda: parse_logical_type(str(data.get("type", "(missing)"))), text)
    source = found.guarded(
        f"{path}.source_type",
        lambda: parse_logical_type(str(data["source_type"])) if "source_type" in data else kind,
        text,
    )
    column = ColumnContract(
        name=name,
        source_name=str(data.get("source_name", name)),
        type=kind,
        source_type=source,
        nullable=bool(data.get("nullable", False)),
        pii=found.member(f"{path}.pii", Pii, data.get("pii", "none"), Pii.NONE),
        trim=bool(data.get("trim", False)),
        case=found.member(f"{path}.case", CaseFold, data.get("case", "keep"), CaseFold.KEEP),
        blank_is_null=bool(data.get("blank_is_null", False)),
        formats=tuple(data.get("formats", ())),
        accepted=tuple(data.get("accepted", ())),
        pattern=str(data.get("pattern", "")),
        minimum=str(data.get("minimum", "")),
        maximum=str(data.get("maximum", "")),
        violation=found.member(
            f"{path}.violation", Violation, data.get("violation", "quarantine"), Violation.QUARANTINE
        ),
        doc=str(data.get("doc", "")),
    )
    _check_column(column, path, found)
    return column


def _check_column(column: ColumnContract, path: str, found: _Findings) -> None:
    text_rules = column.trim or column.case is not CaseFold.KEEP or column.blank_is_null or bool(column.pattern)
    if text_rules and not column.source_type.is_text:
        found.add(
            path, f"trim, case, blank_is_null and pattern need a text, and the source type is {column.source_type}"
        )
    if column.pattern and column.pattern not in PATTERNS:
        found.add(f"{path}.pattern", f'unknown pattern "{column.pattern}"{did_you_mean(column.pattern, PATTERNS)}')
    for name in column.formats:
        if name not in DATE_FORMATS:
            found.add(f"{path}.formats", f'unknown format "{name}"; known: {", ".join(DATE_FORMATS)}')
    parsed = column.source_type != column.type
    if bool(column.formats) != parsed:
        found.add(path, "`formats` and a `source_type` that differs from `type` go together")
    if parsed and not (column.source_type.is_text and column.type.kind is Kind.DATE):
        found.add(path, "only a text can be parsed, and only into a date")
    if column.violation is Violation.NULL and not column.nullable:
        found.add(path, 'violation = "null" needs nullable = true')
    if (
        (column.minimum or column.maximum)
        and column.type.kind not in {Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP}
        and (not column.type.is_numeric)
    ):
        found.add(path, f"minimum and maximum need a number, a date or a time, and the type is {column.type}")


def _rebuild(data: Mapping[str, Any], layer: Layer, found: _Findings) -> Rebuild:
    rebuild = found.member("rebuild", Rebuild, data.get("rebuild", "scope"), Rebuild.SCOPE)
    if layer is Layer.GOLD and rebuild is Rebuild.SCOPE and not data.get("scope"):
        found.add("scope", 'missing: name the columns whose groups are rebuilt together, or say rebuild = "whole"')
    for field in ("scope", "touched", "everything"):
        if rebuild is Rebuild.WHOLE and data.get(field):
            found.add(field, 'of no use beside rebuild = "whole": any change of what it reads rebuilds the table')
    return rebuild


def _tests(data: Mapping[str, Any], found: _Findings) -> tuple[GoldTest, ...]:
    tests: list[GoldTest] = []
    for number, test in enumerate(data.get("tests", ()), start=1):
        name = str(test.get("name", ""))
        path = f"tests.{name or number}"
        found.known(path, test, _TEST_FIELDS)
        found.guarded(path, partial(checked_identifier, name, "test"), None)
        if name in [other.name for other in tests]:
            found.add(path, "comes twice")
        if not str(test.get("sql", "")).strip():
            found.add(f"{path}.sql", "missing: a SELECT of the rows that break the rule")
        severity = found.member(f"{path}.severity", Severity, test.get("severity", "error"), Severity.ERROR)
        tests.append(GoldTest(name=name, sql=str(test.get("sql", "")).strip(), severity=severity))
    return tuple(tests)


def parse_table_contract(text: str, *, name: str, layer: Layer, where: str) -> TableContract:
    """The contract written in TOML `text`.

    Args:
        text: The file's text.
        name: Table name: the file's name without suffix.
        layer: Silver or gold: the file's folder.
        where: The file's path, for messages.

    Raises:
        ContractError: Listing every fault of the file.

    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ContractError(
            f"{where} is not valid TOML: {error}", hint="mend the line that it names", file=where
        ) from error
    found = _Findings(where, [])
    found.known("table", data, _TABLE_FIELDS[layer])
    found.guarded("table", lambda: checked_identifier(name, "table"), None)
    columns = tuple(_column(n, c, found) for n, c in data.get("columns", {}).items())
    names = {column.name for column in columns}
    if not columns:
        found.add("columns", "there is none")
    if not data.get("key"):
        found.add("key", "missing: a table without a primary key cannot be replicated exactly")
    if not data.get("grain"):
        found.add("grain", 'missing: say what one row is, as in grain = "one row per order"')
    for field in ("key", "tracks", "scope", "sort_key"):
        for column in data.get(field, ()):
            if column not in names:
                found.add(field, f'no column "{column}"{did_you_mean(column, names)}')
    rebuild = _rebuild(data, layer, found)
    tests = _tests(data, found)
    touched = dict(data.get("touched", {}))
    for read in touched:
        if read not in data.get("reads", ()):
            found.add(f"touched.{read}", "not among `reads`")
    for column in columns:
        if column.name in data.get("key", ()) and (column.pii is not Pii.NONE or column.nullable):
            found.add(f"columns.{column.name}", "a key column can be neither PII nor nullable")
    if found.faults:
        lines = "\n".join(f"  - {fault}" for fault in found.faults)
        raise ContractError(
            f"{where} is not a valid contract:\n{lines}", hint=f"edit {where}", file=where, faults=found.faults
        )
    return TableContract(
        name=name,
        layer=layer,
        grain=data["grain"],
        key=tuple(data["key"]),
        columns=columns,
        source_name=str(data.get("source_name", name if layer is Layer.SILVER else "")),
        tracks=tuple(data.get("tracks", ())),
        reads=tuple(data.get("reads", ())),
        rebuild=rebuild,
        scope=tuple(data.get("scope", ())),
        touched=touched,
        everything=str(data.get("everything", "")),
        distribution_key=str(data.get("distribution_key", "")),
        sort_key=tuple(data.get("sort_key", ())),
        reconciles=tuple(
            Reconciles(
                source=r["source"],
                where=dict(r.get("where", {})),
                sums=dict(r.get("sums", {})),
                parents=dict(r.get("parents", {})),
            )
            for r in data.get("reconciles", ())
        ),
        tests=tests,
        doc=str(data.get("doc", "")),
    )
