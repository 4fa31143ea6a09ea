"""The run's own machine, bound and executed: from every beginning, and with trouble in every state that calls."""

import json
import time
from collections import Counter

import pytest
from shoplake_core.clock import SkipClock
from shoplake_local.stepfunctions.engine import Engine
from shoplake_local.stepfunctions.faults import first_match
from shoplake_local.stepfunctions.service import StepFunctionsService
from shoplake_local.stepfunctions.tasks_aws import ERROR_PREFIXES
from shoplake_orchestration.binding import bind
from shoplake_orchestration.integrations import SDK_SERVICES
from shoplake_orchestration.run_machine import BEGINNINGS, run_definition

from .conftest import ACCOUNT, REGION, ROLE, START, Machine
from .run_troubles import BROKEN, Kind, TaskStates, WorldWaiter
from .run_world import DATA_SETS, TABLES, RunWorld

TOKENS = {
    "Account": ACCOUNT,
    "AlertsTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts",
    "ArtifactsBucket": "artifacts",
    "BronzeStateFunction": "bronze-state",
    "BronzeToSilverJob": "silver",
    "Crawler": "bronze",
    "Environment": "test",
    "JobTimeoutSeconds": "600",
    "LoadPollSeconds": "2",
    "MaskingSecret": "masking",
    "MostPolls": "20",
    "PollSeconds": "15",
    "ProjectUrl": "s3://artifacts/project.zip",
    "ReconcileJob": "reconcile",
    "Region": REGION,
    "ReplicationTask": "shop",
    "RunLockFunction": "run-lock",
    "SilverToGoldJob": "gold",
    "SourceMarkerFunction": "source-marker",
    "SpiceDataSets": ", ".join(f"'{name}'" for name in DATA_SETS),
    "WarehouseDatabase": "shop",
    "WarehouseLoadsFunction": "warehouse-loads",
    "Workgroup": "warehouse",
}
DEFINITION = json.loads(bind(run_definition(), TOKENS))
TASKS = TaskStates(DEFINITION).by_name
TELL, END, TAKE, RELEASE = "Tell what failed", "End as failed", "Take the run lock", "Release the run lock"
MARKER, PLAN = "Commit a marker", "Plan the warehouse load"
AFTER_A_FAILURE = {TELL, END}
IN_THE_CRAWL = {"Start the crawler", "Ask how the crawler is"}
JOBS = {name for name, state in TASKS.items() if state["Resource"].endswith(".sync")}


class Run(Machine):
    """The machine in a world; an execution at a time."""

    def __init__(self, path, world):
        self.world, self.clock = world, world.clock
        engine = Engine(
            path, world, clock=self.clock, region=REGION, waiter=WorldWaiter(world), poll_seconds=30, jitter=lambda: 0.5
        )
        self.service = StepFunctionsService(
            path, world, account=ACCOUNT, region=REGION, clock=self.clock, engine=engine
        )
        self.store = engine.store
        created = self.call("CreateStateMachine", name="run", definition=json.dumps(world.definition), roleArn=ROLE)
        self.machine = created["stateMachineArn"]
        world.is_running = lambda arn: self.store.execution(arn).status == "RUNNING"

    def begin(self, given=None):
        return self.start(self.machine, given)

    def ended(self, execution):
        for _ in range(20000):
            found = self.store.execution(execution)
            if found.status != "RUNNING":
                return found
            time.sleep(0.002)
        raise AssertionError(f"{execution} does not end; asked {self.world.asked[-5:]}")

    def done(self, given=None):
        return self.ended(self.begin(given))

    def redriven(self, execution):
        self.call("RedriveExecution", executionArn=execution)
        return self.ended(execution)

    def story(self, execution):
        """Each event with the name of the state that it is in."""
        events = self.store.events(execution, start=0, count=10000, newest_first=False)
        by_id, told = {event.id: event for event in events}, []
        for event in events:
            at = event
            while at is not None and not at.type.endswith("StateEntered"):
                at = by_id.get(at.previous)
            told.append((at.details["name"] if at else "", event.type, event.details.get("error")))
        return told


@pytest.fixture
def run_in(tmp_path):
    made = []

    def build(**members):
        world = RunWorld(members.pop("definition", DEFINITION), SkipClock(START), **members)
        made.append(Run(tmp_path / f"{len(made)}.sqlite", world))
        return made[-1]

    yield build
    for run in made:
        run.world.mend()
        run.service.close()


