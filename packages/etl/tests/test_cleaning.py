"""Contract rules on Spark equal a plain Python reading of `shoplake_core.cleaning`, on drawn values."""

import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F  # noqa: N812 - the name everybody knows
from pyspark.sql import types as t
from shoplake_core.cleaning import DATE_FORMATS, PATTERNS, TRIM_CHARACTERS
from shoplake_core.contracts import CaseFold, Pii, Violation
from shoplake_etl.cleaning import check_column, normalised, parsed
from shoplake_etl.masking import masked, masking_pads, with_masking_pads
from shoplake_etl.spark_types import spark_type

pytestmark = pytest.mark.spark

CONTRACT = """
grain = "one row per case"
key = ["id"]
[columns.id]
type = "int64"
[columns.trimmed]
type = "text"
trim = true
case = "upper"
[columns.kept]
type = "text"
nullable = true
blank_is_null = true
accepted = ["a", "b", "c d"]
[columns.country]
type = "string(2)"
trim = true
case = "upper"
pattern = "country"
[columns.email]
type = "string(255)"
nullable = true
pii = "email"
trim = true
case = "lower"
blank_is_null = true
pattern = "email"
violation = "null"
[columns.since]
type = "date"
source_type = "string(20)"
nullable = true
trim = true
blank_is_null = true
formats = ["y-M-d", "d/M/y", "d.M.y"]
minimum = "1900-01-01"
[columns.born]
type = "date"
source_type = "string(20)"
nullable = true
pii = "birth_date"
formats = ["M/d/y"]
violation = "null"
[columns.amount]
type = "decimal(12,2)"
minimum = "0"
maximum = "99.50"
"""
TEXTS = ("trimmed", "kept", "country", "email", "since", "born")


def oracle_text(column, value):
    if value is None:
        return None
    if column.trim:
        value = value.strip(TRIM_CHARACTERS)
    if column.case is not CaseFold.KEEP:
        fold = str.lower if column.case is CaseFold.LOWER else str.upper
        value = "".join(fold(c) if c.isascii() else c for c in value)
    return None if column.blank_is_null and value == "" else value


def oracle_date(column, text):
    for name in column.formats:
        pattern, groups = DATE_FORMATS[name]
        match = re.fullmatch(pattern, text)
        if match:
            part = dict(zip(groups, map(int, match.groups()), strict=True))
            try:
                return date(part["year"], part["month"], part["day"])
            except ValueError:
                return None
    return None


def oracle(column, source, key):
    """(stored, reasons) of one value."""
    normal = oracle_text(column, source) if column.source_type.is_text else source
    value = oracle_date(column, normal) if column.formats and normal is not None else normal
    broken = []
    if column.formats and normal is not None and value is None:
        broken.append("format")
    if not column.nullable and normal is None:
        broken.append("null")
    if value is not None:
        if column.accepted and value not in column.accepted:
            broken.append("accepted")
        if column.pattern and not re.fullmatch(PATTERNS[column.pattern], value):
            broken.append("pattern")
        bound = date.fromisoformat if column.formats else Decimal
        if column.minimum and value < bound(column.minimum):
            broken.append("minimum")
        if column.maximum and value > bound(column.maximum):
            broken.append("maximum")
    if column.violation is Violation.NULL and broken:
        value, broken = None, [rule for rule in broken if rule == "null"]
    if column.pii is not Pii.NONE and value is not None:
        value = key.mask(str(value))
    return value, [f"{rule}:{column.name}" for rule in broken]


texts = st.one_of(
    st.none(),
    st.sampled_from(
        ["", " ", "a", "b", "c d", "\u00a0a\ufeff", "de", " De\n", "DE\n", "D3", "ẞß", "İi", "Ä@x.de", "\u200b"]
    ),
    st.sampled_from(
        ["x@y.de", " X@Y.DE ", "x@y", "x@y.de\n", "a@b@c.de", "2024-1-5", "2024-02-30", "0000-01-01", "1899-12-31"]
    ),
    st.sampled_from(
        ["15/7/2019", "7/15/2019", "31/12/2020\n", "1.2.2003", "01/01/02", "2024-13-01", "٣-1-2", "1500-01-01"]
    ),
    st.from_regex(r"\A[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}\Z"),
    st.text(alphabet="aAbzZéß \t@.-1/\u3000", max_size=6),
)
amounts = st.one_of(st.none(), st.decimals(min_value=-5, max_value=105, places=2))
# One text for all text columns of a row: every column sees every text
cases = st.lists(st.tuples(texts, amounts), min_size=40, max_size=120).map(
    lambda drawn: [dict.fromkeys(TEXTS, text) | {"amount": amount} for text, amount in drawn]
)


@settings(
    max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
@given(rows=cases)
def test_every_rule_means_what_core_says(spark, tools, rows):
    contract = tools.contract(CONTRACT, name="cases")
    columns = [c for c in contract.columns if c.name != "id"]
    schema = t.StructType(
        [t.StructField("id", t.LongType()), *(t.StructField(c.name, spark_type(c.source_type)) for c in columns)]
    )
    data = spark.createDataFrame([(i, *(row[c.name] for c in columns)) for i, row in enumerate(rows)], schema)
    source = with_masking_pads(data, masking_pads(spark, tools.key))
    checked = {}
    for column in columns:
        normal = normalised(column, F.col(column.name))
        checked[column.name] = check_column(column, normal=normal, value=parsed(column, normal), mask=masked)
    reasons = [reason for c in checked.values() for reason in c.reasons]
    found = source.select(
        "id",
        *(c.stored.alias(name) for name, c in checked.items()),
        F.array_compact(F.array(*reasons)).alias("reasons"),
    )
    for row in found.collect():
        expected = {c.name: oracle(c, rows[row["id"]][c.name], tools.key) for c in columns}
        assert {c.name: row[c.name] for c in columns} == {name: value for name, (value, _) in expected.items()}, rows[
            row["id"]
        ]
        assert row["reasons"] == [reason for _, broken in expected.values() for reason in broken], rows[row["id"]]
