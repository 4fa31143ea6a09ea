"""The console in a real browser, over a real front with a machine that runs and fails."""

import re
import time

import pytest
from console_browser import axe, wait_ended

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def failed_run(executions):
    executions.start("failed-one", begin_at="0")
    wait_ended(executions, "failed-one")
    return "failed-one"


def test_a_run_is_shown_from_its_start_to_its_failure_without_a_reload(executions, opened):
    executions.start("live-one", begin_at="3")
    page = opened("/runs/live-one")
    page.evaluate("window.notReloaded = true")
    page.wait_for_selector("svg .running")
    ended = wait_ended(executions, "live-one")
    page.wait_for_selector('svg .failed.selected[data-state="Call what is not there"]')
    assert time.monotonic() - ended < 2.0
    assert page.evaluate("window.notReloaded") is True
    assert "Call what is not there" in page.inner_text(".failure[role=alert]")
    assert "no-such-function" in page.inner_text(".failure[role=alert]")
    assert "3 of 3" in page.text_content('svg [data-state="Each table"]')
    assert "not started" in page.text_content("svg .not-started .small")


def test_pages_bar_nobody(failed_run, opened):
    """No serious finding of axe-core in light and dark, no sideways scroll on a phone."""
    for theme in ("light", "dark"):
        page = opened(f"/runs/{failed_run}", theme=theme)
        assert axe(page) == []
        for path in ("table", "events") if theme == "light" else ():
            page.click(f"nav a:text-is('{path}')")
            page.wait_for_selector(f"section[aria-label={path}]")
            assert axe(page) == []
        page.click("header a")
        page.wait_for_selector("nav[aria-label=Filter]")
        assert axe(page) == []
    for path in ("/", f"/runs/{failed_run}", f"/runs/{failed_run}?view=table"):
        phone = opened(path, width=390)
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
        phone.context.close()


def test_the_keyboard_alone_reaches_a_state_and_redrives(failed_run, executions, opened):
    page = opened("/")
    page.locator(f"a[href='/runs/{failed_run}']").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("svg")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('a:has([data-state=\"Each table\"])')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("state=Each"))
    assert page.inner_text("aside h2") == "Each table"
    page.locator("#redrive").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.body.innerText.includes('redriven 1 times')")
    wait_ended(executions, failed_run)
    assert executions.described(failed_run).redrive_count == 1


def test_a_run_that_goes_on_can_be_stopped(executions, opened):
    executions.start("stopped-one", begin_at="600")
    page = opened("/runs/stopped-one")
    page.click("#stop")
    page.wait_for_selector("h1 .stopped")
    assert executions.described("stopped-one").status == "ABORTED"