def reaching(run_in, state):
    """A run whose way leads through the state, and the state whose failure leads there ("" for none)."""
    run = run_in(replication="stopped" if state == "Resume replication" else "ready")
    if state in AFTER_A_FAILURE:
        run.world.trouble(MARKER, Kind.FAILS)
        return run, MARKER
    return run, ""


def runs_of(world, state="SUCCEEDED"):
    return Counter(job.name for job in world.jobs.values() if job.state == state)


def assert_all_is_well(run, execution, *, most_runs=1):
    """The lock is free, every batch is in the warehouse once, and nothing ran or runs too often."""
    world = run.world
    assert (world.holder, world.last_outcome, world.last_execution) == ("", "succeeded", execution)
    assert world.loaded == world.expected_loads
    assert world.shown == world.expected_shown
    assert set(runs_of(world)) == {"silver", "gold", "reconcile"}
    assert max(runs_of(world).values()) <= most_runs
    tokens = Counter(statement["ClientToken"] for statement in world.statements.values())
    assert set(tokens.values()) == {1}
    assert runs_of(world, "RUNNING") == {}
    assert world.replication == "running"


def assert_succeeded(run, found, **more):
    assert found.status == "SUCCEEDED", (found.error, found.cause, run.world.alerts)
    assert_all_is_well(run, found.arn, **more)


def assert_failed_at(run, found, state, *, alerts=1):
    """It is told, ended at the one Task that a redrive repeats, and the lock is free."""
    assert found.status == "FAILED"
    entered = [name for name, what, _ in run.story(found.arn) if what.endswith("StateEntered")]
    assert entered[-1] == END
    assert len(run.world.alerts) == alerts
    assert all(f"failed at: {state}\n" in alert for alert in run.world.alerts)
    assert run.world.holder == ""


# -- ways through ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replication", "starts"),
    [
        ("ready", ["start-replication"]),
        ("stopped", ["resume-processing"]),
        ("failed", ["resume-processing"]),
        ("running", []),
        ("starting", []),
        ("stopping", ["resume-processing"]),
    ],
)
def test_run_succeeds_however_replication_is(run_in, replication, starts):
    run = run_in(replication=replication)
    assert_succeeded(run, run.done())
    assert run.world.starts == starts
    assert (run.world.crawls, run.world.alerts) == (1, [])


def test_nothing_new_ends_without_jobs_and_new_files_without_a_crawl(run_in):
    run = run_in()
    assert_succeeded(run, run.done())
    before = len(run.world.jobs)
    second = run.done()
    assert_succeeded(run, second)
    assert (len(run.world.jobs), run.world.asked[-1]) == (before, RELEASE)
    assert json.loads(second.output)["new_files"] == 0
    run.world.files["orders"] = 2
    assert_succeeded(run, run.done(), most_runs=2)
    assert (len(run.world.jobs), run.world.crawls) == (before * 2, 1)


def test_loads_are_planned_anew_while_there_are_more(run_in):
    run = run_in()
    run.world.loads_at_once = 1
    found = run.done({"rebuild": True})
    assert_succeeded(run, found)
    assert json.loads(found.output) == {
        "run_id": found.name,
        "new_files": len(TABLES),
        "warehouse": {"batches": len(TABLES), "rows": len(TABLES)},
        "dashboards": {"refreshed": len(DATA_SETS), "rows": 7 * len(DATA_SETS), "warnings": []},
        "gold": {"batches": len(TABLES)},
    }
    assert (run.world.plans, run.world.rebuilds, len(run.world.statements)) == (len(TABLES), 1, len(TABLES))


def test_a_login_refused_while_the_secret_was_rotated_is_tried_again(run_in):
    run = run_in()
    run.world.trouble(MARKER, Kind.REFUSED_ONCE, "CredentialError")
    assert_succeeded(run, run.done())
    assert run.world.asked.count(MARKER) == 2


def test_a_backfill_reaches_gold_though_nothing_is_new(run_in):
    run = run_in()
    assert_succeeded(run, run.done())
    assert_succeeded(run, run.done({"backfill_from": "2026-01-31"}), most_runs=2)
    assert [job.backfill_from for job in run.world.jobs.values() if "gold" in job.name] == ["", "2026-01-31"]


