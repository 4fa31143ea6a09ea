"""Dashboards in the console, in a real browser: every number is asked of a real PostgreSQL through the Redshift Data API."""

import csv
import io

import pytest
from console_browser import axe

pytestmark = pytest.mark.browser
NAMES = ("sales_performance", "customer_behaviour", "inventory", "pipeline_health")


def drawn(page):
    page.wait_for_selector("html[data-drawn]", timeout=30_000, state="attached")
    return page


def blank_tiles(page):
    return page.evaluate(
        """[...document.querySelectorAll('.tile')].filter(t => !t.querySelector('.value, td, .chart svg .mark-text, .state'))
           .map(t => t.id)"""
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_dashboard_is_there_and_bars_nobody(name, opened):
    page = drawn(opened(f"/dashboards/{name}"))
    assert blank_tiles(page) == []
    assert page.locator(".state-error").count() == 0
    if name == "sales_performance":  # it has every control
        page.click(".choice summary")
        assert axe(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_reader_chooses_without_script_and_the_address_keeps_it(opened, gold):
    """Period, values, dates and ranking; drill-down by the chart's rows; CSV of what is shown."""
    page = opened("/dashboards")
    page.click("text=Sales performance")
    drawn(page).click("nav.periods >> text=Last 7 whole days")
    drawn(page)
    assert page.url.endswith("/dashboards/sales_performance?period=last_7_days")
    page.click(".choice summary")
    page.check(".choice >> label:has-text('web') >> input")
    page.select_option("select[name=top]", "5")
    page.click("form.controls button")
    drawn(page)
    assert page.url.endswith("?period=last_7_days&f.channel=web&top=5")
    shown = int(page.locator("#orders .value").inner_text().replace(",", ""))
    (expected,) = gold.execute(
        "SELECT sum(orders) FROM gold.agg_store_daily WHERE channel = 'web' AND event_date BETWEEN '2026-03-11' AND '2026-03-17'"
    ).fetchone()
    assert shown == expected
    assert page.locator("#top_products tbody tr").count() == 5
    with page.expect_download() as waiting:
        page.click("#top_products .csv")
    rows = list(csv.reader(io.StringIO(waiting.value.path().read_text("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == [
        f"'{n}" if n.startswith("=") else n for n in page.locator("#top_products tbody th").all_text_contents()
    ]
    page.click("#by_category summary")
    page.click("#by_category tbody a >> nth=0")
    drawn(page)
    assert "drill.by_category=" in page.url
    assert page.locator("#by_category .crumbs").inner_text().startswith("All: Category")
    page.fill("input[name=from]", "2026-02-01")
    page.fill("input[name=to]", "2026-02-28")
    page.click("form.controls button")
    drawn(page)
    assert "2026-02-01 to 2026-02-28" in page.locator(".chips").inner_text()
    assert "drill.by_category=" in page.url
    page.click("nav.periods >> text=Last 28 whole days")
    drawn(page)
    assert "from=" not in page.url


def test_what_an_address_names_and_nothing_has_is_said_with_the_nearest(opened):
    page = opened(
        "/dashboards/sales_performance?f.chanel=web&f.channel=wbe&period=last_7_day&top=7&f.ship_country=%3C/script%3E%E2%80%AE"
    )
    assert opened.wrong.pop().startswith("Failed to load resource: the server responded with a status of 400")
    notes = " ".join(page.locator(".url-note").all_text_contents())
    for words in (
        'names "f.chanel", which this dashboard does not have (did you mean "f.channel"?)',
        'no channel "wbe" (did you mean "web"?)',
        'no period "last_7_day" (did you mean "last_7_days"?)',
        'cannot show "7" rows: choose 5, 10, 20, 50',
        'no country "</script>\u202e"',
    ):
        assert words in notes
    drawn(page)


def test_a_tile_or_a_page_that_cannot_be_read_says_what_to_do(opened, gold, workspace):
    gold.execute("ALTER TABLE gold.agg_sales_daily RENAME TO hidden")
    try:
        page = drawn(opened("/dashboards/sales_performance"))
        error = page.locator("#top_products .state-error").inner_text()
        assert 'relation "gold.agg_sales_daily" does not exist' in error
        assert "shoplake run" in error
        assert page.locator("#orders .value").count() == 1
        page.goto(page.url.replace("/sales_performance", "/sales_performance/top_products.csv"))
        assert "shoplake run" in page.inner_text("main")
        assert "502" in opened.wrong.pop()
    finally:
        gold.execute("ALTER TABLE gold.hidden RENAME TO agg_sales_daily")
    path = workspace.folder / "dashboards" / "inventory.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace('kind = "kpi"', 'kind = "kpy"', 1), "utf-8")
    try:
        page = opened("/dashboards")
        assert "dashboards/inventory.toml" in page.inner_text("main")
        assert "500" in opened.wrong.pop()
    finally:
        path.write_text(text, "utf-8")
