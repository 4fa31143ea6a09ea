"""The run's end: gold is loaded into the warehouse batch by batch, then all layers are reconciled."""

from shoplake_orchestration.policies import (
    RETRY_READ,
    RETRY_UNNAMED,
    RETRY_WRITE,
    branch_fails,
    catch_in_branch,
    catch_to,
)
from shoplake_orchestration.run_calls import HOLDER, LOST_OR_FAILED, RUN_ID, call_function, run_job, while_held
from shoplake_orchestration.states import Branch, Choice, Map, Pass, Rule, State, Succeed, Task, Wait

__all__ = ["PLAN", "RECONCILE", "warehouse_states"]

PLAN = "Plan the warehouse load"
_MAP = "Load the warehouse"
RECONCILE = "Reconcile all layers"
_LOAD = "Load one batch"
_ASK = "Ask how the load is"
_LOAD_FAILED = "Loading failed"
_LOADS_AT_ONCE = 4  # transactions that meet in the record of loads are told 1023 where isolation is serializable


def warehouse_states(next_state: str) -> dict[str, State]:
    """The states, which end in `next_state`. They need `plan_rebuild`, and both counters of what is loaded."""
    return {
        PLAN: call_function(
            "WarehouseLoadsFunction",
            {"run_id": f"{{% {RUN_ID} %}}", "rebuild": "{% $plan_rebuild %}", "execution_arn": HOLDER},
            # only the first plan begins anew: the next ones go on from what is loaded
            assign={
                "loads": "{% [$states.result.Payload.loads] %}",
                "more_loads": "{% $states.result.Payload.more %}",
                "plan_rebuild": False,
            },
            next_state="Is there anything to load",
        ),
        "Is there anything to load": Choice(
            rules=(Rule(condition="{% $count($loads) > 0 %}", next=_MAP),),
            default=RECONCILE,
        ),
        _MAP: Map(
            items="{% $loads %}",
            max_concurrency=_LOADS_AT_ONCE,  # each of another table, whose next batch comes with the next plan
            body=_load_one(),
            catch=(catch_to(LOST_OR_FAILED),),
            assign={
                "batches_loaded": "{% $batches_loaded + $count($loads) %}",
                "rows_loaded": "{% $rows_loaded + $sum($loads.rows) %}",
            },
            output={},
            next="Is there more to load",
        ),
        "Is there more to load": Choice(
            rules=(Rule(condition="{% $more_loads %}", next=PLAN),),
            default=RECONCILE,
        ),
        # the job has the source read itself, once it has pinned what it compares: a reading taken before that, and
        # found again after a redrive, would be older than what another run has brought to silver since
        RECONCILE: run_job("ReconcileJob", step="reconciliation", next_state=next_state),
    }


def _load_one() -> Branch:
    return Branch(
        start_at="Take one batch",
        states={
            "Take one batch": Pass(
                assign={
                    "sqls": "{% [$states.input.sqls] %}",
                    "load_name": "{% $states.input.table & ' ' & $string($states.input.batch) %}",
                    "load_token": "{% $uuid() %}",
                    "attempts": 1,
                    "load_polls": 0,
                },
                output={},
                next=_LOAD,
            ),
            _LOAD: Task(
                comment="One transaction. The client token is the attempt's, and the procedure that it calls passes over a"
                " batch that is loaded and refuses one that does not come next: no repetition does harm.",
                resource="aws-sdk:redshiftdata:batchExecuteStatement",
                arguments={
                    "WorkgroupName": "${Workgroup}",
                    "Database": "${WarehouseDatabase}",
                    "Sqls": f"{{% {while_held('$sqls')} %}}",
                    "ClientToken": "{% $load_token %}",
                },
                timeout_seconds=60,
                retry=(RETRY_WRITE, RETRY_UNNAMED),
                catch=(catch_in_branch(_LOAD_FAILED),),
                assign={"statement": "{% $states.result.Id %}"},
                output={},
                next="Wait for the load",
            ),
            "Wait for the load": Wait(seconds="{% ${LoadPollSeconds} %}", next=_ASK),
            _ASK: Task(
                resource="aws-sdk:redshiftdata:describeStatement",
                arguments={"Id": "{% $statement %}"},
                timeout_seconds=60,
                retry=(RETRY_READ,),
                catch=(catch_in_branch(_LOAD_FAILED),),
                assign={
                    "load_status": "{% $states.result.Status %}",
                    "load_error": "{% $exists($states.result.Error) ? $states.result.Error : '' %}",
                    "load_polls": "{% $load_polls + 1 %}",
                },
                output={},
                next="Is the load done",
            ),
            "Is the load done": Choice(
                rules=(
                    Rule(condition="{% $load_status = 'FINISHED' %}", next="Loaded"),
                    Rule(
                        condition="{% $load_status = 'FAILED' and $attempts < 5"
                        " and $contains($load_error, /error:?\\s*1023|serializable isolation violation/i) %}",
                        next="Wait for the other transaction",
                    ),
                    Rule(
                        condition="{% $not($load_status in ['FAILED', 'ABORTED']) and $load_polls < ${MostPolls} %}",
                        next="Wait for the load",
                    ),
                ),
                default="Say how the load ended",
            ),
            "Wait for the other transaction": Wait(
                seconds="{% ${LoadPollSeconds} * $attempts %}",
                assign={"attempts": "{% $attempts + 1 %}", "load_token": "{% $uuid() %}", "load_polls": 0},
                next=_LOAD,
            ),
            "Say how the load ended": Pass(
                output={
                    "state": _LOAD,
                    "error": "LoadFailed",
                    "cause": "{% $load_name & ' is ' & $load_status & ' in attempt ' & $string($attempts) & ': '"
                    " & $substring($load_error, 0, 2000) %}",
                },
                next=_LOAD_FAILED,
            ),
            _LOAD_FAILED: branch_fails(),
            "Loaded": Succeed(output={}),
        },
    )