def test_load_that_met_another_transaction_is_tried_again_with_a_token_of_its_own(run_in):
    run = run_in()
    run.world.next_load_errors = ["ERROR: 1023 DETAIL: Serializable isolation violation", "error 1023"]
    assert_succeeded(run, run.done())
    assert len(run.world.statements) == len(TABLES) + 2


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_run_begins_where_it_is_told(run_in, beginning):
    run = run_in()
    assert_succeeded(run, run.done())
    asked = len(run.world.asked)
    assert_succeeded(run, run.done({"from": beginning, "rebuild": True}), most_runs=2)
    first, second = run.world.asked[asked : asked + 2]
    assert first == TAKE
    assert second == beginning or second in IN_THE_CRAWL | {"Clean bronze into silver"}


def test_unknown_beginning_is_refused_before_the_lock(run_in):
    run = run_in()
    found = run.done({"from": "Clean bronze into silver"})
    assert (found.status, found.error, run.world.asked) == ("FAILED", "UnknownBeginning", [])


def test_held_lock_refuses_a_second_run_and_stays(run_in):
    run = run_in()
    held = run.world.trouble(MARKER, Kind.HELD)
    first = run.begin()
    assert held.met.wait(30)
    second = run.done()
    assert (second.status, second.error) == ("FAILED", "RunInProgress")
    assert first in second.cause
    assert (run.world.holder, run.world.alerts) == (first, [])
    run.world.mend()
    assert_succeeded(run, run.ended(first))


def test_data_set_that_was_refreshed_too_often_is_told_of_and_caught_up_with_when_nothing_else_is_new(run_in):
    run = run_in()
    run.world.refreshed_too_often = {"bi-orders"}
    found = run.done()
    assert (found.status, run.world.alerts, run.world.holder) == ("SUCCEEDED", [], "")
    told = json.loads(found.output)["dashboards"]
    assert (told["refreshed"], told["rows"]) == (1, 7)
    (warning,) = told["warnings"]
    assert warning.startswith("bi-orders was not refreshed: QuickSight takes 32 refreshes")
    run.world.refreshed_too_often = set()
    second = run.done()
    assert_succeeded(run, second)
    assert json.loads(second.output)["dashboards"] == {"refreshed": 1, "rows": 7, "warnings": []}


def test_run_of_an_environment_without_dashboards_asks_nothing_of_them(run_in):
    definition = json.loads(bind(run_definition(), TOKENS | {"SpiceDataSets": ""}))
    run = run_in(definition=definition)
    found = run.done()
    assert (found.status, run.world.ingestions) == ("SUCCEEDED", {})
    assert not {"Plan what dashboards read anew", "Refresh one data set"} & set(run.world.asked)
    assert "dashboards" not in json.loads(found.output)


# -- what the world says -----------------------------------------------------------------------------------------


def never_up(world):
    world.replication, world.stays_down = "failed", True


def table_in_error(world):
    world.replication, world.table_states = (
        "running",
        {**dict.fromkeys(TABLES, "Table completed"), "items": "Table error"},
    )


def crawl_fails(world):
    world.crawl_outcome = "FAILED"


def load_fails(world):
    world.next_load_errors = ["ERROR: column is missing"]


def refresh_fails(world):
    error = {"Type": "SQL_EXCEPTION", "Message": "no such column"}
    world.next_ingestion = {"IngestionStatus": "FAILED", "ErrorInfo": error}


def rows_dropped(world):
    world.next_ingestion = {"RowInfo": {"RowsIngested": 5, "RowsDropped": 2}}


def marker_lost(world):
    world._commit_marker = lambda _event: {"token": "lost", "after": ""}


@pytest.mark.parametrize(
    ("spoil", "state", "told"),
    [
        (never_up, "Ask how replication is", "3 starts"),
        (table_in_error, "Ask whether the loads are complete", "shop.items"),
        (marker_lost, "Look at bronze", "the marker lost"),
        (crawl_fails, "Ask how the crawler is", "CrawlFailed"),
        (load_fails, "Load one batch", "column is missing"),
        (refresh_fails, "Refresh one data set", "is FAILED SQL_EXCEPTION: no such column"),
        (rows_dropped, "Refresh one data set", "is COMPLETED and left out 2 rows"),
    ],
)
def test_bad_news_is_told_by_the_state_that_heard_it(run_in, spoil, state, told):
    run = run_in()
    spoil(run.world)
    found = run.done()
    assert_failed_at(run, found, state)
    assert told in run.world.alerts[0]
    assert run.world.last_outcome == "failed"
    vars(run.world).pop("_commit_marker", None)
    run.world.stays_down, run.world.crawl_outcome, run.world.replication = False, "SUCCEEDED", "running"
    run.world.table_states = dict.fromkeys(TABLES, "Table completed")
    if spoil is marker_lost:
        run.world.markers["lost"] = 0.0
    assert_succeeded(run, run.redriven(found.arn), most_runs=2)


