"""The run as a state machine: from the lock over replication, bronze, silver, gold and the warehouse to the verdict, and
then to what dashboards show.

A failure is told, then the execution fails AT a Task, "End as failed": a redrive repeats just that Task, which takes the
run lock again and answers where to go on. A run that was stopped is redriven at the state where it was; what writes there
refuses (`run_calls.HOLDER`), and the same Task then takes the lock or, while another run is at work, ends the execution.
Every name with a value of its own in an environment is a `${Token}`: `binding` puts them in.
"""

import json

from shoplake_orchestration.policies import RETRY_FUNCTION, RETRY_LOST_FUNCTION, RETRY_UNNAMED, RETRY_WRITE
from shoplake_orchestration.run_calls import (
    EXECUTION_ARN,
    HOLDER,
    LOST_OR_FAILED,
    REDRIVEN_SINCE,
    REDRIVES,
    RUN_ID,
    STARTED_AT,
    TELL,
    call_function,
)
from shoplake_orchestration.run_dashboards import BEGIN, PLAN_REFRESHES, REFRESH_ALL, REFRESHED, dashboard_states
from shoplake_orchestration.run_lake import lake_states
from shoplake_orchestration.run_replication import replication_states
from shoplake_orchestration.run_warehouse import PLAN, RECONCILE, warehouse_states
from shoplake_orchestration.states import (
    Branch,
    Catch,
    Choice,
    Fail,
    Machine,
    Map,
    Parallel,
    Rule,
    State,
    Succeed,
    Task,
)

__all__ = ["BEGINNINGS", "FAILS_ON_PURPOSE", "run_definition", "run_machine"]

_TAKE = "Take the run lock"
_GO_ON = "Where to go on"
_RELEASE = "Release the run lock"
_END_AS_FAILED = "End as failed"
_FIRST = "Ask how replication is"

FAILS_ON_PURPOSE = frozenset({_END_AS_FAILED})
"""States whose failure ends the execution, so that a redrive begins there."""

BEGINNINGS = (
    _FIRST,
    "Commit a marker",
    "Crawl bronze and clean it",
    "Shape silver into gold",
    PLAN,
    RECONCILE,
)
"""Where a run may be told to begin (`from`): states that need nothing of an earlier one in the same run."""


# what the jobs counted, as the lock's function sums it up at the end, beside what the machine knows itself
_OUTPUT = (
    f"{{% $merge([{{'run_id': {RUN_ID}, 'new_files': $new_files,"
    f" 'warehouse': {{'batches': $batches_loaded, 'rows': $rows_loaded}}}}, {REFRESHED}, $counted]) %}}"
)


def run_machine() -> Machine:
    """The machine.

    Its input, of which everything may be absent: `{"from": <one of BEGINNINGS>, "rebuild": <bool>, "backfill_from":
    <YYYY-MM-DD: gold's days from then on are built anew>}`. Its output: `{"run_id", "new_files",
    "warehouse": {"batches", "rows"}}`, of each job that this run started `"silver"`, `"gold"`, `"reconciliation"`, and
    where data sets were to be read anew `"dashboards": {"refreshed", "rows", "warnings"}`.
    """
    steps: dict[str, State] = {
        **replication_states(next_state="Commit a marker"),
        # where nothing is new, too: the last run may have been kept from its refreshes
        **lake_states(release=BEGIN, next_state=PLAN),
        **warehouse_states(next_state=BEGIN),
        **dashboard_states(next_state=_RELEASE),
    }
    steps[_RELEASE] = call_function(
        "RunLockFunction",
        {
            "action": "release",
            "execution_arn": HOLDER,
            "outcome": "succeeded",
            "run_id": f"{{% {RUN_ID} %}}",
            "started_at": STARTED_AT,
        },
        assign={"counted": "{% $states.result.Payload.run %}"},
        next_state="Done",
    )
    return Machine(
        comment="Shoplake: from MySQL's changes in bronze to a reconciled warehouse. Built by run_machine.py.",
        start_at="Where to begin",
        states={**_beginning(steps), **steps, **_ending()},
    )


def run_definition() -> str:
    """The machine as text with its `${Token}`s, to be bound; the golden file holds the same."""
    return json.dumps(run_machine().to_asl(), indent=2, ensure_ascii=False) + "\n"


