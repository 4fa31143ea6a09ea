from datetime import date, datetime
from decimal import Decimal

import pytest
from shoplake_dashboards.formats import change_text, ordered, scale_of, text_of, value_text
from shoplake_dashboards.markup import Html, join, raw_json, tag
from shoplake_dashboards.tree import Dimension, Granularity, Unit


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (Decimal("163402.77"), Unit.CURRENCY, "€163k"),
        (Decimal("12345.67"), Unit.CURRENCY, "€12.3k"),
        (Decimal("80.358"), Unit.CURRENCY, "€80.36"),
        (Decimal("-1234.5"), Unit.CURRENCY, "\N{MINUS SIGN}€1,234"),
        (0, Unit.COUNT, "0"),
        (2160, Unit.COUNT, "2,160"),
        (0.0613, Unit.PERCENT, "6.1%"),
        (-0.5, Unit.PERCENT, "\N{MINUS SIGN}50.0%"),
        (38.0, Unit.DAYS, "38.0 days"),
        (485.0, Unit.DAYS, "485 days"),
        (Decimal("1006990.5"), Unit.CURRENCY, "€1.01m"),
        (679.4, Unit.SECONDS, "11 min 19 s"),
        (3_725, Unit.SECONDS, "1 h 02 min"),
        (None, Unit.COUNT, "\N{EN DASH}"),
        (float("nan"), Unit.COUNT, "\N{EN DASH}"),
        (datetime(2026, 3, 18, 5, 40), Unit.TIME, "2026-03-18 05:40 UTC"),  # noqa: DTZ001
    ],
)
def test_a_number_is_written_with_its_unit(value, unit, text):
    assert value_text(value, unit, currency="EUR") == text


def test_labels_of_one_tile_share_a_scale_that_fits_the_smallest_too():
    assert scale_of([22_000, 7_190], Unit.CURRENCY) == scale_of([20_000, 1_000], Unit.CURRENCY)
    assert scale_of([22_000, 168], Unit.CURRENCY).suffix == ""
    assert (
        value_text(7190, Unit.CURRENCY, currency="CHF", scale=scale_of([22_000, 7_190], Unit.CURRENCY))
        == "CHF\u202f7.2k"
    )


@pytest.mark.parametrize(
    ("value", "before", "unit", "change"),
    [
        (110, 100, Unit.COUNT, ("10.0%", 1)),
        (-50, 100, Unit.CURRENCY, ("150.0%", -1)),
        (0.061, 0.055, Unit.PERCENT, ("0.6 points", 1)),
        (100, 100, Unit.COUNT, ("no change", 0)),
        (5, 0, Unit.COUNT, ("from 0", 1)),
        (5, None, Unit.COUNT, ("no value before", 0)),
    ],
)
def test_a_change_is_in_percent_and_that_of_a_share_in_points(value, before, unit, change):
    assert change_text(value, before, unit) == change


def test_dates_and_what_is_missing_have_words():
    assert text_of(date(2026, 3, 16), Granularity.WEEK) == "16 Mar to 22 Mar"
    assert text_of(date(2026, 3, 1), Granularity.MONTH) == "Mar 2026"
    assert [text_of(value) for value in (None, "", "  ", True)] == ["(none)", "(empty)", "(empty)", "yes"]


def test_values_stand_in_the_dimension_s_own_order():
    dimension = Dimension(column="cover", label="Cover", order=("low", "high"))
    assert ordered(["high", None, "unknown", "low"], dimension) == ["low", "high", "unknown"]


def test_text_can_never_become_markup():
    assert tag("p", "<b>", Html("<i>"), title='"><x') == '<p title="&quot;&gt;&lt;x">&lt;b&gt;<i></p>'
    assert join("a\x00\x1b\ud800b") == "ab"
    assert raw_json('"</script><!--\u2028"') == '"\\u003c/script\\u003e\\u003c!--\\u2028"'
