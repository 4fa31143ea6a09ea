"""A real server, the shop seeded once for the tests that only read, and the oracle that ledgers are checked by: the
contract's cleaning rules applied one value at a time in plain Python.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from shoplake_core.cleaning import DATE_FORMATS, PATTERNS, TRIM_CHARACTERS, Rule
from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import CaseFold, ColumnContract, Layer, Violation
from shoplake_core.logical_types import Kind
from shoplake_datagen import Expectation, SeedReport, seed
from shoplake_datagen.schema import TABLE_NAMES
from shoplake_engines.testing import mysql_server, mysql_server_factory  # noqa: F401
from shoplake_mysql.connections import connect

CONTRACTS = Path(__file__).resolve().parents[3] / "shop" / "contracts" / "silver"
REFERENCE = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def seeded(mysql_server) -> SeedReport:  # noqa: F811 - the fixture itself
    """A shop of 6,000 orders in the schema `read_shop`, which no test changes."""
    return seed(mysql_server.endpoint, orders=6_000, seed=7, reference_time=REFERENCE, schema="read_shop")


@pytest.fixture
def connection(mysql_server) -> Iterator:  # noqa: F811 - the fixture itself
    """A connection of the test's own, with all rights."""
    opened = connect(mysql_server.endpoint)
    yield opened
    opened.close()


@pytest.fixture
def ledger_disagreements(connection):
    """A function from schema and ledger to all that the rules contradict; [] is right."""
    return lambda schema, ledger: disagreements(connection, schema, ledger)


LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def as_date(text, formats):
    for name in formats:
        pattern, groups = DATE_FORMATS[name]
        match = re.fullmatch(pattern, text)
        if match:
            parts = dict(zip(groups, map(int, match.groups()), strict=True))
            try:
                return date(parts["year"], parts["month"], parts["day"])
            except ValueError:
                continue
    return None


def clean(column: ColumnContract, value):
    """(cleaned value, None or the broken rule)."""
    if column.type.kind in {Kind.DATE, Kind.TIMESTAMP} and not column.formats and isinstance(value, str):
        value = None  # a zero date, which the driver hands on as text
    broken = None
    if isinstance(value, str):
        if column.trim:
            value = value.strip(TRIM_CHARACTERS)
        value = {CaseFold.LOWER: value.translate(LOWER), CaseFold.UPPER: value.translate(UPPER)}.get(column.case, value)
        if column.blank_is_null and value == "":
            value = None
    if column.formats and value is not None:
        parsed = as_date(value, column.formats)
        broken = Rule.FORMAT if parsed is None else None
        value = parsed
    if value is None and broken is None:
        return None, None if column.nullable else Rule.NULL
    broken = broken or checked(column, value)
    if broken and column.violation is Violation.NULL:
        return None, None if column.nullable else Rule.NULL
    return value, broken


def checked(column: ColumnContract, value):
    if column.accepted and value not in column.accepted:
        return Rule.ACCEPTED
    if column.pattern and not re.fullmatch(PATTERNS[column.pattern], value):
        return Rule.PATTERN
    if column.minimum and value < bound(column.minimum, value):
        return Rule.MINIMUM
    if column.maximum and value > bound(column.maximum, value):
        return Rule.MAXIMUM
    return None


def bound(text, value):
    if isinstance(value, datetime):
        return datetime.fromisoformat(text)
    return date.fromisoformat(text) if isinstance(value, date) else Decimal(text)


def contract(name):
    path = CONTRACTS / f"{name}.toml"
    return parse_table_contract(path.read_text("utf-8"), name=name, layer=Layer.SILVER, where=path.name)


def cleaned_rows(connection, schema, name):
    """Key -> (column -> cleaned value, reasons) of every row on the server."""
    table = contract(name)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(table.column_names)} FROM {schema}.{name}")
        rows = cursor.fetchall()
    result = {}
    for row in rows:
        values, reasons = {}, []
        for column, value in zip(table.columns, row, strict=True):
            values[column.name], broken = clean(column, value)
            if broken:
                reasons.append(f"{broken.value}:{column.name}")
        result[tuple(values[key] for key in table.key)] = (values, reasons)
    return result


def disagreements(connection, schema, ledger):
    """Every entry that the rules contradict, and every quarantined row that no entry speaks of."""
    found = []
    for name in TABLE_NAMES:
        rows = cleaned_rows(connection, schema, name)
        entries = {tuple(entry.key.values()): entry for entry in ledger if entry.table == name}
        for key, entry in entries.items():
            values, reasons = rows[key]
            expected_reasons = [entry.reason] if entry.expect is Expectation.QUARANTINED else []
            if reasons != expected_reasons:
                found.append((entry, reasons))
            value = values[entry.column]
            text = None if value is None else str(value)
            if entry.expect is not Expectation.QUARANTINED and text != entry.value:
                found.append((entry, text))
        found += [(name, key, reasons) for key, (_, reasons) in rows.items() if reasons and key not in entries]
    return found
