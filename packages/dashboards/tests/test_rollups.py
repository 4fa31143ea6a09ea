"""Long periods read whole months from a roll-up, and show exactly what the days would."""

from dataclasses import replace
from datetime import date

import pytest
from shoplake_dashboards.page_data import read_page
from shoplake_dashboards.page_state import page_state_from_url
from shoplake_dashboards.periods import Period
from shoplake_dashboards.rollups import split_by_month
from small_gold import TODAY


def period(first, last):
    return Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("spans", "months", "days"),
    [
        pytest.param(
            [period("2025-12-15", "2026-03-10")],
            [period("2026-01-01", "2026-02-28")],
            [period("2025-12-15", "2025-12-31"), period("2026-03-01", "2026-03-10")],
            id="days on both sides",
        ),
        pytest.param([period("2026-01-01", "2026-02-28")], [period("2026-01-01", "2026-02-28")], [], id="whole months"),
        pytest.param(
            [period("2025-11-20", "2026-01-10"), period("2026-01-11", "2026-03-31")],
            [period("2025-12-01", "2025-12-31"), period("2026-02-01", "2026-03-31")],
            [
                period("2025-11-20", "2025-11-30"),
                period("2026-01-01", "2026-01-10"),
                period("2026-01-11", "2026-01-31"),
            ],
            id="the month in which one period ends and the next begins is in neither",
        ),
    ],
)
def test_a_period_is_whole_months_and_the_days_around_them(spans, months, days, monkeypatch):
    monkeypatch.setattr("shoplake_dashboards.rollups.LEAST_MONTHS", 1)
    split = split_by_month(spans)
    assert (list(split.months), list(split.days)) == (months, days)


def test_a_short_period_is_read_by_the_day():
    assert split_by_month([period("2026-01-10", "2026-02-10")]) is None
    assert split_by_month([period("2026-01-05", "2026-03-30")]) is None
    assert split_by_month([period("2026-01-05", "2026-03-31")]) is not None


URLS = [
    "?period=last_12_months",
    "?period=last_90_days",
    "?from=2025-12-20&to=2026-03-18&f.channel=web&f.channel=app",
    "?period=last_12_months&f.ship_country=DE",
    "?period=last_12_months&f.ship_country=AT&f.channel=web&drill.by_category=Kitchen",
]


@pytest.mark.parametrize("url", URLS)
def test_a_page_of_months_shows_what_a_page_of_days_shows(url, dashboards, contracts, run):
    with_months = dashboards["sales_performance"]
    with_days = replace(with_months, datasets=tuple(replace(one, roll_up=None) for one in with_months.datasets))
    state = page_state_from_url(with_months, url, today=TODAY)
    asked = []

    def counted(query):
        asked.append(query.sql)
        return run(query)

    tiles = read_page(with_months, state, contracts=contracts, run=counted).tiles
    assert sum("agg_sales_monthly" in sql for sql in asked) == 2
    expected = read_page(with_days, state, contracts=contracts, run=run).tiles
    for name, tile in expected.items():
        for role in ("main", "prior", "trend"):
            shown = [{k: v for k, v in row.items() if k != "n"} for row in getattr(tiles[name], role)]
            assert shown == [{k: v for k, v in row.items() if k != "n"} for row in getattr(tile, role)], (name, role)