def _beginning(steps: dict[str, State]) -> dict[str, State]:
    """The lock, and the way to the state that a run begins at or a redriven one goes on at."""
    fresh = {
        "rebuild": "{% $states.input.rebuild = true %}",
        "plan_rebuild": "{% $states.input.rebuild = true %}",
        "backfill_from": "{% $exists($states.input.backfill_from) ? $states.input.backfill_from : '' %}",
        "new_shapes": [],
        "silver_summary": "",
        "held_at_redrive": 0,
        "new_files": 0,
        "batches_loaded": 0,
        "rows_loaded": 0,
        "refreshed": [],
    }
    asked = "$exists($states.input.from) ? $states.input.from : ''"
    beginnings = ", ".join(f"'{name}'" for name in BEGINNINGS)
    return {
        "Where to begin": Choice(
            rules=(
                Rule(
                    condition=f"{{% ({asked}) = '' %}}",
                    next=_TAKE,
                    assign={**fresh, "begin_at": _FIRST, "resume_at": _FIRST},
                ),
                Rule(
                    condition=f"{{% $states.input.from in [{beginnings}] %}}",
                    next=_TAKE,
                    assign={**fresh, "begin_at": "{% $states.input.from %}", "resume_at": "{% $states.input.from %}"},
                ),
            ),
            default="Refuse an unknown beginning",
        ),
        "Refuse an unknown beginning": Fail(
            error="UnknownBeginning",
            cause=f"{{% 'a run cannot begin at ' & $string($states.input.from) & '; it can at {', '.join(BEGINNINGS)}' %}}",
        ),
        _TAKE: call_function(
            "RunLockFunction",
            {"action": "take", "execution_arn": EXECUTION_ARN},
            assign={
                "lock_taken": "{% $states.result.Payload.taken %}",
                "lock_holder": "{% $exists($states.result.Payload.holder) ? $states.result.Payload.holder : '' %}",
                "held_at_redrive": REDRIVES,
            },
            next_state="Is the lock taken",
        ),
        "Is the lock taken": Choice(
            rules=(Rule(condition="{% $lock_taken %}", next=_GO_ON),),
            default="Refuse a second run",
        ),
        "Refuse a second run": Fail(error="RunInProgress", cause="{% 'the run lock is held by ' & $lock_holder %}"),
        _GO_ON: Choice(
            rules=tuple(
                Rule(
                    condition=f"{{% $resume_at in [{', '.join(_quoted(name) for name in names)}] %}}",
                    next=target,
                    assign={"polls": 0, "resumes": 0, **({"resume_at": "{% $begin_at %}"} if target == _TAKE else {})},
                )
                for target, names in _resumable(steps).items()
            ),
            assign={
                "failed": {
                    "state": _GO_ON,
                    "error": "UnknownState",
                    "cause": "{% 'there is no state to go on at: ' & $string($resume_at) %}",
                }
            },
            default=TELL,
        ),
    }


def _quoted(name: str) -> str:
    return '"' + name + '"'


def _resumable(steps: dict[str, State]) -> dict[str, tuple[str, ...]]:
    """Each state to go on at, with the states of failures that lead there: a branch is repeated with its whole state."""
    names: dict[str, tuple[str, ...]] = {_TAKE: (_TAKE,)}
    for name, state in steps.items():
        if isinstance(state, Task):
            names[name] = (name,)
        elif isinstance(state, Parallel):
            names[name] = (name, *(inside for branch in state.branches for inside in _tasks_of(branch)))
        elif isinstance(state, Map):
            names[name] = (name, *_tasks_of(state.body))
    # what asks about tables needs a fresh look at the task, and a batch or a refresh in doubt a fresh plan
    names[_FIRST] += names.pop("Ask whether the loads are complete")
    names[PLAN] += names.pop("Load the warehouse")
    names[PLAN_REFRESHES] += names.pop(REFRESH_ALL)
    return names


def _tasks_of(branch: Branch) -> list[str]:
    return [name for name, state in branch.states.items() if isinstance(state, Task)]


def _ending() -> dict[str, State]:
    """Success, and the way of every failure."""
    return {
        "Done": Succeed(output=_OUTPUT),
        LOST_OR_FAILED: Choice(
            comment="A redrive begins at the state where the run was stopped: the lock is taken again before that goes on.",
            rules=(
                Rule(
                    condition=f"{{% {REDRIVEN_SINCE} %}}",
                    next=_END_AS_FAILED,
                    assign={
                        "told_at_redrive": "{% $held_at_redrive %}",
                        "failed": {
                            "state": "{% $failed.state %}",
                            "error": "RunLockLost",
                            "cause": "this run was stopped and redriven, and another run is at work: redrive it when that"
                            " has ended",
                        },
                    },
                ),
            ),
            default=TELL,
        ),
        TELL: Task(
            resource="sns:publish",
            arguments={
                "TopicArn": "${AlertsTopicArn}",
                "Subject": "Shoplake ${Environment}: a run failed",
                "Message": f"{{% 'Run ' & {RUN_ID} & ' failed at: ' & $failed.state & '\\n' & $failed.error & ': '"
                " & $failed.cause & '\\nExecution: ' & $states.context.Execution.Id"
                " & '\\nNext: mend the cause, then redrive the execution: it goes on where it failed.' %}",
            },
            timeout_seconds=60,
            retry=(RETRY_WRITE, RETRY_UNNAMED),
            # an alert that cannot be sent must not hide the failure: the execution itself still names it
            catch=(Catch(next=_END_AS_FAILED, assign={"told_at_redrive": REDRIVES}),),
            assign={"told_at_redrive": REDRIVES},
            output={},
            next=_END_AS_FAILED,
        ),
        _END_AS_FAILED: Task(
            comment="Raises, so that the execution fails here; when it is redriven, answers where to go on.",
            resource="lambda:invoke",
            arguments={
                "FunctionName": "${RunLockFunction}",
                "Payload": {
                    "action": "end_as_failed",
                    "execution_arn": EXECUTION_ARN,
                    "failed": "{% $failed %}",
                    "told_at_redrive": "{% $told_at_redrive %}",
                    "redrive_count": REDRIVES,
                    "run_id": f"{{% {RUN_ID} %}}",
                    "started_at": STARTED_AT,
                },
            },
            timeout_seconds=900,
            retry=(RETRY_FUNCTION, RETRY_LOST_FUNCTION),
            assign={"resume_at": "{% $states.result.Payload.resume_at %}", "held_at_redrive": REDRIVES},
            output={},
            next=_GO_ON,
        ),
    }
