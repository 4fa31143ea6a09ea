"""The console in a real browser, over a real front with a machine that runs and fails."""

import json
import re
import shutil
import socket
import threading
import time
from pathlib import Path

import boto3
import pytest
import uvicorn
from shoplake.console_runs import ConsoleRuns
from shoplake.runs.executions_aws import Executions
from shoplake_console.server import console_app
from shoplake_core.clock import SystemClock
from shoplake_core.endpoints import AwsEndpoint
from shoplake_core.names import LOCAL_ACCOUNT
from shoplake_engines.testing import temporary_state_folder
from shoplake_local.front_engine import FrontEngine

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "dashboards" / "tests" / "vendored" / "axe.min.js"
TOKEN = "token-of-the-test"
HOSTILE = "</script><img src=x onerror=alert(1)>"


def one_state(name, **members):
    return {"StartAt": name, "States": {name: members}}


STATES = {
    "Where to begin": {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $states.input.rebuild = true %}", "Next": "Wait a little"}],
        "Default": "Both sides",
    },
    "Both sides": {
        "Type": "Parallel",
        "Branches": [
            one_state("Left", Type="Pass", End=True),
            one_state("Right", Type="Wait", Seconds=1, End=True),
        ],
        "Next": "Each table",
    },
    "Each table": {
        "Type": "Map",
        "Items": [1, 2, 3],
        "ItemProcessor": one_state("Clean one", Type="Pass", Output=HOSTILE, End=True),
        "Next": "Wait a little",
    },
    "Wait a little": {"Type": "Wait", "Seconds": 2, "Next": "Call what is not there"},
    "Call what is not there": {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "no-such-function", "Payload": {"name": HOSTILE}},
        "Next": "Never reached",
    },
    "Never reached": {"Type": "Succeed"},
}


@pytest.fixture(scope="module")
def executions():
    keys = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "secret"}
    nowhere = AwsEndpoint(url="http://127.0.0.1:9", region="eu-central-1", **keys)
    folder = temporary_state_folder()
    engine = FrontEngine(
        folder,
        object_store=nowhere,
        warehouse=None,
        region="eu-central-1",
        account=LOCAL_ACCOUNT,
        check_answers=True,
        preferred_port=0,
    )
    at = engine.up()

    def client(service):
        return boto3.session.Session().client(
            service,
            endpoint_url=at.url,
            region_name=at.region,
            aws_access_key_id=at.access_key_id,
            aws_secret_access_key=at.secret_access_key,
        )

    try:
        who = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [who]})
        role = client("iam").create_role(RoleName="machine", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Where to begin", "States": STATES})
        states = client("stepfunctions")
        machine = states.create_state_machine(name="m", roleArn=role, definition=definition)["stateMachineArn"]
        yield Executions(states, machine)
    finally:
        engine.down()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def console(executions, tmp_path_factory):
    runs = ConsoleRuns(
        executions,
        label="test · target local",
        folder=tmp_path_factory.mktemp("state"),
        clock=SystemClock(),
        log_lines=lambda job: [],
    )
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = console_app(runs, clock=SystemClock(), token=TOKEN, port=port)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, ws="none"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture(scope="module")
def chromium():
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, console):
    """`opened("/")` is a page; on leaving, nothing went elsewhere and nothing went wrong in any."""
    contexts, wrong = [], []

    def made(path, *, theme="light", width=1440):
        context = chromium.new_context(viewport={"width": width, "height": 1000}, color_scheme=theme, bypass_csp=False)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(3000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("request", lambda r: wrong.append(r.url) if not r.url.startswith(console) else None)
        page.on("dialog", lambda d: (wrong.append(d.message), d.dismiss()))
        page.goto(f"{console}{path}{'&' if '?' in path else '?'}token={TOKEN}")
        return page

    yield made
    for context in contexts:
        context.close()
    assert wrong == []


def axe(page):
    found = page.evaluate(AXE.read_text("utf-8") + "\n;axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['id']}: {v['nodes'][0]['target']} {v['nodes'][0].get('failureSummary', '')}"
        for v in found["violations"]
        if v["impact"] in {"serious", "critical"}
    ]


def wait_ended(executions, run_id):
    for _ in range(400):
        if not executions.described(run_id).is_running:
            return time.monotonic()
        time.sleep(0.02)
    raise AssertionError("it goes on")


@pytest.fixture(scope="module")
def failed_run(executions):
    executions.start("failed-one")
    wait_ended(executions, "failed-one")
    return "failed-one"


def test_a_run_is_shown_from_its_start_to_its_failure_without_a_reload(executions, opened):
    executions.start("live-one")
    page = opened("/runs/live-one")
    page.evaluate("window.notReloaded = true")
    page.wait_for_selector("svg .running", timeout=5000)
    ended = wait_ended(executions, "live-one")
    page.wait_for_selector('svg .failed.selected[data-state="Call what is not there"]', timeout=3000)
    assert time.monotonic() - ended < 1.0
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
        page.wait_for_selector("table.runs")
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
    executions.start("stopped-one")
    page = opened("/runs/stopped-one")
    page.click("#stop")
    page.wait_for_selector("h1 .stopped")
    assert executions.described("stopped-one").status == "ABORTED"
