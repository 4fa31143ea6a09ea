"""The rules over Arrow, each against values worked out by hand, and against a second, row-wise reading of cleaning.py."""

import hmac
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoplake_core.cleaning import DATE_FORMATS, PATTERNS, TRIM_CHARACTERS
from shoplake_core.contract_files import parse_table_contract
from shoplake_core.contracts import Layer
from shoplake_core.errors import ContractError
from shoplake_core.masking import MaskingKey
from shoplake_reconciliation.contract_rules import cleaned

KEY = MaskingKey(b"k" * 32)


def contract_of(column: str, extra: str = ""):
    text = f'grain = "one row"\nkey = ["id"]\n[columns.id]\ntype = "int64"\n[columns.c]\n{column}\n{extra}'
    return parse_table_contract(text, name="t", layer=Layer.SILVER, where="t.toml")


def clean(column: str, values, kind=None):
    rows = pa.table({"id": pa.array(range(len(values)), pa.int64()), "C": pa.array(values, kind)})
    result = cleaned(rows, contract_of(column), KEY)
    return result.rows["c"].to_pylist(), result.reasons.to_pylist()


TEXT = 'type = "string(40)"\nnullable = true\n'


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        pytest.param(
            TEXT + "trim = true",
            [" a ", "\ufeff\u200bb\u3000", "\u00a0\t\r\nc d\x0b\x0c", None],
            ["a", "b", "c d", None],
            id="trim",
        ),
        pytest.param(
            TEXT + "trim = true",
            ["\u2003x\u2003", "\x1fx"],
            ["\u2003x\u2003", "\x1fx"],
            id="trim-only-the-listed-characters",
        ),
        pytest.param(TEXT + 'case = "lower"', ["ABCÄİß", "Z"], ["abcÄİß", "z"], id="lower-folds-a-to-z-only"),
        pytest.param(TEXT + 'case = "upper"', ["abcäß", "z"], ["ABCäß", "Z"], id="upper-folds-a-to-z-only"),
        pytest.param(TEXT + "blank_is_null = true", ["", " ", "x"], [None, " ", "x"], id="blank"),
        pytest.param(TEXT + "trim = true\nblank_is_null = true", [" \t "], [None], id="trim-then-blank"),
        pytest.param(TEXT + "trim = true", [" \t "], [""], id="blank-stays-without-the-rule"),
        pytest.param('type = "json"\nnullable = true', ['{"a": 1}', None], ['{"a": 1}', None], id="json-is-text"),
    ],
)
def test_text_rules(column, values, expected):
    assert clean(column, values, pa.string()) == (expected, [[]] * len(values))


FORMATS = 'type = "date"\nsource_type = "string(20)"\nnullable = true\nformats = ["y-M-d", "d/M/y"]\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29", date(2024, 2, 29)),
        ("2024-2-9", date(2024, 2, 9)),
        ("31/12/1999", date(1999, 12, 31)),
        ("1/2/2003", date(2003, 2, 1)),
        ("0001-01-01", date(1, 1, 1)),
        ("9999-12-31", date(9999, 12, 31)),
    ],
)
def test_a_text_in_a_format_becomes_that_day(text, expected):
    assert clean(FORMATS, [text]) == ([expected], [[]])


NO_DATES = [
    "2023-02-29",
    "2024-13-01",
    "2024-00-10",
    "2024-01-00",
    "12/31/1999",
    "x2024-01-01",
    "2024-01-01\n",
    "",
    " ",
    "24-01-01",
    "2024-001-01",
    "2024/01/01",
]


@pytest.mark.parametrize("text", NO_DATES)
def test_a_text_that_is_no_day_goes_to_quarantine(text):
    assert clean(FORMATS, [text]) == ([None], [["format:c"]])


@pytest.mark.parametrize("text", NO_DATES)
def test_a_text_that_is_no_day_becomes_null_where_the_contract_says_so(text):
    assert clean(FORMATS + 'violation = "null"', [text, None]) == ([None, None], [[], []])


def test_the_first_format_that_matches_decides():
    both = 'type = "date"\nsource_type = "text"\nformats = ["M/d/y", "d/M/y"]\n'
    assert clean(both, ["1/2/2003", "13/2/2003"]) == ([date(2003, 1, 2), None], [[], ["format:c"]])


