"""The run's last work: what dashboards show from SPICE is read anew where the warehouse has changed.

The environment's data sets stand in the machine as `${SpiceDataSets}`, JSONata objects with commas between; none where
dashboards are not enabled, and then nothing is asked. Which are read anew, and how much of each, a function plans: it
compares the warehouse's batches with what QuickSight has read last.
"""

from shoplake_orchestration.policies import (
    RETRY_READ,
    RETRY_UNNAMED,
    RETRY_WRITE,
    branch_fails,
    catch_in_branch,
    catch_to,
)
from shoplake_orchestration.run_calls import HOLDER, LOST_OR_FAILED, RUN_ID, call_function, while_held
from shoplake_orchestration.states import Branch, Catch, Choice, Map, Pass, Rule, State, Succeed, Task, Wait

__all__ = ["BEGIN", "PLAN_REFRESHES", "REFRESHED", "REFRESH_ALL", "dashboard_states"]

BEGIN = "Do dashboards show anything from SPICE"
PLAN_REFRESHES = "Plan what dashboards read anew"
REFRESH_ALL = "Refresh the dashboards"
_REFRESH = "Refresh one data set"
_ASK = "Ask how the refresh is"
_FAILED = "Refreshing failed"
_REFRESHES_AT_ONCE = 10
_MOST_LOOKS = 60  # an execution's history has an end, and every data set is looked at; so looks become rarer
_LONGEST_WAIT_SECONDS = 300

REFRESHED = (
    "$count($refreshed) = 0 ? {} : {'dashboards': {"
    "'refreshed': $count($refreshed[$exists(rows)]), 'rows': $sum([$refreshed.rows]),"
    " 'warnings': [$refreshed.warning]}}"
)
"""JSONata for what the run's output says of it: nothing where nothing was refreshed."""


def dashboard_states(next_state: str) -> dict[str, State]:
    """The states, which begin with `BEGIN` and end in `next_state`. They need `refreshed`, an empty list."""
    return {
        BEGIN: Choice(
            rules=(Rule(condition="{% $count([${SpiceDataSets}]) > 0 %}", next=PLAN_REFRESHES),),
            default=next_state,
        ),
        PLAN_REFRESHES: call_function(
            "WarehouseLoadsFunction",
            {"run_id": f"{{% {RUN_ID} %}}", "execution_arn": HOLDER, "data_sets": "{% [${SpiceDataSets}] %}"},
            assign={"refreshes": "{% [$states.result.Payload.refreshes] %}"},
            next_state="Is there anything to refresh",
        ),
        "Is there anything to refresh": Choice(
            rules=(Rule(condition="{% $count($refreshes) > 0 %}", next=REFRESH_ALL),),
            default=next_state,
        ),
        REFRESH_ALL: Map(
            items="{% $refreshes %}",
            max_concurrency=_REFRESHES_AT_ONCE,
            body=_refresh_one(),
            catch=(catch_to(LOST_OR_FAILED),),
            assign={"refreshed": "{% [$states.result] %}"},
            output={},
            next=next_state,
        ),
    }


def _refresh_one() -> Branch:
    ingestion = "$states.result.Ingestion"
    return Branch(
        start_at="Take one data set",
        states={
            "Take one data set": Pass(
                assign={
                    "data_set": "{% $states.input.data_set %}",
                    "ingestion": "{% $states.input.ingestion %}",
                    "ingestion_type": "{% $states.input.type %}",
                    "refresh_polls": 0,
                },
                output={},
                next=_REFRESH,
            ),
            _REFRESH: Task(
                comment="The id is the plan's, so that a second call finds the ingestion that the first one began.",
                resource="aws-sdk:quicksight:createIngestion",
                arguments={
                    "AwsAccountId": "${Account}",
                    "DataSetId": "{% $data_set %}",
                    "IngestionId": f"{{% {while_held('$ingestion')} %}}",
                    "IngestionType": "{% $ingestion_type %}",
                },
                timeout_seconds=60,
                retry=(RETRY_WRITE, RETRY_UNNAMED),
                catch=(
                    Catch(errors=("QuickSight.ResourceExistsException",), next="Wait for the refresh"),
                    Catch(errors=("QuickSight.LimitExceededException",), next="Say that it was refreshed too often"),
                    catch_in_branch(_FAILED),
                ),
                output={},
                next="Wait for the refresh",
            ),
            "Wait for the refresh": Wait(
                seconds=f"{{% $min([${{PollSeconds}} * ($refresh_polls + 1), {_LONGEST_WAIT_SECONDS}]) %}}", next=_ASK
            ),
            _ASK: Task(
                resource="aws-sdk:quicksight:describeIngestion",
                arguments={
                    "AwsAccountId": "${Account}",
                    "DataSetId": "{% $data_set %}",
                    "IngestionId": "{% $ingestion %}",
                },
                timeout_seconds=60,
                retry=(RETRY_READ,),
                catch=(catch_in_branch(_FAILED),),
                assign={
                    "refresh_status": f"{{% {ingestion}.IngestionStatus %}}",
                    "refresh_error": f"{{% $exists({ingestion}.ErrorInfo)"
                    f" ? {ingestion}.ErrorInfo.Type & ': ' & {ingestion}.ErrorInfo.Message : '' %}}",
                    "refresh_rows": f"{{% $exists({ingestion}.RowInfo.RowsIngested)"
                    f" ? {ingestion}.RowInfo.RowsIngested : 0 %}}",
                    "rows_dropped": f"{{% $exists({ingestion}.RowInfo.RowsDropped)"
                    f" ? {ingestion}.RowInfo.RowsDropped : 0 %}}",
                    "refresh_polls": "{% $refresh_polls + 1 %}",
                },
                output={},
                next="Is the refresh done",
            ),
            "Is the refresh done": Choice(
                rules=(
                    Rule(condition="{% $refresh_status = 'COMPLETED' and $rows_dropped = 0 %}", next="Refreshed"),
                    Rule(
                        condition="{% $not($refresh_status in ['COMPLETED', 'FAILED', 'CANCELLED'])"
                        f" and $refresh_polls < {_MOST_LOOKS} %}}",
                        next="Wait for the refresh",
                    ),
                ),
                default="Say how the refresh ended",
            ),
            "Say how the refresh ended": Pass(
                output={
                    "state": _REFRESH,
                    "error": "RefreshFailed",
                    "cause": "{% 'the ingestion ' & $ingestion & ' of ' & $data_set & ' is ' & $refresh_status"
                    " & ($rows_dropped > 0 ? ' and left out ' & $string($rows_dropped) & ' rows' : '') & ' '"
                    " & $substring($refresh_error, 0, 2000) %}",
                },
                next=_FAILED,
            ),
            _FAILED: branch_fails(),
            "Say that it was refreshed too often": Succeed(
                output={
                    "data_set": "{% $data_set %}",
                    "warning": "{% $data_set & ' was not refreshed: QuickSight takes 32 refreshes of a data set in 24"
                    " hours; the next run that it takes one in reads all of it' %}",
                }
            ),
            "Refreshed": Succeed(
                output={
                    "data_set": "{% $data_set %}",
                    "type": "{% $ingestion_type %}",
                    "rows": "{% $refresh_rows %}",
                }
            ),
        },
    )
