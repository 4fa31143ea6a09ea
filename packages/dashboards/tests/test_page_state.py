from datetime import date

import pytest
from shoplake_dashboards.page_state import page_state_from_url, url_of
from shoplake_dashboards.periods import PERIOD_NAMES, Period, is_unfinished, prior_period, relative_period
from shoplake_dashboards.quicksight.definition import ROLLING
from shoplake_dashboards.tree import Granularity
from small_gold import TODAY


@pytest.fixture
def sales(dashboards):
    return dashboards["sales_performance"]


@pytest.mark.parametrize(
    "url",
    [
        "?",
        "?period=last_7_days",
        "?from=2026-01-01&to=2026-01-31&f.channel=web&f.channel=app&f.ship_country=DE",
        "?drill.by_category=Socks+%26+tights",
        "?f.channel=%D9%82%D9%85%D9%8A%D8%B5&drill.by_category=%F0%9F%A7%A5%22%27%3C",
    ],
)
def test_a_link_opens_the_view_it_was_copied_from(url, sales):
    state = page_state_from_url(sales, url, today=TODAY)
    assert state.notes == ()
    assert url_of(state, sales) == url


@pytest.mark.parametrize(
    ("url", "note"),
    [
        ("?sheet=overveiw", 'There is no sheet "overveiw" (did you mean "overview"?).'),
        ("?period=last_28_dayz", 'There is no period "last_28_dayz" (did you mean "last_28_days"?).'),
        ("?from=2026-02-31&to=2026-03-01", "The link's dates are not both of the form 2026-01-31."),
        ("?from=2026-03-01&to=2026-02-01", "The link's period ends before it begins, or is longer than ten years."),
        ("?from=0001-01-01&to=0001-01-02", "The link's period ends before it begins, or is longer than ten years."),
        ("?f.colour=red", 'The link names "f.colour", which this dashboard does not have.'),
        (
            "?" + "&".join(f"f.channel={i}" for i in range(300)),
            "The link has too many parts; the page shows its defaults.",
        ),
    ],
)
def test_a_wrong_link_still_opens_and_says_what_it_left_out(url, note, sales):
    state = page_state_from_url(sales, url, today=TODAY)
    assert state.notes == (note,)
    assert state.sheet == "overview"
    assert state.period == relative_period("last_28_days", TODAY)


def test_whole_days_end_yesterday_and_the_period_before_is_as_long():
    period = relative_period("last_28_days", TODAY)
    assert (period.last, period.days) == (date(2026, 3, 17), 28)
    assert prior_period(period) == Period(date(2026, 1, 21), date(2026, 2, 17))
    assert relative_period("last_12_months", TODAY).first == date(2025, 3, 1)
    assert relative_period("last_12_months", date(2026, 12, 31)).first == date(2025, 12, 1)


@pytest.mark.parametrize(
    ("day", "granularity", "unfinished"),
    [
        (date(2026, 3, 17), Granularity.DAY, False),
        (date(2026, 3, 9), Granularity.WEEK, False),
        (date(2026, 3, 16), Granularity.WEEK, True),
        (date(2026, 2, 16), Granularity.WEEK, True),  # cut by the period's first day
        (date(2026, 3, 1), Granularity.MONTH, True),
    ],
)
def test_steps_that_lack_days_are_unfinished(day, granularity, unfinished):
    period = relative_period("last_28_days", TODAY)
    assert is_unfinished(day, granularity, period=period, today=TODAY) is unfinished


def test_quicksight_knows_every_period():
    assert set(ROLLING) == set(PERIOD_NAMES)