# -- trouble in every state that calls ---------------------------------------------------------------------------


def prefix_of(state):
    service = TASKS[state]["Resource"].removeprefix("arn:aws:states:::").removeprefix("aws-sdk:").split(":")[0]
    return ERROR_PREFIXES[SDK_SERVICES[service]]


def lost_connection(state):
    return f"{prefix_of(state)}.SdkClientException"


# what integrations of Step Functions' own call an error that no model names
OLDER_NAMES = {"Lambda": "Lambda.AWSLambdaException", "Glue": "Glue.AWSGlueException", "Sns": "SNS.AmazonSNSException"}


@pytest.mark.parametrize("state", TASKS)
def test_lost_connection_and_throttling_are_tried_again_in_every_state(state):
    retry, prefix = TASKS[state]["Retry"], prefix_of(state)
    own = [] if ":aws-sdk:" in TASKS[state]["Resource"] else [OLDER_NAMES[prefix]]
    for error in (lost_connection(state), f"{prefix}.{prefix}Exception", *own):
        assert first_match(retry, error) is not None, error


@pytest.mark.parametrize("kind", [Kind.REFUSED_ONCE, Kind.UNHEARD_ONCE], ids=lambda kind: kind.name.lower())
@pytest.mark.parametrize("state", TASKS)
def test_call_that_fails_once_is_made_again(run_in, state, kind):
    run, cause = reaching(run_in, state)
    trouble = run.world.trouble(state, kind, lost_connection(state))
    found = run.done()
    assert trouble.met.is_set()
    story = run.story(found.arn)
    assert (state, "TaskFailed", lost_connection(state)) in story
    assert story.count((state, "TaskScheduled", None)) >= 2
    if cause:
        alerts = 2 if (state, kind) == (TELL, Kind.UNHEARD_ONCE) else 1
        assert_failed_at(run, found, cause, alerts=alerts)
        return
    assert run.world.alerts == []
    # a job whose start was not heard of runs, and then once more
    assert_succeeded(run, found, most_runs=2 if state in JOBS and kind is Kind.UNHEARD_ONCE else 1)


@pytest.mark.parametrize("kind", [Kind.FAILS, Kind.HANGS], ids=lambda kind: kind.name.lower())
@pytest.mark.parametrize("state", TASKS)
def test_failure_is_told_by_name_and_a_redrive_goes_on_there(run_in, state, kind):
    run, cause = reaching(run_in, state)
    trouble = run.world.trouble(state, kind)
    found = run.done()
    assert trouble.met.is_set()
    failed = ("TaskFailed", "States.TaskFailed" if state in JOBS else BROKEN)
    what, error = ("TaskTimedOut", "States.Timeout") if kind is Kind.HANGS else failed
    assert (state, what, error) in run.story(found.arn)
    if state == END:  # the lock stays with an execution that has ended: the next run, or its redrive, takes it
        assert (found.status, found.error, run.world.holder) == ("FAILED", error, found.arn)
    else:
        assert_failed_at(run, found, cause or state, alerts=0 if state == TELL else 1)
        assert found.error == "RunFailed"
        assert run.world.last_outcome == ("" if state == TAKE else "failed")
    run.world.mend()
    # a failed crawl repeats the branch beside it
    assert_succeeded(run, run.redriven(found.arn), most_runs=2 if state in IN_THE_CRAWL else 1)


@pytest.mark.parametrize("way", ["redrive", "new_run"])
@pytest.mark.parametrize("state", TASKS)
def test_stopped_run_can_be_redriven_or_followed_by_another(run_in, state, way):
    run, _ = reaching(run_in, state)
    trouble = run.world.trouble(state, Kind.HELD)
    execution = run.begin()
    assert trouble.met.wait(30)
    run.call("StopExecution", executionArn=execution)
    assert run.ended(execution).status == "ABORTED"
    run.world.mend()
    if way == "redrive":
        found = run.redriven(execution)
        if state == TELL:  # it had a failure to tell and has told it; the next redrive goes on
            assert found.status == "FAILED"
            found = run.redriven(execution)
    else:
        found = run.done()
    assert_succeeded(run, found, most_runs=2)