@pytest.mark.parametrize(
    ("column", "values", "kind", "reasons"),
    [
        pytest.param('type = "string(3)"', ["a", None], pa.string(), [[], ["null:c"]], id="null"),
        pytest.param(
            'type = "string(3)"\nblank_is_null = true', [""], pa.string(), [["null:c"]], id="blank-is-null-counts"
        ),
        pytest.param(
            'type = "string(9)"\naccepted = ["a", "b"]',
            ["a", "A", ""],
            pa.string(),
            [[], ["accepted:c"], ["accepted:c"]],
            id="accepted",
        ),
        pytest.param(TEXT + 'accepted = ["a"]', [None, "a"], pa.string(), [[], []], id="null-passes-other-checks"),
        pytest.param(
            'type = "string(9)"\npattern = "country"',
            ["DE", "De", "DEU", "DE\n"],
            pa.string(),
            [[], ["pattern:c"], ["pattern:c"], ["pattern:c"]],
            id="pattern-matches-the-whole",
        ),
        pytest.param(
            'type = "uint16"\nminimum = "1"', [0, 1, 65535], pa.uint16(), [["minimum:c"], [], []], id="minimum-whole"
        ),
        pytest.param(
            'type = "uint64"\nmaximum = "18446744073709551614"',
            [2**64 - 1, 2**64 - 2],
            pa.uint64(),
            [["maximum:c"], []],
            id="maximum-beyond-int64",
        ),
        pytest.param(
            'type = "int32"\nminimum = "0.5"',
            [0, 1],
            pa.int32(),
            [["minimum:c"], []],
            id="minimum-between-whole-numbers",
        ),
        pytest.param(
            'type = "decimal(12,6)"\nminimum = "0.000001"',
            [Decimal("0.000000"), Decimal("0.000001")],
            pa.decimal128(12, 6),
            [["minimum:c"], []],
            id="minimum-decimal",
        ),
        pytest.param(
            'type = "date"\nminimum = "1900-01-01"\nmaximum = "2025-12-31"',
            [date(1899, 12, 31), date(1900, 1, 1), date(2026, 1, 1)],
            pa.date32(),
            [["minimum:c"], [], ["maximum:c"]],
            id="dates",
        ),
        pytest.param(
            'type = "timestamp"\nminimum = "2000-01-01"',
            [datetime(1999, 12, 31, 23, 59, 59, 999999, UTC), datetime(2000, 1, 1, tzinfo=UTC)],
            pa.timestamp("us", "UTC"),
            [["minimum:c"], []],
            id="timestamps",
        ),
        pytest.param(
            'type = "datetime"\nmaximum = "2000-01-01 12:00:00"',
            [datetime(2000, 1, 1, 12, 0, 0, 1, UTC), datetime(2000, 1, 1, 12, tzinfo=UTC)],
            pa.timestamp("us", "UTC"),
            [["maximum:c"], []],
            id="datetimes",
        ),
        pytest.param('type = "float64"\nminimum = "0.5"', [0.25, 0.5], pa.float64(), [["minimum:c"], []], id="floats"),
    ],
)
def test_checks_quarantine(column, values, kind, reasons):
    assert clean(column, values, kind)[1] == reasons


def test_a_violation_nulls_where_the_contract_says_so():
    column = 'type = "int32"\nnullable = true\nminimum = "0"\nviolation = "null"'
    assert clean(column, [-1, 0, None], pa.int32()) == ([None, 0, None], [[], [], []])


@pytest.mark.parametrize(
    ("column", "values", "kind", "expected"),
    [
        pytest.param(
            'type = "boolean"', [0, 1, -1, 2], pa.int8(), [False, True, True, True], id="tinyint-is-true-but-0"
        ),
        pytest.param('type = "boolean"', [False, True], pa.bool_(), [False, True], id="bit"),
        pytest.param('type = "uint8"', [255], pa.uint8(), [255], id="uint8"),
        pytest.param('type = "uint32"', [2**32 - 1], pa.uint32(), [2**32 - 1], id="uint32"),
        pytest.param('type = "uint64"', [2**64 - 1], pa.uint64(), [Decimal(2**64 - 1)], id="uint64"),
        pytest.param('type = "int8"', [-128], pa.int8(), [-128], id="int8"),
        pytest.param(
            'type = "decimal(12,2)"', [Decimal("1.50")], pa.decimal128(10, 2), [Decimal("1.50")], id="decimal-wider"
        ),
        pytest.param(
            'type = "datetime"',
            [datetime(2024, 1, 2, 3, 4, 5, 6, UTC)],
            pa.timestamp("us", "UTC"),
            [datetime(2024, 1, 2, 3, 4, 5, 6)],  # noqa: DTZ001 - a wall clock
            id="datetime-has-no-zone",
        ),
        pytest.param('type = "binary"', [b"\0a"], pa.binary(), [b"\0a"], id="binary"),
    ],
)
def test_values_are_stored_in_silvers_types(column, values, kind, expected):
    assert clean(column, values, kind)[0] == expected


