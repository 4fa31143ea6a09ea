"""Pages as a reader gets them: in a real browser, from a real PostgreSQL."""

import csv
import io
from dataclasses import replace

import pytest
from browser import chromium_path, opened
from shoplake_dashboards.page import dash_page
from shoplake_dashboards.page_data import read_page
from shoplake_dashboards.page_state import page_state_from_url
from shoplake_dashboards.postgres_rows import postgres_run
from small_gold import TODAY

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
NAMES = ["sales_performance", "customer_behaviour", "inventory", "pipeline_health"]
HOSTILE = "</script><img src=x onerror=alert(1)>\"'`${alert(2)}\u202e\u2028&lt;"


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show(chromium, tmp_path):
    """`show(html)` opens it; on leaving, nothing was asked of the network and nothing went wrong in the page."""

    def shown(html, **settings):
        path = tmp_path / "page.html"
        path.write_text(html, "utf-8")
        return opened(chromium, path, **settings)

    return shown


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def blank_tiles(page):
    """Ids of tiles that show neither number, rows, picture nor a sentence that says why."""
    return page.evaluate(
        """[...document.querySelectorAll('.tile')].filter(t => !t.querySelector('.value, td, .chart svg .mark-text, .state'))
           .map(t => t.id)"""
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_page_asks_for_nothing_and_bars_nobody(name, dashboards, read, show):
    """No request, no error or warning; no serious finding of axe-core in light and in dark; no sideways scroll on a phone."""
    with show(dash_page(dashboards[name], read(name), served=name == "inventory")) as found:
        page = found.page
        assert blank_tiles(page) == []
        assert page.locator(".chart svg").count() == page.locator(".chart").count() > 0
        assert found.axe() == []
        page.click("#theme")
        page.wait_for_selector("html[data-drawn=dark]", state="attached")
        assert found.axe() == []
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(100)  # charts follow their container
        assert fits(page)
        assert blank_tiles(page) == []
        assert (found.errors, found.requests) == ([], [])


def test_a_page_carries_the_licences_of_what_is_in_it(dashboards, read):
    html = dash_page(dashboards["inventory"], read("inventory"))
    assert html.count("University of Washington Interactive Data Lab") >= 3
    assert "Copyright 2010-2026 Mike Bostock" in html


def test_a_kpi_says_number_change_and_what_it_is_measured_against(dashboards, read, show):
    with show(dash_page(dashboards["sales_performance"], read("sales_performance"))) as found:
        tile = found.page.locator("#refund_rate")
        assert tile.locator(".value").inner_text() == "6.1%"
        assert " ".join(tile.locator(".bad").text_content().split()) == "▲ up 0.6 points, worse"
        assert "in the 28 days before" in tile.locator(".change").inner_text()
        assert "Data to 2026-03-18, loaded 2026-03-18" in found.page.locator(".freshness").inner_text()


def test_a_period_that_is_not_over_and_one_without_a_whole_period_before_say_so(dashboards, read, show):
    data = read("sales_performance", "?period=month_to_date")
    with show(dash_page(dashboards["sales_performance"], data)) as found:
        assert "today is not over" in found.page.locator(".chips").inner_text()
        assert found.page.locator("#net_revenue_by_day th", has_text="2026-03-18 (unfinished)").count() == 1
    data = read("sales_performance", "?period=last_90_days")
    with show(dash_page(dashboards["sales_performance"], data)) as found:
        assert "no whole period before: the data begin 2025-12-08" in found.page.locator("#orders").inner_text()


def test_a_reader_drills_down_by_keyboard(dashboards, read, show):
    data = read("sales_performance", "?period=last_7_days")
    with show(dash_page(dashboards["sales_performance"], data, served=True)) as found:
        page = found.page
        page.locator("#by_category summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        link = page.evaluate("document.activeElement.getAttribute('href')")
    assert link.startswith("?period=last_7_days&drill.by_category=")
    below = read("sales_performance", link.partition("#")[0])
    with show(dash_page(dashboards["sales_performance"], below, served=True)) as found:
        crumbs = found.page.locator("#by_category .crumbs")
        assert crumbs.inner_text().startswith("All: Category")
        assert crumbs.locator("a").first.get_attribute("href") == "?period=last_7_days#by_category"
        assert (found.errors, found.requests) == ([], [])


def test_the_csv_of_a_tile_is_the_tile(dashboards, read, show):
    data = read("sales_performance")
    with show(dash_page(dashboards["sales_performance"], data)) as found:
        with found.page.expect_download() as waiting:
            found.page.click("#top_products .csv")
        text = waiting.value.path().read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["Product", "Category", "Units", "Returns", "Net revenue", "Net revenue, period before"]
    assert [row[4] for row in rows[1:]] == [str(row["v2"]) for row in data.tiles["top_products"].main]
    assert '\'=HYPERLINK("x")' in [row[0] for row in rows]  # no spreadsheet runs it


def test_names_that_are_markup_are_text(dashboards, read, show):
    """In data (the small gold's products), in a link, in a dashboard's own titles and labels, in the currency."""
    dashboard = dashboards["sales_performance"]
    sheet = dashboard.sheets[0]

    def hostile(visual):
        made = replace(visual, title=HOSTILE, alt=HOSTILE, note=HOSTILE)
        if hasattr(visual, "value"):
            made = replace(made, value=replace(visual.value, label=HOSTILE))
        if hasattr(visual, "category"):
            made = replace(made, category=replace(visual.category, label=HOSTILE))
        if visual.id == "net_revenue_by_day":
            made = replace(made, values=(replace(visual.values[0], label=HOSTILE),))
        return made

    visuals = tuple(map(hostile, sheet.visuals))
    dashboard = replace(
        dashboard, title=HOSTILE, question=HOSTILE, sheets=(replace(sheet, title=HOSTILE, visuals=visuals),)
    )
    data = replace(
        read("sales_performance", "?f.<script>alert(3)</script>=1&sheet=<b>x&drill.by_category=Shoes"),
        currency="\"+alert(4)+'",
        options={"channel": (HOSTILE, '"><script>alert(5)</script>')},
    )
    for served in (True, False):
        with show(dash_page(dashboard, data, served=served)) as found:
            page = found.page
            assert page.locator("h1").text_content() == HOSTILE
            assert page.locator("img").count() == 0
            assert page.locator("script").count() == 3
            assert page.locator("#top_products th", has_text="</script><script>alert(1)</script>").count() == 1
            assert page.locator("#top_products bdi[dir=auto]", has_text="قميص قطني أزرق").count() == 1
            assert blank_tiles(page) == []
            page.locator("#by_category .mark-rect path").first.hover(force=True)
            page.wait_for_selector("#vg-tooltip-element.visible")
            assert "<script>alert(1)</script>" in page.locator("#vg-tooltip-element").inner_text()
            assert page.locator("img").count() == 0
            assert (found.errors, found.requests) == ([], [])


def test_every_tile_says_what_is_missing(dashboards, contracts, empty_gold, gold, show):
    """Empty tables, a column that is gone, a warehouse that is down: a sentence and the next step, and the others go on."""
    dashboard = dashboards["sales_performance"]

    def page_of(endpoint):
        with postgres_run(endpoint) as run:
            state = page_state_from_url(dashboard, "", today=TODAY)
            return dash_page(dashboard, read_page(dashboard, state, contracts=contracts, run=run), served=True)

    with show(page_of(empty_gold)) as found:
        page = found.page
        assert "agg_store_daily has no rows yet." in page.locator("#orders .state-empty").inner_text()
        error = page.locator("#by_category .state-error").inner_text()
        assert "net_sales does not exist" in error
        assert "A run brings them up to date" in error
        assert page.locator(".state").count() == page.locator(".tile").count()
        assert found.axe() == []
        assert (found.errors, found.requests) == ([], [])
    with show(page_of(replace(gold, port=1, password="secret-password"))) as found:
        assert found.page.locator(".state-error").count() == found.page.locator(".tile").count()
        assert "the warehouse at 127.0.0.1:1 does not answer" in found.page.locator("#orders").inner_text()
        assert "secret-password" not in found.page.content()
        assert found.errors == []
