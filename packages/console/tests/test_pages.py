"""The pages over a recorded source: who may read them, what they say, and that nothing a run says becomes markup."""

from urllib.parse import quote

import pytest
from recorded_runs import BASE, FAILED, HOSTILE, PORT, TOKEN, Recorded, at, entered, event
from shoplake_console.run_page import selected_state
from shoplake_console.runs_port import RunFailure
from shoplake_console.server import console_app
from shoplake_console.state_details import map_counts, progress_in, state_detail
from shoplake_core.clock import SkipClock
from shoplake_orchestration.graph import graph
from starlette.testclient import TestClient


@pytest.fixture
def source():
    return Recorded()


@pytest.fixture
def stranger(source):
    app = console_app(source, clock=SkipClock(at(10)), token=TOKEN, port=PORT)
    return TestClient(app, base_url=BASE, follow_redirects=False)


@pytest.fixture
def reader(stranger):
    assert stranger.get(f"/?token={TOKEN}&status=failed").headers["location"] == "/?status=failed"
    return stranger


PATH = f"/runs/{quote(HOSTILE, safe='')}"


def test_without_the_token_or_from_elsewhere_there_is_nothing_to_see(stranger, source):
    assert stranger.get("/").status_code == 403
    assert stranger.get("/assets/console.js").status_code == 403
    assert stranger.get("/?token=wrong").status_code == 403
    assert stranger.get("/", headers={"Host": f"evil.example:{PORT}"}).status_code == 403
    assert stranger.get(f"/?token={TOKEN}").status_code == 303
    assert stranger.get("/").status_code == 200
    assert stranger.get("/", headers={"Host": f"evil.example:{PORT}"}).status_code == 403, "DNS rebinding"
    assert stranger.get("/", headers={"Origin": "http://evil.example"}).status_code == 403
    assert source.done == []


def test_an_act_asks_for_the_origin_and_the_token_in_the_form(reader, source):
    ours = {"Origin": BASE}
    assert reader.post(f"{PATH}/stop", data={"token": TOKEN}).status_code == 403, "no Origin"
    assert reader.post(f"{PATH}/stop", data={"token": TOKEN}, headers={"Origin": "null"}).status_code == 403
    assert reader.post(f"{PATH}/stop", data={"token": "x"}, headers=ours).status_code == 403
    assert reader.post(f"{PATH}/stop", headers=ours).status_code == 403
    assert reader.post(f"{PATH}/burn", data={"token": TOKEN}, headers=ours).status_code == 404
    assert reader.get(f"{PATH}/stop").status_code in {404, 405}
    assert source.done == []
    for action, to in (("stop", PATH), ("redrive", PATH), ("again", "/runs/quick")):
        answer = reader.post(f"{PATH}/{action}", data={"token": TOKEN}, headers=ours)
        assert (answer.status_code, answer.headers["location"]) == (303, to)
    assert source.done == [("stop", HOSTILE), ("redrive", HOSTILE), ("again", HOSTILE)]


@pytest.mark.parametrize(
    "path", ["/", PATH, f"{PATH}?view=table", f"{PATH}?view=events&page=x", f"/runs/{quote('<b>', safe='')}"]
)
def test_nothing_that_a_run_says_becomes_markup(reader, path):
    answer = reader.get(path)
    assert answer.status_code == (404 if "%3Cb%3E" in path else 200)
    assert "img src=x" in answer.text or "%3Cb%3E" in path, "it is told as text"
    assert "<img" not in answer.text
    assert "</script><" not in answer.text.replace('<script src="/assets/console.js" defer></script><', "")
    assert "<b>" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_a_run_that_is_gone_is_named_with_the_next_step(reader):
    answer = reader.get("/runs/gone")
    assert answer.status_code == 404
    assert "no run &quot;gone&quot;" in answer.text
    assert "shoplake runs list" in answer.text


def test_the_list_tells_rows_trend_and_warnings_and_filters_by_its_url(reader):
    whole = reader.get("/").text
    assert "1,234" in whole
    assert "100% slower" in whole
    assert "7 quarantined" in whole
    only = reader.get("/?status=failed").text
    assert "quick" not in only
    assert "no run of the newest 3 is stopped" in reader.get("/?status=stopped").text


def test_a_failed_run_opens_on_its_failed_state_and_its_history_is_read_once(reader, source):
    page = reader.get(PATH).text
    assert 'class="failed selected"' in page
    assert "5 of 9" in page
    assert "1 retries" in page
    assert "Next: redrive it" in page
    reader.get(PATH)
    assert source.asked_after == [0, 7]


def test_a_hundred_thousand_events_are_shown_a_page_at_a_time(stranger, source):
    source.history = [*FAILED[:2], *(event(n, "TaskScheduled", n / 100, previous=2) for n in range(3, 100_001))]
    stranger.get(f"/?token={TOKEN}")
    page = stranger.get(f"{PATH}?view=events").text
    assert "page 500 of 500" in page
    assert page.count("<tr") == 201
    assert "page 2 of 500" in stranger.get(f"{PATH}?view=events&page=2").text
    assert "page 500 of 500" in stranger.get(f"{PATH}?view=events&page=99999").text
    source.history = []


def test_a_states_detail_is_of_its_newest_visit():
    detail = state_detail(FAILED, HOSTILE)
    assert (detail.error, detail.cause, detail.attempts) == ("Twice", HOSTILE, 2)
    assert state_detail(FAILED, "another").input == ""
    assert progress_in(["progress: 1 of 9", "progress: 2 of 9 orders", "done"]) == "2 of 9"
    assert progress_in(["nothing"]) == ""


def test_a_map_counts_what_is_done():
    done = {"mapIterationSucceededEventDetails": {"name": "Each", "index": 0}}
    events = [
        event(1, "MapStateEntered", **entered("Each")),
        event(2, "MapStateStarted", mapStateStartedEventDetails={"length": 3}),
        event(3, "MapIterationSucceeded", **done),
        event(4, "MapIterationSucceeded", **done),
    ]
    assert map_counts(events) == {"Each": "2 of 3"}


def test_the_state_that_is_asked_for_comes_before_the_failed_and_the_newest():
    drawn = graph({"StartAt": "a", "States": {n: {"Type": "Task", "End": True} for n in "abc"}})
    failure = RunFailure("b", "E", "", "")
    events = [event(1, "TaskStateEntered", **entered("a"))]
    assert selected_state("c", drawn, events, failure) == "c"
    assert selected_state("gone", drawn, events, failure) == "b"
    assert selected_state("", drawn, events, None) == "a"
    assert selected_state("", drawn, [], None) == ""
