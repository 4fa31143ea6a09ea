"""Pages as a reader gets them: in a real browser, from a real PostgreSQL."""

import pytest
from browser import chromium_path, opened
from shoplake_dashboards.page import dash_page

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (390, "light")])
@pytest.mark.parametrize("name", ["sales_performance"])
def test_a_page_asks_for_nothing_has_no_error_and_no_serious_barrier(
    name, width, theme, dashboards, read, chromium, tmp_path
):
    path = tmp_path / "page.html"
    path.write_text(dash_page(dashboards[name], read(name)), "utf-8")
    with opened(chromium, path, width=width, theme=theme) as found:
        assert found.requests == []
        assert found.errors == []
        assert found.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
        assert found.page.locator(".chart svg").count() == found.page.locator(".chart").count() > 0
        assert found.axe() == []
