"""One console for the session: over a front with a machine that runs and fails, and a warehouse with the small gold."""

import json
import shutil
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import psycopg
import pytest
import uvicorn
from shoplake.cloud import laptop_cloud
from shoplake.console_contracts import ConsoleContracts
from shoplake.console_dashboards import ConsoleDashboards
from shoplake.console_data import ConsoleData
from shoplake.console_runs import ConsoleRuns
from shoplake.console_warehouse import ConsoleWarehouse
from shoplake.warehouse_records import WarehouseRecords
from shoplake.workspace import open_workspace
from shoplake_console.server import console_app
from shoplake_core.clock import SystemClock
from shoplake_dashboards.loading import all_contracts

DASHBOARDS = Path(__file__).parents[2] / "dashboards" / "tests"
sys.path.insert(0, str(DASHBOARDS))  # the small gold stands beside those tests
small_gold = import_module("small_gold")

AXE = DASHBOARDS / "vendored" / "axe.min.js"
SHOP = Path(__file__).parents[3] / "shop"
DATABASE = "console_gold"
ENVIRONMENT = "console"
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
    "Wait a little": {
        "Type": "Wait",
        "Seconds": "{% $number($states.context.Execution.Input.from) %}",
        "Next": "Call what is not there",
    },
    "Call what is not there": {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "no-such-function", "Payload": {"name": HOSTILE}},
        "Next": "Never reached",
    },
    "Never reached": {"Type": "Succeed"},
}


class OnThatDay(SystemClock):
    """Time goes on, and it is always the small gold's day."""

    def now(self):
        return datetime.combine(small_gold.TODAY, datetime.min.time(), tzinfo=UTC).replace(hour=12)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory):
    """The shop's own files, where a test may change them."""
    folder = tmp_path_factory.mktemp("shop") / "shop"
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns(".shoplake"))
    return open_workspace(
        project=folder, start=folder, environment={"SHOPLAKE_STATE": str(folder / "state")}, named=ENVIRONMENT
    )


@pytest.fixture(scope="session")
def cloud(workspace, local_aws):
    return laptop_cloud(workspace, local_aws.endpoint, clock=SystemClock())


@pytest.fixture(scope="session")
def executions(cloud, local_aws):
    who = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [who]})
    role = local_aws.client("iam").create_role(RoleName="console", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Where to begin", "States": STATES})
    local_aws.client("stepfunctions").create_state_machine(name=cloud.names.prefix, roleArn=role, definition=definition)
    return cloud.executions


@pytest.fixture(scope="session")
def gold(local_aws, workspace):
    """A connection to the warehouse, which holds the small gold."""
    at = local_aws.warehouse
    where = {"host": at.host, "port": at.port, "user": at.user, "password": at.password, "autocommit": True}
    with psycopg.connect(dbname=at.database, **where) as first:
        first.execute(f"CREATE DATABASE {DATABASE}")
    contracts = all_contracts(workspace.project.gold)
    with psycopg.connect(dbname=DATABASE, **where) as connection:
        small_gold.create_gold(connection, contracts)
        small_gold.fill_gold(connection, contracts)
        yield connection


@pytest.fixture(scope="session")
def console(executions, workspace, cloud, gold):
    """The console's address."""
    label = "test · target local"
    runs = ConsoleRuns(
        executions,
        label=label,
        folder=workspace.state_folder,
        clock=SystemClock(),
        log_lines=lambda job: [],
        reader=cloud.run_reader,
    )
    warehouse = ConsoleWarehouse(cloud.aws.client("redshift-data"), "shoplake-console", DATABASE, SystemClock())
    data = ConsoleData(cloud, WarehouseRecords(warehouse, workspace.project.gold), ConsoleContracts(workspace))
    dashboards = ConsoleDashboards(workspace, warehouse, label=label, clock=OnThatDay())
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = console_app(runs, clock=SystemClock(), token=TOKEN, port=port, dashboards=dashboards, data=data)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, ws="none"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture(scope="module")
def chromium():
    """A browser a module: no two of playwright's loops may run in one process, and other packages' tests start theirs."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
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
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("request", lambda r: wrong.append(r.url) if not r.url.startswith((console, "blob:")) else None)
        page.on("dialog", lambda d: (wrong.append(d.message), d.dismiss()))
        page.goto(f"{console}{path}{'&' if '?' in path else '?'}token={TOKEN}")
        return page

    made.wrong = wrong
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