@pytest.mark.parametrize(
    ("column", "value", "kind", "text"),
    [
        pytest.param(
            'type = "string(40)"\npii = "email"\ntrim = true\ncase = "lower"',
            " A@Example.ORG ",
            pa.string(),
            "a@example.org",
            id="cleaned-text",
        ),
        pytest.param('type = "string(40)"\npii = "name"', "Zoë 雪", pa.string(), "Zoë 雪", id="utf-8"),
        pytest.param('type = "date"\npii = "birth_date"', date(1980, 1, 2), pa.date32(), "1980-01-02", id="date"),
        pytest.param(
            'type = "uint64"\npii = "phone"', 2**64 - 1, pa.uint64(), "18446744073709551615", id="whole-number"
        ),
    ],
)
def test_pii_becomes_the_hmac_of_its_cleaned_text(column, value, kind, text):
    expected = hmac.new(KEY.secret, text.encode(), "sha256").hexdigest()
    assert clean(column, [value, value], kind)[0] == [expected, expected]


def test_a_null_is_not_masked():
    assert clean(TEXT + 'pii = "email"', [None], pa.string())[0] == [None]


def test_a_masked_value_is_checked_before_it_is_masked():
    column = TEXT + 'pii = "email"\npattern = "email"\nviolation = "null"'
    values, reasons = clean(column, ["no address", "a@b.c"], pa.string())
    assert (values, reasons) == ([None, KEY.mask("a@b.c")], [[], []])


def test_reasons_of_a_row_come_in_column_order():
    contract = contract_of('type = "int32"\nminimum = "1"', '[columns.d]\ntype = "string(2)"\npattern = "country"')
    rows = pa.table({"id": [1, 2, 3], "c": pa.array([0, None, 1], pa.int32()), "d": ["DE", "x", "AT"]})
    result = cleaned(rows, contract, KEY)
    assert result.reasons.to_pylist() == [["minimum:c"], ["null:c", "pattern:d"], []]
    assert result.refused.tolist() == [True, True, False]
    assert (result.accepted_rows["id"].to_pylist(), result.refused_rows["id"].to_pylist()) == ([3], [1, 2])


def test_a_table_without_rows_keeps_its_schema():
    rows = pa.table({"id": pa.array([], pa.int64()), "c": pa.array([], pa.string())})
    result = cleaned(rows, contract_of(FORMATS), KEY)
    assert (result.rows.num_rows, result.rows.schema.field("c").type, result.reasons.to_pylist()) == (
        0,
        pa.date32(),
        [],
    )


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        pytest.param('type = "int32"', ["1"], pa.string(), id="text-for-a-number"),
        pytest.param('type = "string(3)"', [1], pa.int32(), id="number-for-a-text"),
        pytest.param('type = "uint16"', [-1], pa.decimal128(38, 2), id="decimal-for-a-whole-number"),
        pytest.param('type = "decimal(12,2)"', [Decimal("0.001")], pa.decimal128(12, 3), id="digits-would-be-lost"),
        pytest.param('type = "int32"', [2**40], pa.int64(), id="number-too-large"),
    ],
)
def test_values_of_another_type_are_refused_by_name(column, values, kind):
    if pa.types.is_decimal(kind) and kind.scale == 2:
        values = [Decimal("-1.50")]
    with pytest.raises(ContractError, match="column c is "):
        clean(column, values, kind)


def test_a_missing_column_is_refused_by_name():
    with pytest.raises(ContractError, match="has no column c"):
        cleaned(pa.table({"id": [1]}), contract_of(TEXT), KEY)


def by_hand(text: str | None) -> tuple[date | None, list[str]]:
    """The rules of FORMATS with trim and blank, one value at a time in plain Python."""
    text = text.strip(TRIM_CHARACTERS) if text is not None else None
    if not text:
        return None, []
    for name in ("y-M-d", "d/M/y"):
        expression, groups = DATE_FORMATS[name]
        match = re.fullmatch(expression, text)
        if match:
            parts = dict(zip(groups, map(int, match.groups()), strict=True))
            try:
                return date(**parts), []
            except ValueError:
                break
    return None, ["format:c"]


NEAR_DATES = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.from_regex(r"[ \t]?[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[ ]?", fullmatch=True),
    st.from_regex(r"[0-3]?[0-9]/[01]?[0-9]/[0-9]{4}", fullmatch=True),
    st.dates().map(str),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(NEAR_DATES, min_size=1, max_size=40))
def test_dates_agree_with_a_reading_one_value_at_a_time(texts):
    values, reasons = clean(FORMATS + "trim = true\nblank_is_null = true", texts, pa.string())
    assert list(zip(values, reasons, strict=True)) == [by_hand(text) for text in texts]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.text("aB.@-_ \t", max_size=12), st.emails()), min_size=1, max_size=40))
def test_patterns_agree_with_a_reading_one_value_at_a_time(texts):
    values, reasons = clean(TEXT + 'trim = true\ncase = "lower"\npattern = "email"', texts, pa.string())
    for text, value, reason in zip(texts, values, reasons, strict=True):
        lowered = "".join(c.lower() if c.isascii() else c for c in text.strip(TRIM_CHARACTERS))
        assert value == lowered
        assert reason == ([] if re.fullmatch(PATTERNS["email"], lowered) else ["pattern:c"])
