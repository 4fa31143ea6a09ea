"""Dashboards over HTTP: which there are, wrong names and files, addresses without blanks, CSV, and scripts of their own."""

from dataclasses import replace
from urllib.parse import quote

import pytest
from recorded_runs import BASE, HOSTILE, PORT, START, TOKEN, Recorded
from shoplake_console.dashboards_port import DashboardDocument, DashboardEntry
from shoplake_console.server import console_app
from shoplake_core.clock import SkipClock
from shoplake_core.errors import ConfigError, ResourceError
from starlette.testclient import TestClient

FILE = "a\r\nb<\"'\u202e🛒"  # a file's name may hold anything but a slash


class Shown:
    """Two dashboards, of which one is hostile."""

    def __init__(self):
        sales = DashboardEntry(
            name="sales", title=HOSTILE, question=HOSTILE, sheets=(HOSTILE, "b"), tiles={"by_day": "By day"}
        )
        self.entries, self.asked = [sales, replace(sales, name=FILE)], []
        self.document = DashboardDocument(html="<p>page</p>", query="?")

    def listed(self):
        return self.entries

    def page(self, name, query):
        self.asked.append((name, query))
        return self.document

    def csv(self, name, tile, query):
        if query == "down":
            raise ResourceError("the warehouse does not answer", hint="shoplake status")
        self.asked.append((name, tile, query))
        return "day,Größe\r\n"

    def assets(self):
        return {"dashboard-vega-0a.js": b"vega"}


@pytest.fixture
def shown():
    return Shown()


@pytest.fixture
def reader(shown):
    app = console_app(Recorded(), clock=SkipClock(START), token=TOKEN, port=PORT, dashboards=shown)
    client = TestClient(app, base_url=BASE, follow_redirects=False)
    client.get(f"/?token={TOKEN}")
    return client


def test_the_list_names_each_and_leads_to_it(reader, shown):
    page = reader.get("/dashboards").text
    assert '<a href="/dashboards/sales">' in page
    assert '<a href="/dashboards" aria-current="page">Dashboards</a>' in page
    assert "<img" not in page
    shown.entries = []
    assert "this project has none yet" in reader.get("/dashboards").text


def test_a_name_that_is_not_there_is_told_with_the_nearest(reader):
    answer = reader.get("/dashboards/sale")
    assert answer.status_code == 404
    assert "no dashboard &quot;sale&quot; (did you mean &quot;sales&quot;?)" in answer.text
    answer = reader.get("/dashboards/sales/by_dya.csv")
    assert answer.status_code == 404
    assert "no tile &quot;by_dya&quot; (did you mean &quot;by_day&quot;?)" in answer.text
    assert reader.get(f"/dashboards/{quote('<b>', safe='')}").status_code == 404
    nowhere = reader.get("/dashboard")
    assert nowhere.status_code == 404
    assert "there is no page /dashboard" in nowhere.text


def test_a_file_that_is_no_dashboard_is_not_called_missing(reader, shown):
    def broken():
        raise ConfigError("dashboards/sales.toml: no such measure", hint="net_revenue?")

    shown.listed = broken
    for path in ("/dashboards", "/dashboards/sales", "/dashboards/sales/by_day.csv"):
        answer = reader.get(path)
        assert answer.status_code == 500
        assert "dashboards/sales.toml" in answer.text


def test_an_address_says_how_the_page_is(reader, shown):
    assert reader.get("/dashboards/sales?f.channel=web").status_code == 200
    shown.document = replace(shown.document, has_faults=True)
    assert reader.get("/dashboards/sales?f.chanel=web").status_code == 400
    shown.document = replace(shown.document, has_faults=False, is_down=True)
    assert reader.get("/dashboards/sales").status_code == 502
    assert shown.asked == [("sales", "f.channel=web"), ("sales", "f.chanel=web"), ("sales", "")]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("from=&to=&top=", ""),
        ("from=&f.channel=a%20b%3D%3D&top=5", "?f.channel=a%20b%3D%3D&top=5"),
        ("plain&x=1", "?x=1"),
    ],
)
def test_empty_fields_of_a_form_do_not_stay_in_the_address(reader, query, kept):
    answer = reader.get(f"/dashboards/sales?{query}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/dashboards/sales{kept}")
    assert reader.get(answer.headers["location"]).status_code == 200


def test_a_tile_comes_as_csv_or_as_a_page_that_says_why_not(reader, shown):
    answer = reader.get("/dashboards/sales/by_day.csv?f.channel=web")
    assert answer.content == "\ufeffday,Größe\r\n".encode()
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''sales_by_day.csv"
    assert shown.asked == [("sales", "by_day", "f.channel=web")]
    hostile = reader.get(f"/dashboards/{quote(FILE, safe='')}/by_day.csv")
    assert hostile.headers["content-disposition"] == f"attachment; filename*=UTF-8''{quote(FILE, safe='')}_by_day.csv"
    down = reader.get("/dashboards/sales/by_day.csv?down")
    assert down.status_code == 502
    assert "the warehouse does not answer" in down.text


def test_scripts_are_kept_by_the_browser_and_pages_are_not(reader):
    script = reader.get("/assets/dashboard-vega-0a.js")
    assert (script.content, script.headers["content-type"]) == (b"vega", "text/javascript; charset=utf-8")
    assert "immutable" in script.headers["cache-control"]
    assert reader.get("/dashboards/sales").headers["cache-control"] == "no-store"
    assert reader.get("/assets/gone.js").status_code == 404