def test_redrive_beside_another_run_is_refused_until_that_has_ended(run_in):
    run = run_in()
    run.world.trouble(MARKER, Kind.FAILS)
    failed = run.done()
    run.world.mend()
    held = run.world.trouble(PLAN, Kind.HELD)
    other = run.begin()
    assert held.met.wait(30)
    for _ in range(2):
        before = run.world.asked.count(END)
        refused = run.redriven(failed.arn)
        assert (refused.status, refused.error, run.world.holder) == ("FAILED", "ConflictError", other)
        assert run.world.asked.count(END) - before == 1 + TASKS[END]["Retry"][0]["MaxAttempts"]
    run.world.mend()
    assert_succeeded(run, run.ended(other))
    assert_succeeded(run, run.redriven(failed.arn))


# what a stopped run may do again without the lock: it only looks, or starts what is to run anyway
ANYONE_MAY = {
    "Ask how replication is",
    "Start replication",
    "Resume replication",
    "Ask whether the loads are complete",
    "Start the crawler",
    "Ask how the crawler is",
    "Ask how the load is",
    "Ask how the refresh is",
}


def touched(world):
    counts = len(world.jobs), len(world.statements), world.plans, len(world.ingestions)
    return counts, dict(world.loaded), dict(world.markers)


@pytest.mark.parametrize("state", [state for state in TASKS if state not in AFTER_A_FAILURE])
def test_stopped_run_that_is_redriven_beside_another_stops_before_it_touches_anything(run_in, state):
    run, _ = reaching(run_in, state)
    world = run.world
    met = world.trouble(state, Kind.HELD)
    stopped = run.begin()
    assert met.met.wait(30)
    run.call("StopExecution", executionArn=stopped)
    assert run.ended(stopped).status == "ABORTED"
    world.mend()
    held = world.trouble(PLAN, Kind.HELD)
    other = run.begin({"rebuild": True})
    assert held.met.wait(30)
    asked, before = len(world.asked), touched(world)
    for _ in range(2):
        found = run.redriven(stopped)
        assert (found.status, found.error) == ("FAILED", "RunInProgress" if state == TAKE else "ConflictError")
        assert other in found.cause
        assert world.holder == other
    assert touched(world) == before
    assert set(world.asked[asked:]) <= ANYONE_MAY | {TAKE, END}
    assert world.intruders == []
    world.mend()
    assert_succeeded(run, run.ended(other), most_runs=2)
    if state != TAKE:  # which ended in a Fail: that is what a redrive repeats
        assert_succeeded(run, run.redriven(stopped), most_runs=3)
        assert world.intruders == []


@pytest.mark.parametrize("state", ["Clean bronze into silver", PLAN])
def test_work_that_finds_the_lock_with_another_refuses_by_itself_and_goes_on_after_it(run_in, state):
    """As if the arguments of the state that a redrive begins at were not evaluated anew."""
    text = json.dumps(DEFINITION).replace("> $held_at_redrive ? $error", "< 0 ? $error")
    run = run_in(definition=json.loads(text))
    met = run.world.trouble(state, Kind.HELD)
    stopped = run.begin()
    assert met.met.wait(30)
    run.call("StopExecution", executionArn=stopped)
    run.ended(stopped)
    run.world.mend()
    run.world.until_no_job_runs()
    held = run.world.trouble("Reconcile all layers", Kind.HELD)
    other = run.begin({"rebuild": True})
    assert held.met.wait(30)
    refused = run.redriven(stopped)
    assert (refused.error, run.world.holder) == ("ConflictError", other)
    assert set(run.world.intruders) == {stopped}
    run.call("StopExecution", executionArn=other)
    run.ended(other)
    run.world.mend()
    run.world.until_no_job_runs()
    assert_succeeded(run, run.redriven(stopped), most_runs=3)


@pytest.mark.parametrize("ending", ["stopped", "timed_out"])
def test_job_whose_start_is_heard_of_too_late_is_ended(run_in, ending):
    run, state = run_in(), "Shape silver into gold"
    held = run.world.trouble(state, Kind.STARTS_UNHEARD)
    execution = run.begin({"from": state})
    assert held.met.wait(30)
    if ending == "stopped":
        run.call("StopExecution", executionArn=execution)
    else:
        run.world.let_time_pass(state)
    assert run.ended(execution).status == {"stopped": "ABORTED", "timed_out": "FAILED"}[ending]
    run.world.mend()
    run.world.until_no_job_runs()
    assert runs_of(run.world, "STOPPED") == {"gold": 1}
