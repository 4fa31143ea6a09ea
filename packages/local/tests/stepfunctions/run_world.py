"""A small world for the run's own machine: replication, a lock, bronze, a crawler, jobs, a warehouse, and faults in them.

It answers as `TaskRunner`. Things take seconds of the test's clock, and whatever was begun goes on whether or not
anybody asks. The lock follows shoplake_functions.run_lock, which this package may not import.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shoplake_core.clock import SkipClock
from shoplake_local.stepfunctions.faults import StateError

from .run_troubles import Kind, Trouble, TroubledCalls

TABLES = ("customers", "items", "orders")
TASK_ARN = "arn:aws:dms:eu-central-1:000000000000:task:SHOP"
DATA_SETS = {"bi-items": "items", "bi-orders": "orders"}
_SECONDS = {"replication": 20, "load": 40, "marker": 20, "crawl": 50, "job": 90, "statement": 3, "ingestion": 50}


@dataclass(slots=True)
class JobRun:
    """A run of a Glue job."""

    name: str
    begun_at: float
    state: str = "RUNNING"
    never_ends: bool = False
    fails: bool = False
    held: Trouble | None = None
    """Holds back every look at it."""
    refused: bool = False
    """Whether the run that started it did not hold the lock: it looks, and ends as failed."""
    backfill_from: str = ""


class RunWorld(TroubledCalls):
    """The world. `troubles` is by state; everything else is as a person would find it."""

    def __init__(self, definition: Mapping[str, Any], clock: SkipClock, *, replication: str = "ready") -> None:
        super().__init__(definition, clock)
        self.definition = definition
        self.is_running: Callable[[str], bool] = lambda _execution: False
        self.holder, self.last_outcome, self.last_execution = "", "", ""
        self.replication, self.starts, self.stays_down = replication, [], False
        self.table_states: dict[str, str] = {}
        self.markers: dict[str, float] = {}
        """When each is in bronze."""
        self.files, self.consumed = dict.fromkeys(TABLES, 1), dict.fromkeys(TABLES, 0)
        self.catalogued: set[str] = set()
        self.crawls, self.crawler_state, self.crawl_outcome = 0, "READY", "SUCCEEDED"
        self.jobs: dict[str, JobRun] = {}
        self.gold: set[tuple[str, int]] = set()
        self.loads_at_once, self.plans, self.rebuilds = 20, 0, 0
        self.statements: dict[str, dict[str, Any]] = {}
        self.loaded: Counter[str] = Counter()
        self.next_load_errors: list[str] = []
        self.ingestions: dict[tuple[str, str], dict[str, Any]] = {}
        self.shown: dict[str, frozenset[str]] = {}
        """What each data set has read of the warehouse."""
        self.refreshed_too_often: set[str] = set()
        self.next_ingestion: dict[str, Any] = {}
        """How the next one ends, where not well."""
        self.intruders: list[str] = []
        """Runs that wrote, or were about to, without the lock."""
        self.alerts: list[str] = []
        self._due: dict[str, float] = {}
        if replication in {"starting", "stopping"}:
            self._after("replication")
        if replication == "running":
            self._loads_begin()

    def until_no_job_runs(self) -> None:
        """Wait for what is ended aside from the execution."""
        for _ in range(2000):
            with self.lock:
                if all(run.state != "RUNNING" for run in self.jobs.values()):
                    return
            time.sleep(0.002)
        raise AssertionError(self.jobs)

    # -- the runner ----------------------------------------------------------------------------------------------

    def call(self, resource: str, arguments: Any, *, role_arn: str) -> Any:
        with self.counted():
            name = self.states.name_of(resource, arguments)
            return self.troubled(name, lambda: self._answer(resource, arguments))

    def submit(self, resource: str, arguments: Any, *, role_arn: str) -> dict[str, Any]:
        with self.counted():
            name = self.states.name_of(resource, arguments)
            trouble = self.troubles.get(name)
            if trouble is not None and trouble.kind in {Kind.FAILS, Kind.HANGS, Kind.HELD}:
                with self.lock:
                    self.asked.append(name)
                    job = self._start_job(arguments)
                    run = self.jobs[job["JobRunId"]]
                    run.fails, run.never_ends = trouble.kind is Kind.FAILS, trouble.kind is not Kind.FAILS
                    run.held = trouble if trouble.kind is Kind.HELD else None
                if run.held is None:
                    trouble.met.set()
                return job
            if trouble is not None and trouble.kind is Kind.STARTS_UNHEARD:
                let_go = self.let_go
                job = self.done(lambda: self._start_job(arguments))
                self.jobs[job["JobRunId"]].never_ends = True
                trouble.met.set()
                assert let_go.wait(60)
                return job
            return self.troubled(name, lambda: self._start_job(arguments))

    def poll(self, resource: str, job: dict[str, Any], *, role_arn: str) -> dict[str, Any] | None:
        with self.counted():
            held = self.jobs[job["JobRunId"]].held
            if held is not None:
                let_go = self.let_go
                held.met.set()
                assert let_go.wait(60)
                return None
            return self.done(lambda: self._look_at_job(job))

    def _look_at_job(self, job: dict[str, Any]) -> dict[str, Any] | None:
        run = self.jobs[job["JobRunId"]]
        shown = {**job, "JobRunState": run.state}
        if run.state == "RUNNING":
            return None
        if run.state != "SUCCEEDED":
            raise StateError("States.TaskFailed", json.dumps({**shown, "ErrorMessage": f"{run.name} is lost"}))
        return shown

    def cancel(self, resource: str, job: dict[str, Any], *, role_arn: str) -> None:
        with self.counted(), self.lock:
            self.go_on()
            if self.jobs[job["JobRunId"]].state == "RUNNING":
                self.jobs[job["JobRunId"]].state = "STOPPED"

    # -- time ----------------------------------------------------------------------------------------------------

    def _after(self, what: str) -> None:
        self._due[what] = self.now + _SECONDS[what]

    def _is_due(self, what: str) -> bool:
        if what in self._due and self.now >= self._due[what]:
            del self._due[what]
            return True
        return False

    def go_on(self) -> None:
        """What has come about since somebody looked."""
        if self._is_due("replication"):
            self.replication = "stopped" if self.replication == "stopping" else "running"
            if self.stays_down:
                self.replication = "failed"
            if self.replication == "running" and not self.table_states:
                self._loads_begin()
        if self._is_due("load"):
            self.table_states = dict.fromkeys(self.table_states, "Table completed")
        if self._is_due("crawl"):
            self.crawler_state = "READY"
            if self.crawl_outcome == "SUCCEEDED":
                self.catalogued |= set(TABLES)
        for run in self.jobs.values():
            if run.state == "RUNNING" and not run.never_ends and self.now >= run.begun_at + _SECONDS["job"]:
                run.state = "FAILED" if run.fails or run.refused else "SUCCEEDED"
                if run.state == "SUCCEEDED":
                    run.state = {"silver": self._clean, "gold": self._shape, "reconcile": self._reconcile}[run.name]()
        for statement in self.statements.values():
            if statement["Status"] == "STARTED" and self.now >= statement["due"]:
                statement["Status"] = "FAILED" if statement["Error"] else "FINISHED"
                if not statement["Error"]:
                    self.loaded.update(statement["Sqls"])
        self._refreshes_end()

    def _refreshes_end(self) -> None:
        for (data_set, _), ingestion in self.ingestions.items():
            if ingestion["IngestionStatus"] == "RUNNING" and self.now >= ingestion["due"]:
                ingestion |= {"IngestionStatus": "COMPLETED", **ingestion["end"]}
                if ingestion["IngestionStatus"] == "COMPLETED":
                    self.shown[data_set] = self._to_show(data_set)

    def _to_show(self, data_set: str) -> frozenset[str]:
        return frozenset(sql for sql in self.loaded if f"'{DATA_SETS[data_set]}'" in sql)

    @property
    def expected_shown(self) -> dict[str, frozenset[str]]:
        """What data sets have read when all is well."""
        return {data_set: self._to_show(data_set) for data_set in DATA_SETS}

    def _loads_begin(self) -> None:
        self.table_states = dict.fromkeys(TABLES, "Full load")
        self._after("load")

    def _clean(self) -> str:
        self.consumed = dict(self.files)
        return "SUCCEEDED"

    def _shape(self) -> str:
        self.gold |= {(table, batch) for table, count in self.consumed.items() for batch in range(1, count + 1)}
        return "SUCCEEDED"

    def _reconcile(self) -> str:
        """The layers agree, and each batch is there once."""
        agree = self.files == self.consumed and self.expected_loads == self.loaded
        return "SUCCEEDED" if agree else "FAILED"

    @property
    def expected_loads(self) -> Counter[str]:
        """What the warehouse holds when all is well."""
        return Counter(_sql(table, batch) for table in TABLES for batch in range(1, self.files[table] + 1))

    # -- answers -------------------------------------------------------------------------------------------------

    def _answer(self, resource: str, given: Any) -> Any:
        what = resource.removeprefix("arn:aws:states:::").removeprefix("aws-sdk:")
        if what == "lambda:invoke":
            payload = given["Payload"]
            if given["FunctionName"] != "run-lock" and not self._is_held_by(payload["execution_arn"]):
                raise StateError("ConflictError", json.dumps({"errorMessage": f"{self.holder} holds the lock"}))
            answers: Mapping[str, Callable[[Any], Any]] = {
                "run-lock": self._run_lock,
                "source-marker": self._commit_marker,
                "bronze-state": self._bronze_state,
                "warehouse-loads": self._plan_refreshes if "data_sets" in payload else self._plan_loads,
            }
            return {"StatusCode": 200, "Payload": answers[given["FunctionName"]](payload)}
        known: Mapping[str, Callable[[Any], Any]] = {
            "sns:publish": self._publish,
            "databasemigration:describeReplicationTasks": self._describe_replication,
            "databasemigration:describeTableStatistics": self._describe_tables,
            "databasemigration:startReplicationTask": self._start_replication,
            "glue:startCrawler": self._start_crawler,
            "glue:getCrawler": self._get_crawler,
            "redshiftdata:batchExecuteStatement": self._execute,
            "redshiftdata:describeStatement": self._describe_statement,
            "quicksight:createIngestion": self._create_ingestion,
            "quicksight:describeIngestion": self._describe_ingestion,
        }
        return known[what](given)

    def _is_held_by(self, execution: str) -> bool:
        if self.holder != execution:
            self.intruders.append(execution)
        return self.holder == execution

    def _run_lock(self, event: Any) -> Any:
        execution = event["execution_arn"]
        if event["action"] == "take":
            return {"taken": True} if self._take(execution) else {"taken": False, "holder": self.holder}
        if event["action"] == "release":
            self._release(execution, event["outcome"])
            return {"run": {"gold": {"batches": len(self.gold)}} if self.gold else {}}
        failed = event["failed"]
        if event["redrive_count"] > event["told_at_redrive"]:
            if not self._take(execution):
                raise StateError("ConflictError", json.dumps({"errorMessage": f"{self.holder} is at work"}))
            return {"resume_at": failed["state"]}
        self._release(execution, "failed")
        raise StateError("RunFailed", json.dumps({"errorMessage": f'the run failed at "{failed["state"]}"'}))

    def _take(self, execution: str) -> bool:
        if self.holder not in {"", execution}:
            if self.is_running(self.holder):
                return False
            self.last_outcome, self.last_execution = "failed", self.holder
        self.holder = execution
        return True

    def _release(self, execution: str, outcome: str) -> None:
        if self.holder == execution:
            self.holder, self.last_outcome, self.last_execution = "", outcome, execution

    def _publish(self, given: Any) -> Any:
        self.alerts.append(given["Message"])
        return {"MessageId": str(len(self.alerts))}

    def _describe_replication(self, _given: Any) -> Any:
        return {"ReplicationTasks": [{"ReplicationTaskArn": TASK_ARN, "Status": self.replication}]}

    def _start_replication(self, given: Any) -> Any:
        how = given["StartReplicationTaskType"]
        begins_at = {"start-replication": {"ready"}, "resume-processing": {"stopped", "failed"}}[how]
        if self.replication not in begins_at:
            cause = f"the task is {self.replication}"
            raise StateError("DatabaseMigration.InvalidResourceStateException", cause)
        self.starts.append(how)
        self.replication = "starting"
        self._after("replication")
        return {"ReplicationTask": {"Status": "starting"}}

    def _describe_tables(self, given: Any) -> Any:
        """Two tables a page."""
        start = int(given.get("Marker", "0"))
        shown = [
            {"SchemaName": "shop", "TableName": table, "TableState": state}
            for table, state in list(self.table_states.items())[start : start + 2]
        ]
        more = {"Marker": str(start + 2)} if start + 2 < len(self.table_states) else {}
        return {"TableStatistics": shown, **more}

    def _commit_marker(self, _event: Any) -> Any:
        token = f"marker-{len(self.markers) + 1}"
        self.markers[token] = self.now + _SECONDS["marker"]
        return {"token": token, "after": "marker/0.csv"}

    def _bronze_state(self, event: Any) -> Any:
        due = self.markers.get(event["token"], float("inf"))
        arrived = self.replication == "running" and self.now >= due
        return {
            "marker_arrived": arrived,
            "new_files": sum(self.files[table] - self.consumed[table] for table in TABLES),
            "new_shapes": [table for table in TABLES if table not in self.catalogued],
            "last_outcome": self.last_outcome,
        }

    def _start_crawler(self, _given: Any) -> Any:
        if self.crawler_state != "READY":
            raise StateError("Glue.CrawlerRunningException", "the crawler runs")
        self.crawls, self.crawler_state = self.crawls + 1, "RUNNING"
        self._after("crawl")
        return {}

    def _get_crawler(self, _given: Any) -> Any:
        last = {"LastCrawl": {"Status": self.crawl_outcome}} if self.crawls else {}
        return {"Crawler": {"State": self.crawler_state, **last}}

    def _start_job(self, given: Any) -> dict[str, Any]:
        """One run of a job at a time, as the jobs are made."""
        self.go_on()
        name = given["JobName"]
        if any(run.name == name and run.state == "RUNNING" for run in self.jobs.values()):
            raise StateError("Glue.ConcurrentRunsExceededException", f"{name} runs")
        run_id = f"jr_{len(self.jobs) + 1}"
        self.jobs[run_id] = JobRun(
            name,
            self.now,
            refused=not self._is_held_by(given["Arguments"]["--execution_arn"]),
            backfill_from=given["Arguments"].get("--backfill_from", ""),
        )
        return {"JobName": name, "JobRunId": run_id}

    def _plan_loads(self, event: Any) -> Any:
        """What gold holds and neither the warehouse has nor a statement is at."""
        if event["rebuild"]:
            self.rebuilds += 1
            self.loaded.clear()
        self.plans += 1
        at_work = {
            sql
            for statement in self.statements.values()
            if statement["Status"] == "STARTED"
            for sql in statement["Sqls"]
        }
        open_ = [
            found for found in sorted(self.gold) if _sql(*found) not in self.loaded and _sql(*found) not in at_work
        ]
        shown = open_[: self.loads_at_once]
        loads = [{"table": table, "batch": batch, "rows": 1, "sqls": [_sql(table, batch)]} for table, batch in shown]
        return {"loads": loads, "more": len(open_) > len(shown)}

    def _execute(self, given: Any) -> Any:
        """A client token that is known is answered with its statement, and nothing runs anew."""
        for known, statement in self.statements.items():
            if statement["ClientToken"] == given["ClientToken"]:
                assert statement["Sqls"] == given["Sqls"], "one client token for two transactions"
                return {"Id": known}
        made = f"statement-{len(self.statements) + 1}"
        error = self.next_load_errors.pop(0) if self.next_load_errors else ""
        due = self.now + _SECONDS["statement"]
        self.statements[made] = {**given, "Status": "STARTED", "Error": error, "due": due}
        return {"Id": made}

    def _describe_statement(self, given: Any) -> Any:
        found = self.statements[given["Id"]]
        error = {"Error": found["Error"]} if found["Status"] == "FAILED" else {}
        return {"Id": given["Id"], "Status": found["Status"], **error}

    def _plan_refreshes(self, event: Any) -> Any:
        """One for each data set that has not read all; an attempt that is under way is gone on with."""
        refreshes = []
        for data_set in event["data_sets"]:
            if self.shown.get(data_set) == (wanted := self._to_show(data_set)):
                continue
            begun = [name for which, name in self.ingestions if which == data_set]
            running = [name for name in begun if self.ingestions[data_set, name]["IngestionStatus"] == "RUNNING"]
            name = running[0] if running else f"{event['run_id']}_{len(wanted)}_{len(begun)}"
            refreshes.append({"data_set": data_set, "ingestion": name, "type": "FULL_REFRESH"})
        return {"refreshes": refreshes}

    def _create_ingestion(self, given: Any) -> Any:
        data_set, name = given["DataSetId"], given["IngestionId"]
        if (data_set, name) in self.ingestions:
            raise StateError("QuickSight.ResourceExistsException", f"{name} exists")
        if data_set in self.refreshed_too_often:
            raise StateError("QuickSight.LimitExceededException", "32 in 24 hours")
        due, end, self.next_ingestion = self.now + _SECONDS["ingestion"], self.next_ingestion, {}
        rows = {"RowInfo": {"RowsIngested": 7, "RowsDropped": 0}}
        self.ingestions[data_set, name] = {"IngestionStatus": "RUNNING", "due": due, "end": rows | end}
        return {"IngestionStatus": "INITIALIZED"}

    def _describe_ingestion(self, given: Any) -> Any:
        found = self.ingestions[given["DataSetId"], given["IngestionId"]]
        return {"Ingestion": {name: value for name, value in found.items() if name[0].isupper()}}


def _sql(table: str, batch: int) -> str:
    return f"CALL load('{table}', {batch})"
