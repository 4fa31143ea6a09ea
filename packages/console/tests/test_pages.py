"""The pages over a recorded source: who may read them, what they say, and that nothing a run says becomes markup."""

from urllib.parse import quote

import pytest
from recorded_runs import BASE, FAILED, HOSTILE, PORT, TOKEN, Recorded, at, entered, event
from shoplake_console.run_page import selected_state
from shoplake_console.runs_port import RunFailure
from shoplake_console.server import console_app
from shoplake_console.state_details import map_counts, state_detail
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
    "path", ["/", PATH, f"{PATH}?view=table", f"{PATH}?view=events&errors=1", f"/runs/{quote('<b>', safe='')}"]
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
    assert "! 7 refused" in whole
    only = reader.get("/?status=failed").text
    assert "quick" not in only
    assert "no run of the newest 3 is stopped" in reader.get("/?status=stopped").text
    assert 'title="2026-03-28 23:59:10 UTC" data-ago>1 min ago</time>' in whole


def test_a_failed_run_opens_on_its_failed_state_and_its_history_is_read_once(reader, source):
    page = reader.get(PATH).text
    assert 'class="failed selected"' in page
    assert "5 of 9 tables written" in page
    assert "1 retries" in page
    assert "Next: redrive it" in page
    reader.get(PATH)
    assert source.asked_after == [0, 7]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/?status=succeded", "no run can be &quot;succeded&quot; (did you mean &quot;succeeded&quot;?)"),
        ("/runs/slow?view=grph", "no view &quot;grph&quot; (did you mean &quot;graph&quot;?)"),
        ("/runs/slow?state=gone", "the run&#x27;s machine has no state &quot;gone&quot;"),
        ("/runs/slow/log?state=gone", "the run&#x27;s machine has no state &quot;gone&quot;"),
        ("/runs/slow?view=events&page=x", "&quot;x&quot; is no page of the events"),
        ("/runs/slow?view=events&errors=2", "errors=2 is neither on nor off"),
    ],
)
def test_a_choice_that_there_is_not_is_named_with_the_nearest(reader, path, words):
    answer = reader.get(path)
    assert answer.status_code == 400
    assert words in answer.text


def test_a_run_tells_its_rows_and_what_should_be_known(reader):
    page = reader.get("/runs/slow").text
    assert "<strong>Silver</strong>: 0 read, 1,200 inserted, 0 updated, 0 deleted, 7 refused" in page
    assert "! 1 of 2 tables failed" in page
    assert "<img" not in page
    assert "100% slower" in page, "than the run before"
    assert 'title="2026-03-28 23:59:10 UTC" data-ago>1 min ago</time>' in page


def test_a_run_is_exported_as_the_command_prints_it(reader, source):
    answer = reader.get(f"{PATH}.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"schema_version": 1, **source.document(source.entry, FAILED)}
    assert reader.get("/runs/gone.json").status_code == 404


def test_the_panel_shows_the_logs_end_and_leads_to_the_whole(reader):
    page = reader.get(PATH).text
    assert "line 99" in page
    assert "the first line" not in page
    whole = reader.get(f"{PATH}/log?state={quote(HOSTILE)}")
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert whole.text.splitlines()[0] == "the first line"
    assert len(whole.text.splitlines()) == 101


def test_events_that_tell_an_error_can_be_seen_alone(reader):
    page = reader.get(f"{PATH}?view=events&errors=1").text
    assert page.count("<tr>") == 1 + 3 + 3, "and the rows by layer"
    assert "errors only, 3</a>" in page
    assert "Once: first" in page
    every = reader.get(f"{PATH}?view=events").text
    assert every.count("<tr>") == 1 + 7 + 3


def test_a_definition_is_asked_for_once(reader, source):
    asked = []
    told = source.definition
    source.definition = lambda run_id: (asked.append(run_id), told(run_id))[1]
    for _ in range(3):
        reader.get("/runs/slow")
    assert asked == ["slow"]


def test_a_hundred_thousand_events_are_shown_a_page_at_a_time(stranger, source):
    source.history = [*FAILED[:2], *(event(n, "TaskScheduled", n / 100, previous=2) for n in range(3, 100_001))]
    stranger.get(f"/?token={TOKEN}")
    page = stranger.get(f"{PATH}?view=events").text
    assert "page 500 of 500" in page
    assert page.count("<tr>") == 1 + 200 + 1 + 2, "its head and a page of events; the rows by layer"
    assert "page 2 of 500" in stranger.get(f"{PATH}?view=events&page=2").text
    assert "page 500 of 500" in stranger.get(f"{PATH}?view=events&page=99999").text
    source.history = []


def test_a_states_detail_is_of_its_newest_visit():
    detail = state_detail(FAILED, HOSTILE)
    assert (detail.error, detail.cause, detail.attempts) == ("Twice", HOSTILE, 2)
    assert state_detail(FAILED, "another").input == ""


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
    branch = {"StartAt": "in", "States": {n: {"Type": "Task", "End": True} for n in ("in", "out")}}
    parallel = graph({"StartAt": "both", "States": {"both": {"Type": "Parallel", "End": True, "Branches": [branch]}}})
    went = [event(1, "ParallelStateEntered", **entered("both")), event(2, "TaskStateEntered", **entered("in"))]
    done = event(4, "TaskStateExited", previous=3, stateExitedEventDetails={"name": "out"})
    went += [event(3, "TaskStateEntered", previous=1, **entered("out")), done]
    assert selected_state("", parallel, went, None) == "in", "what goes on, and not what holds it or has ended"
